"""A file is not read beyond the limit, whatever its sender says of its size."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from bots.discord import file_download
from bots.discord.file_download import FileDownloader, FileRefused

LIMIT = 2 * 2**20


@pytest.fixture
async def origin() -> AsyncIterator[str]:
    """A host with a file that never ends, and a redirect to it."""

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(bytes(65536))

    async def elsewhere(_request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/endless")

    app = web.Application()
    app.router.add_get("/endless", endless)
    app.router.add_get("/elsewhere", elsewhere)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()


async def refusal_of(origin: str, path: str) -> str:
    async with aiohttp.ClientSession() as session:
        downloader = FileDownloader(session, frozenset({origin}), LIMIT)
        with pytest.raises(FileRefused) as refused:
            await downloader.fetch(f"{origin}{path}")
    return refused.value.reason.code


async def test_endless_file_is_too_large(origin: str) -> None:
    assert await refusal_of(origin, "/endless") == "picture-too-large"


async def test_redirect_is_not_followed(origin: str) -> None:
    assert await refusal_of(origin, "/elsewhere") == "file-not-allowed"


async def test_slow_file_is_given_up(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_download, "TIMEOUT", aiohttp.ClientTimeout(total=0.001))
    assert await refusal_of(origin, "/endless") == "file-gone"
