"""Work by key: once, acknowledged in time, and again only where it failed."""

from __future__ import annotations

import asyncio

import pytest

from bots.slack.once import Accepted, Once


async def test_the_same_key_runs_once_even_at_the_same_moment() -> None:
    runs = 0

    async def work(accepted: Accepted) -> None:
        nonlocal runs
        runs += 1
        await asyncio.sleep(0.01)
        accepted.set()

    once = Once()
    await asyncio.gather(*(once.run("k", work) for _ in range(5)))
    await once.run("k", work)
    assert runs == 1
    await once.run("other", work)
    assert runs == 2


async def test_it_may_be_acknowledged_as_soon_as_it_is_in_the_record() -> None:
    shown = asyncio.Event()

    async def work(accepted: Accepted) -> None:
        accepted.set()
        await shown.wait()

    once = Once(grace=60)
    await asyncio.wait_for(once.run("k", work), 5)
    shown.set()
    await once.close()


async def test_slow_work_is_acknowledged_after_the_grace_and_goes_on() -> None:
    ended = asyncio.Event()
    go_on = asyncio.Event()

    async def work(_accepted: Accepted) -> None:
        await go_on.wait()
        ended.set()

    once = Once(grace=0.01)
    await asyncio.wait_for(once.run("k", work), 5)
    assert not ended.is_set()
    go_on.set()
    await asyncio.wait_for(ended.wait(), 5)


async def test_what_failed_before_the_record_is_not_acknowledged_and_may_come_again() -> None:
    tries = 0

    async def work(accepted: Accepted) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise OSError("the record is away")
        accepted.set()

    once = Once()
    with pytest.raises(OSError, match="away"):
        await once.run("k", work)
    await once.run("k", work)
    assert tries == 2
