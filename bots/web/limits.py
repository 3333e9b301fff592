"""How large a request may be: judged by its announced length, and again while it comes in."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

UPLOAD_LIMIT = 20 * 1024 * 1024
"""Bytes of one picture that can be sent: the reference or source, or the mask."""
BODY_LIMIT = 2 * UPLOAD_LIMIT + 256 * 1024
"""Bytes of one request: a picture, its mask, and the words."""
DRAIN_LIMIT = 256 * 1024 * 1024
DRAIN_SECONDS = 20.0


class _TooLarge(Exception):
    pass


class BodyLimit:
    """Refuses a body over the limit with one clear answer, without keeping any of it.

    The answer is sent at once. What still comes is thrown away for a while before the connection is
    closed: a browser that is cut off in the middle of sending never reads the answer.
    """

    def __init__(
        self, app: ASGIApp, limit: int, refusal: Callable[[HTTPConnection], Response]
    ) -> None:
        self._app = app
        self._limit = limit
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, passed on while it stays within the limit."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdigit() and int(announced) > self._limit:
            await self._refuse(scope, receive, send)
            return
        try:
            await self._app(scope, self._counting(receive), send)
        except _TooLarge:
            await self._refuse(scope, receive, send)

    def _counting(self, receive: Receive) -> Receive:
        come = 0

        async def counting() -> Message:
            nonlocal come
            message = await receive()
            come += len(message.get("body", b""))
            if come > self._limit:
                raise _TooLarge
            return message

        return counting

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = self._refusal(HTTPConnection(scope))
        headers = [*response.raw_headers, (b"connection", b"close")]
        start = {"type": "http.response.start", "status": 413, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": response.body, "more_body": True})
        await _drain(receive)
        await send({"type": "http.response.body", "body": b""})


async def _drain(receive: Receive) -> None:
    thrown, until = 0, time.monotonic() + DRAIN_SECONDS
    while thrown < DRAIN_LIMIT and time.monotonic() < until:
        message = await receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return
        thrown += len(message.get("body", b""))
