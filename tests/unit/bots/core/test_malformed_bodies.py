"""A body that turns out to be malformed gets one answer, and no error is logged."""

from __future__ import annotations

import asyncio
import logging

import pytest
from starlette.types import Receive, Scope, Send

from bots.core.http_server import HttpServer

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers without reading the body."""
    await send({"type": "http.response.start", "status": 413, "headers": []})
    await send({"type": "http.response.body", "body": b"too large"})


async def reading(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers once it has the whole body, or the client is gone."""
    while (await receive()).get("more_body"):
        pass
    await refusing(scope, receive, send)


@pytest.mark.parametrize("app", [refusing, reading])
@pytest.mark.parametrize("body", [b"nonsense\r\n", b"5\r\nhello\r\nxyz\r\n"])
async def test_malformed_body_gets_one_answer(
    app: object, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    ready = asyncio.Event()
    server = HttpServer(app, host="127.0.0.1", port=0, on_ready=ready.set)  # type: ignore[arg-type]
    serving = asyncio.create_task(server.serve())
    await ready.wait()
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD + body)
    answer = await reader.read()
    writer.close()
    server.should_exit = True
    await serving
    assert answer.startswith(b"HTTP/1.1 4")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
