"""The HTTP routes of Slack: signed requests, and the pages that install the app.

A request is verified before anything reads its body: bolt would parse and log the body of an
unsigned request.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import structlog
from slack_bolt.adapter.starlette.async_handler import (
    to_async_bolt_request,
    to_starlette_response,
)
from slack_bolt.async_app import AsyncApp
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from bots.slack.received_bodies import ReceivedBodies, ReceivedBody

MAX_BODY = 1024 * 1024  # bytes; Slack's payloads are far smaller
BODY_SECONDS = 10.0  # for a whole body
BODY_MEMORY = 64 * 1024 * 1024  # bytes of all bodies that are being received
# Bolt's errors for a body that is not JSON, is nested too deeply, or has values of other types.
MALFORMED = (ValueError, RecursionError, AttributeError, TypeError, LookupError)
CLOSE = {"Connection": "close"}
TIMESTAMP = re.compile(r"[0-9]{1,12}")  # Unix time in seconds

Page = Callable[[AsyncBoltRequest], Awaitable[BoltResponse]]


def http_app(
    bolt: AsyncApp,
    signing_secret: str,
    install: AsyncOAuthFlow | None,
    body_seconds: float = BODY_SECONDS,
    body_memory: int = BODY_MEMORY,
) -> Starlette:
    """The application with the routes that the manifest names, and no others."""
    bodies = ReceivedBodies(body_memory, body_seconds)
    receiver = EventReceiver(bolt, signing_secret, bodies)
    routes = [
        Route(f"/slack/{name}", receiver.receive, methods=["GET", "POST"])
        for name in ("events", "commands", "interactions")
    ]
    if install is not None:
        routes.append(Route("/slack/install", _page(install.handle_installation)))
        routes.append(Route("/slack/oauth_redirect", _page(install.handle_callback)))
    return Starlette(routes=routes, exception_handlers={Exception: _internal_error})


class EventReceiver:
    """Verifies Slack's requests and dispatches them to bolt."""

    def __init__(self, bolt: AsyncApp, signing_secret: str, bodies: ReceivedBodies) -> None:
        self._bolt = bolt
        self._verifier = SignatureVerifier(signing_secret)
        self._bodies = bodies

    async def receive(self, request: Request) -> Response:
        """Answer one request: 401 where it is not signed by Slack, 4xx where it is malformed."""
        if request.method != "POST":  # Slack checks the certificate from time to time
            return Response(status_code=200 if "ssl_check" in request.query_params else 405)
        try:
            async with self._bodies.body() as received:
                body = await _read_body(request, received)
        except TimeoutError:
            return Response(status_code=408, headers=CLOSE)
        except ClientDisconnect:
            return Response(status_code=400, headers=CLOSE)
        if body is None:
            return Response(status_code=413, headers=CLOSE)
        return await self._dispatch(request, body)

    async def _dispatch(self, request: Request, body: bytes) -> Response:
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return Response(status_code=400)
        if not self._signed(request, text):
            return Response(status_code=401)
        try:
            bolt_request = to_async_bolt_request(request, body)
        except MALFORMED:
            return Response(status_code=400)
        return to_starlette_response(await self._bolt.async_dispatch(bolt_request))

    def _signed(self, request: Request, text: str) -> bool:
        timestamp = request.headers.get("x-slack-request-timestamp", "")
        signature = request.headers.get("x-slack-signature", "")
        if not (TIMESTAMP.fullmatch(timestamp) and signature.isascii()):
            return False
        return self._verifier.is_valid(text, timestamp, signature)


async def _read_body(request: Request, received: ReceivedBody) -> bytes | None:
    """The request body, or None as soon as it exceeds `MAX_BODY`."""
    if int(request.headers.get("content-length", 0)) > MAX_BODY:  # h11 accepts digits only
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        received.grow(len(chunk))
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _page(page: Page) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint for one of bolt's installation pages, which take no body."""

    async def respond(request: Request) -> Response:
        if _announces_body(request):
            return Response(status_code=413, headers=CLOSE)
        try:
            bolt_request = to_async_bolt_request(request, b"")
        except ValueError:
            return Response(status_code=400)
        return to_starlette_response(await page(bolt_request))

    return respond


def _announces_body(request: Request) -> bool:
    length = request.headers.get("content-length", "0")
    return "transfer-encoding" in request.headers or int(length) > 0


async def _internal_error(request: Request, error: Exception) -> Response:
    structlog.get_logger().error(
        "http-request-failed", path=request.url.path, error=type(error).__name__
    )
    return Response(status_code=500, headers=CLOSE)
