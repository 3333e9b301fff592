"""Limits the size and the slowness of request bodies, by route, before anything reads them."""

from __future__ import annotations

import time
from collections.abc import Callable

import anyio
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

JSON_LIMIT = 256 * 1024
"""Bytes of any other body."""
FORM_ROUTE = "/api/messages"
DRAIN_LIMIT = 256 * 1024 * 1024
DRAIN_SECONDS = 20.0
PAUSE_SECONDS = 20.0  # the longest silence within a body


class _TooLarge(Exception):
    pass


class _TooSlow(Exception):
    pass


class BodySizeLimit:
    """Refuses a body over its route's limit, and one that stalls, without keeping any of it.

    The response is sent at once. What is left of a form is discarded for a while before the
    connection closes: a browser that is cut off while sending never reads the response.
    """

    def __init__(
        self, app: ASGIApp, refusal: Callable[[HTTPConnection], Response], upload_bytes: int
    ) -> None:
        self._app = app
        self._refusal = refusal
        self._form = form_limit(upload_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on while its body stays within the limit."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = body_limit(scope["method"], scope["path"], self._form)
        if _declares_more_than(Headers(scope=scope), limit):
            await self._refuse(scope, receive, send, drain=limit == self._form)
            return
        try:
            await self._app(scope, _limited(receive, limit), send)
        except _TooLarge:
            await self._refuse(scope, receive, send, drain=limit == self._form)
        except _TooSlow:
            await _respond(Response(status_code=408), send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, *, drain: bool) -> None:
        response = self._refusal(HTTPConnection(scope))
        await _start(response, send)
        if drain:
            await _drain(receive)
        await send({"type": "http.response.body", "body": b""})


def form_limit(upload_bytes: int) -> int:
    """The most bytes of one form: a picture, its mask, and the text."""
    return 2 * upload_bytes + 256 * 1024


def body_limit(method: str, path: str, form: int) -> int:
    """The most bytes that a request may have as its body: none where no route reads one."""
    if method != "POST" or not path.startswith("/api/"):
        return 0
    return form if path == FORM_ROUTE else JSON_LIMIT


def _declares_more_than(headers: Headers, limit: int) -> bool:
    declared = headers.get("content-length", "0")
    if not declared.isdigit() or int(declared) > limit:
        return True
    return limit == 0 and "transfer-encoding" in headers


def _limited(receive: Receive, limit: int) -> Receive:
    received, complete = 0, False

    async def limited() -> Message:
        nonlocal received, complete
        if complete:  # what follows is the disconnection, which may come much later
            return await receive()
        try:
            with anyio.fail_after(PAUSE_SECONDS):
                message = await receive()
        except TimeoutError:
            raise _TooSlow from None
        received += len(message.get("body", b""))
        complete = not message.get("more_body", False)
        if received > limit:
            raise _TooLarge
        return message

    return limited


async def _start(response: Response, send: Send) -> None:
    headers = [*response.raw_headers, (b"connection", b"close")]
    start = {"type": "http.response.start", "status": response.status_code, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": response.body, "more_body": True})


async def _respond(response: Response, send: Send) -> None:
    await _start(response, send)
    await send({"type": "http.response.body", "body": b""})


async def _drain(receive: Receive) -> None:
    discarded, until = 0, time.monotonic() + DRAIN_SECONDS
    while discarded < DRAIN_LIMIT and time.monotonic() < until:
        message = await receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return
        discarded += len(message.get("body", b""))
