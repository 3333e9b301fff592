"""Slack over HTTP: signed requests to the web port, and the pages that install the app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from slack_bolt.adapter.starlette.async_handler import (
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

    async def incoming(request: Request) -> Response:
        if request.method == "GET":  # Slack looks now and then whether the certificate is good
            return Response(status_code=200 if "ssl_check" in request.query_params else 405)
        # Bolt takes a number and well-formed words for granted, before it looks at the signature.
        if not request.headers.get("x-slack-request-timestamp", "0").isdecimal():
            return Response(status_code=401)
        body = await _body(request)
        if body is None:
            return Response(status_code=413)
        try:
            asked = to_async_bolt_request(request, body)
        except ValueError:
            return Response(status_code=400)
        return to_starlette_response(await app.async_dispatch(asked))

    listed = [
        Route(f"/slack/{name}", incoming, methods=["GET", "POST"])
        for name in ("events", "commands", "interactions")
    ]
    if install is not None:
        listed.append(Route("/slack/install", _page(install.handle_installation)))
        listed.append(Route("/slack/oauth_redirect", _page(install.handle_callback)))
    return listed


async def _body(request: Request) -> bytes | None:
    """What was sent; None as soon as it is too much, whatever its headers say."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _page(page: Page) -> Callable[[Request], Awaitable[Response]]:
    async def show(request: Request) -> Response:
        body = await request.body()
        return to_starlette_response(await page(to_async_bolt_request(request, body)))

    return show
