"""The decoder's process: its limits, and that nothing of it reaches the bot."""

from __future__ import annotations

import os
import time

import anyio
import pytest

from bots.core import image_decoder
from bots.core.image_decoder import DecoderBusy, ImageDecoder
from imaging.errors import NotAPicture, PictureTooLarge
from imaging.formats import Encoded


def echo(data: bytes) -> Encoded:
    return Encoded(data, str(os.getpid()), 1, 1)


def refuse(_data: bytes) -> Encoded:
    raise NotAPicture("no picture", side=7)


def crash(_data: bytes) -> Encoded:
    os._exit(11)


def hoard(_data: bytes) -> Encoded:
    bytes(2 * image_decoder.MEMORY_BYTES)  # succeeds where there is no limit: nothing is written
    return Encoded(b"", "", 1, 1)


def dawdle(_data: bytes) -> Encoded:
    time.sleep(600)
    raise AssertionError


async def test_decoding_happens_in_another_process() -> None:
    decoder = ImageDecoder()
    first, second = await decoder.run(echo, b"x"), await decoder.run(echo, b"y")
    assert (first.data, second.data) == (b"x", b"y")
    assert first.mime == second.mime != str(os.getpid())  # one process, used again


async def test_refusal_crosses_the_process_with_its_details() -> None:
    with pytest.raises(NotAPicture, match="no picture") as refused:
        await ImageDecoder().run(refuse, b"")
    assert refused.value.details == {"side": 7}


async def test_crash_is_a_refusal_and_the_next_file_is_decoded() -> None:
    decoder = ImageDecoder()
    with pytest.raises(NotAPicture):
        await decoder.run(crash, b"")
    assert (await decoder.run(echo, b"x")).data == b"x"


async def test_memory_is_limited() -> None:
    with pytest.raises(PictureTooLarge):
        await ImageDecoder().run(hoard, b"")


async def test_time_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_decoder, "SECONDS", 0.5)
    decoder = ImageDecoder()
    with pytest.raises(PictureTooLarge):
        await decoder.run(dawdle, b"")
    monkeypatch.setattr(image_decoder, "SECONDS", 60.0)
    assert (await decoder.run(echo, b"x")).data == b"x"


async def test_files_are_decoded_one_at_a_time() -> None:
    decoder, pids = ImageDecoder(), set()

    async def decode() -> None:
        pids.add((await decoder.run(echo, b"x")).mime)

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(decode)
    assert len(pids) == 1


async def test_files_beyond_the_waiting_ones_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_decoder, "MAX_WAITING", 2)
    decoder, refused = ImageDecoder(), 0

    async def decode() -> None:
        nonlocal refused
        try:
            await decoder.run(echo, b"x")
        except DecoderBusy:
            refused += 1

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(decode)
    assert refused == 7
