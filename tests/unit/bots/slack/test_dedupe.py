"""Deduplication: each key runs once, is acknowledged in time, and is retried after a failure."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from cachetools import LRUCache

from bots.slack import dedupe
from bots.slack.dedupe import Accepted, Deduplicator
from tests.records import assert_records_are_immutable


async def test_concurrent_runs_of_one_key_run_once() -> None:
    runs = 0

    async def work(accepted: Accepted) -> None:
        nonlocal runs
        runs += 1
        await asyncio.sleep(0.01)
        accepted.set()

    deduplicator = Deduplicator()
    await asyncio.gather(*(deduplicator.run("k", work) for _ in range(5)))
    await deduplicator.run("k", work)
    assert runs == 1
    await deduplicator.run("other", work)
    assert runs == 2


async def test_accepted_work_is_acknowledged_before_it_finishes() -> None:
    shown = asyncio.Event()

    async def work(accepted: Accepted) -> None:
        accepted.set()
        await shown.wait()

    deduplicator = Deduplicator(grace=60)
    async with asyncio.timeout(5):
        await deduplicator.run("k", work)
    shown.set()
    await deduplicator.close()


async def test_slow_work_is_acknowledged_after_the_grace_and_continues() -> None:
    ended = asyncio.Event()
    go_on = asyncio.Event()

    async def work(_accepted: Accepted) -> None:
        await go_on.wait()
        ended.set()

    deduplicator = Deduplicator(grace=0.01)
    async with asyncio.timeout(5):
        await deduplicator.run("k", work)
    assert not ended.is_set()
    go_on.set()
    async with asyncio.timeout(5):
        await ended.wait()


async def test_work_that_failed_before_acceptance_can_run_again() -> None:
    attempts = 0

    async def work(accepted: Accepted) -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise OSError("the database is unavailable")
        accepted.set()

    deduplicator = Deduplicator()
    with pytest.raises(OSError, match="unavailable"):
        await deduplicator.run("k", work)
    await deduplicator.run("k", work)
    assert attempts == 2


def test_records_have_slots() -> None:
    assert_records_are_immutable(dedupe, mutable=(Deduplicator,))


def test_acknowledgement_comes_a_second_before_slacks_deadline() -> None:
    assert Deduplicator().grace == 2.0


class Counter:
    """Work that is accepted at once, and counts its runs."""

    def __init__(self) -> None:
        self.runs = 0

    async def __call__(self, accepted: Accepted) -> None:
        self.runs += 1
        accepted.set()


async def test_newest_keys_are_remembered_and_the_oldest_dropped() -> None:
    """A redelivery of the newest key does not run again, however many ran before it."""
    deduplicator = Deduplicator(_finished=LRUCache(2))
    works = [Counter() for _ in range(3)]
    for number, work in enumerate(works):
        await deduplicator.run(str(number), work)
        await asyncio.sleep(0)  # the end of the work is recorded
    for number in (2, 1):
        await deduplicator.run(str(number), works[number])
        assert works[number].runs == 1
    await deduplicator.run("0", works[0])
    assert works[0].runs == 2


async def test_thousands_of_keys_are_remembered() -> None:
    deduplicator, work = Deduplicator(), Counter()
    for number in range(4096):
        await deduplicator.run(str(number), work)
        await asyncio.sleep(0)
    await deduplicator.run("0", work)
    assert work.runs == 4096
    await deduplicator.run("newest", work)
    await asyncio.sleep(0)
    await deduplicator.run("1", work)  # the key that was not asked for longest
    assert work.runs == 4098


async def test_running_key_is_not_dropped() -> None:
    go_on, runs = asyncio.Event(), 0

    async def slow(accepted: Accepted) -> None:
        nonlocal runs
        runs += 1
        accepted.set()
        await go_on.wait()

    deduplicator = Deduplicator(_finished=LRUCache(1))
    await deduplicator.run("slow", slow)
    for number in range(5):
        await deduplicator.run(str(number), Counter())
    await deduplicator.run("slow", slow)
    assert runs == 1
    go_on.set()
    await deduplicator.close()


async def test_failure_after_acceptance_is_not_raised_and_the_key_may_run_again() -> None:
    runs = 0

    async def fails_late(accepted: Accepted) -> None:
        nonlocal runs
        runs += 1
        accepted.set()
        await asyncio.sleep(0)
        raise OSError("the message is gone")

    deduplicator = Deduplicator()
    await deduplicator.run("k", fails_late)
    await deduplicator.close()
    await deduplicator.run("k", fails_late)
    assert runs == 2
    await deduplicator.close()


async def test_cancelled_work_may_run_again() -> None:
    deduplicator = Deduplicator(grace=0.01)
    never = asyncio.Event()

    async def stuck(_accepted: Accepted) -> None:
        await never.wait()

    await deduplicator.run("k", stuck)
    await deduplicator.close()
    await asyncio.sleep(0)
    work = Counter()
    await deduplicator.run("k", work)
    assert work.runs == 1


async def test_work_that_ends_without_acceptance_is_acknowledged() -> None:
    async def nothing(_accepted: Accepted) -> None:
        pass

    async with asyncio.timeout(5):
        await Deduplicator(grace=60).run("k", nothing)


async def test_close_lets_running_work_finish() -> None:
    ended = False

    async def soon(accepted: Accepted) -> None:
        nonlocal ended
        accepted.set()
        await asyncio.sleep(0.01)
        ended = True

    deduplicator = Deduplicator(grace=60)
    await deduplicator.run("k", soon)
    async with asyncio.timeout(5):
        await deduplicator.close()
    assert ended


async def test_close_cancels_work_that_outlasts_the_grace() -> None:
    cancelled = asyncio.Event()

    async def stuck(accepted: Accepted) -> None:
        accepted.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    deduplicator = Deduplicator(grace=0.01)
    await deduplicator.run("k", stuck)
    await deduplicator.close()
    async with asyncio.timeout(5):
        await cancelled.wait()


async def test_close_without_work_does_nothing() -> None:
    await Deduplicator().close()


async def test_failed_run_that_was_started_again_stays_the_running_one() -> None:
    """The second run begins in the step after the first one's end, before that is recorded."""
    runs = 0
    go_on, finish = asyncio.Event(), asyncio.Event()
    errors: list[dict[str, Any]] = []  # of callbacks, which the loop would only log
    asyncio.get_running_loop().set_exception_handler(lambda _loop, error: errors.append(error))
    deduplicator = Deduplicator()

    async def fails(_accepted: Accepted) -> None:
        await go_on.wait()
        raise OSError("the database is unavailable")

    async def work(accepted: Accepted) -> None:
        nonlocal runs
        runs += 1
        accepted.set()
        await finish.wait()

    async def again() -> None:
        await go_on.wait()
        await deduplicator.run("k", work)

    first = asyncio.create_task(deduplicator.run("k", fails))
    await asyncio.sleep(0)  # `run` has begun
    await asyncio.sleep(0)  # its work waits
    second = asyncio.create_task(again())
    await asyncio.sleep(0)  # waits behind the work, and goes on in the same turn of the loop
    go_on.set()
    await second
    with pytest.raises(OSError, match="unavailable"):
        await first
    await deduplicator.run("k", work)
    assert runs == 1
    finish.set()
    await deduplicator.close()
    assert errors == []
