"""Stored pictures become files of a message a few at a time, however many members ask."""

from __future__ import annotations

import asyncio
import threading
import time
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest

from bots.discord import attachments
from bots.discord.attachments import MAX_DECODING, PictureFiles
from imaging.formats import Encoded


async def test_few_pictures_are_decoded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lock, running, most = threading.Lock(), 0, 0

    def thumbnail(data: bytes, side: int) -> Encoded:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1
        return Encoded(data, "image/webp", side, side)

    async def read_blob(_name: str) -> bytes:
        return b"picture"

    monkeypatch.setattr(attachments, "thumbnail", thumbnail)
    client = cast("Any", SimpleNamespace(pictures=SimpleNamespace(read_blob=read_blob)))
    picture = cast(
        "Any", SimpleNamespace(blob="pictures/a", flagged=False, id=uuid4(), instruction="a cat")
    )
    files = PictureFiles(client, 1000)
    lists = await asyncio.gather(*(files.thumbnails([picture] * 3) for _ in range(20)))
    assert [len(each) for each in lists] == [3] * 20
    assert most == MAX_DECODING
