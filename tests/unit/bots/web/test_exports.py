"""A download of an export that nobody reads on ends, and gives its turn back."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import Message

from bots.core.command_handler import CommandHandler
from bots.web import exports
from bots.web.exports import ExportRoutes
from imaging.profiles import profile_for
from tests.browser.visitor import persona
from tests.client_double import client_double


class Source:
    """An endless export, and whether it was closed."""

    closed = False

    async def stream(self, _member: object) -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"chunk"
        finally:
            self.closed = True


def app_of(source: Source) -> Starlette:
    client: Any = client_double()
    client.exports.is_running.return_value = False
    client.exports.stream = source.stream
    return Starlette(routes=ExportRoutes(CommandHandler(client, profile_for, "postcard")).routes())


SCOPE = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.3"},
    "http_version": "1.1",
    "method": "GET",
    "path": "/api/export",
    "raw_path": b"/api/export",
    "root_path": "",
    "scheme": "http",
    "query_string": b"",
    "headers": [(b"atelier-member", persona("ann").encode())],
    "client": ("127.0.0.1", 1),
    "server": ("127.0.0.1", 2),
}


async def test_download_that_nobody_reads_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "STALL_SECONDS", 0.05)
    source, sent = Source(), 0

    async def send(message: Message) -> None:
        nonlocal sent
        sent += 1
        if sent > 3:
            await anyio.sleep_forever()

    async def receive() -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    await app_of(source)(dict(SCOPE), receive, send)
    assert sent == 4
    assert source.closed


async def test_aborted_download_gives_its_turn_back() -> None:
    source, gone = Source(), anyio.Event()

    async def send(message: Message) -> None:
        if message.get("body"):
            gone.set()
            await anyio.sleep_forever()

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    await app_of(source)(dict(SCOPE), receive, send)
    assert source.closed


async def test_second_export_and_too_frequent_ones_are_refused() -> None:
    client: Any = client_double()
    client.exports.is_running.return_value = True
    handler = CommandHandler(client, profile_for, "postcard")
    transport = httpx.ASGITransport(Starlette(routes=ExportRoutes(handler).routes()))

    async def codes() -> AsyncIterator[str]:
        headers = {"Atelier-Member": persona("ann")}
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
            for _ in range(4):
                yield (await http.get("/api/export", headers=headers)).json()["code"]

    assert [code async for code in codes()] == ["export-running"] * 3 + ["rate-limited"]
