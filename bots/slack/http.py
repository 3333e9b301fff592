"""Slack over HTTP: signed requests to the web port, and the pages that install the app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from slack_bolt.adapter.starlette.async_handler import (
    AsyncSlackRequestHandler,
    to_async_bolt_request,
    to_starlette_response,
)
from slack_bolt.async_app import AsyncApp
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

MAX_BODY = 2 * 1024 * 1024  # bytes; Slack's own payloads stay far below
Page = Callable[[AsyncBoltRequest], Awaitable[BoltResponse]]


def routes(app: AsyncApp, install: AsyncOAuthFlow | None) -> list[Route]:
    """The addresses that the manifest names; bolt checks signatures and timestamps behind them."""
    handler = AsyncSlackRequestHandler(app)

    async def incoming(request: Request) -> Response:
        declared = request.headers.get("content-length", "0")
        if not declared.isdigit() or int(declared) > MAX_BODY:
            return Response(status_code=413)
        return await handler.handle(request)

    listed = [
        Route(f"/slack/{name}", incoming, methods=["POST"])
        for name in ("events", "commands", "interactions")
    ]
    if install is not None:
        listed.append(Route("/slack/install", _page(install.handle_installation)))
        listed.append(Route("/slack/oauth_redirect", _page(install.handle_callback)))
    return listed


def _page(page: Page) -> Callable[[Request], Awaitable[Response]]:
    async def show(request: Request) -> Response:
        body = await request.body()
        return to_starlette_response(await page(to_async_bolt_request(request, body)))

    return show
