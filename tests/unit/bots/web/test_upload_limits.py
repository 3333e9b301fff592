"""A body that stalls is ended, whatever route reads it."""

from __future__ import annotations

import anyio
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from bots.web import upload_limits
from bots.web.upload_limits import BodySizeLimit

SCOPE = {"type": "http", "method": "POST", "path": "/api/messages", "headers": []}


async def read_whole(scope: Scope, receive: Receive, send: Send) -> None:
    """A route that reads its body."""
    await Response(await Request(scope, receive).body())(scope, receive, send)


async def answer_to(*parts: Message) -> int:
    """The status of a request that stops after these messages."""
    waiting, sent = list(parts), list[Message]()

    async def receive() -> Message:
        if not waiting:
            await anyio.sleep_forever()
        return waiting.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    limit = BodySizeLimit(read_whole, lambda _connection: Response(status_code=413), 1000)
    await limit(dict(SCOPE), receive, send)
    return int(sent[0]["status"])


def part(size: int, *, more: bool) -> Message:
    return {"type": "http.request", "body": bytes(size), "more_body": more}


async def test_body_that_stalls_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_limits, "PAUSE_SECONDS", 0.05)
    assert await answer_to(part(10, more=True)) == 408
    assert await answer_to() == 408


async def test_whole_body_within_the_limit_is_read() -> None:
    assert await answer_to(part(10, more=True), part(10, more=False)) == 200
