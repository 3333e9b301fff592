"""The feed of live events, through losses that are made on purpose."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from unittest.mock import create_autospec
from uuid import uuid4

import anyio
import pytest
from anyio.streams.memory import MemoryObjectReceiveStream
from redis.exceptions import ConnectionError as RedisGone

from bots.web import live
from bots.web.live import Feed, Happening, NobodyThere, Whisper
from imaging.request import ImageRequest, Operation
from tasks.client import Client, Unavailable
from tasks.job import EventKind, Job, JobEvent, JobState, Order
from tasks.members import Member, Place
from tasks.tiers import Tier

REQUEST = ImageRequest(Operation.IMAGINE, "a red house", "postcard", 64, 64, 7)
ADA = Member("web", "playground", "ada")
ORDER = Order("key", "imagine", ADA, Place("web", "p", "c"), REQUEST)


def a_job(state: JobState = JobState.QUEUED) -> Job:
    return Job(uuid4(), ORDER, Tier.FREE, state, 0, 1.0, datetime(2026, 1, 1, tzinfo=UTC))


def an_event(job: Job, kind: EventKind, step: int = 0) -> JobEvent:
    return JobEvent(kind, job.id, "web", "c", job.state, "steps", step, 8)


async def told_by(stream: MemoryObjectReceiveStream[Happening | Whisper]) -> Happening:
    told = await stream.receive()
    assert isinstance(told, Happening)
    return told


class Silence:
    """A bus on which nothing happens."""

    def __aiter__(self) -> Silence:
        return self

    async def __anext__(self) -> JobEvent:
        await anyio.sleep_forever()
        raise AssertionError


def client_of(
    job: Job, events: Callable[[], AsyncIterator[JobEvent]] | None = None
) -> tuple[Client, dict[str, Job]]:
    """A client whose record holds one job, which the test may change."""
    record = {"job": job}
    client = create_autospec(Client, instance=True, spec_set=True)
    client.job.side_effect = lambda _id: record["job"]
    client.events.side_effect = lambda _platform: events() if events else Silence()
    return client, record


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "ROUND_SECONDS", 0.01)
    monkeypatch.setattr(live, "BACK_OFF_SECONDS", 0.01)


async def test_an_event_that_was_lost_is_made_up_for_from_the_record() -> None:
    job = a_job()
    client, record = client_of(job)
    feed = Feed(client)
    async with anyio.create_task_group() as group, feed.subscribe(ADA) as happenings:
        group.start_soon(feed.run)
        feed.watch(job)
        record["job"] = replace(job, state=JobState.DONE)
        with anyio.fail_after(10):
            assert (await told_by(happenings)).job.state is JobState.DONE
        group.cancel_scope.cancel()


async def test_steps_are_told_with_the_job_they_belong_to() -> None:
    job = a_job(JobState.RUNNING)

    async def events() -> AsyncIterator[JobEvent]:
        yield an_event(job, EventKind.PROGRESS, step=3)
        await anyio.sleep_forever()

    client, _ = client_of(job, events)
    feed = Feed(client)
    async with anyio.create_task_group() as group, feed.subscribe(ADA) as happenings:
        group.start_soon(feed.run)
        with anyio.fail_after(10):
            assert (await told_by(happenings)).event is None  # first the job itself
            told = await told_by(happenings)
        assert (told.job, told.event and told.event.step) == (job, 3)
        group.cancel_scope.cancel()


@pytest.mark.parametrize("fault", [RedisGone("gone"), OSError("reset"), Unavailable("down")])
async def test_a_bus_that_breaks_is_listened_to_again(fault: Exception) -> None:
    job = a_job()
    lives = 0

    async def events() -> AsyncIterator[JobEvent]:
        nonlocal lives
        lives += 1
        if lives < 3:
            raise fault
        yield an_event(job, EventKind.ENDED)
        await anyio.sleep_forever()

    client, _ = client_of(job, events)
    feed = Feed(client)
    async with anyio.create_task_group() as group, feed.subscribe(ADA) as happenings:
        group.start_soon(feed.run)
        with anyio.fail_after(10):
            assert (await told_by(happenings)).job.id == job.id
        group.cancel_scope.cancel()
    assert lives == 3


async def test_a_record_that_is_away_is_read_again() -> None:
    job = a_job()
    client, record = client_of(job)
    answers = iter([Unavailable("down"), Unavailable("down")])

    def away_at_first(_id: object) -> Job:
        for fault in answers:
            raise fault
        return record["job"]

    client.job.side_effect = away_at_first  # type: ignore[attr-defined]
    feed = Feed(client)
    async with anyio.create_task_group() as group, feed.subscribe(ADA) as happenings:
        group.start_soon(feed.run)
        feed.watch(job)
        record["job"] = replace(job, state=JobState.RUNNING)
        with anyio.fail_after(10):
            assert (await told_by(happenings)).job.state is JobState.RUNNING
        group.cancel_scope.cancel()


async def test_a_page_that_lags_is_let_go_and_holds_nobody_up() -> None:
    job = a_job()
    client, _ = client_of(job)
    feed = Feed(client)
    async with feed.subscribe(ADA) as slow, feed.subscribe(ADA) as quick:
        for _ in range(live.BUFFER + 1):
            await feed.refresh(job.id)
            await quick.receive()
        told = [happening async for happening in slow]
        assert len(told) == live.BUFFER
        await feed.refresh(job.id)
        assert (await told_by(quick)).job == job


async def test_closing_ends_every_stream() -> None:
    client, _ = client_of(a_job())
    feed = Feed(client)
    async with feed.subscribe(ADA) as happenings:
        feed.close()
        with anyio.fail_after(10):
            assert [each async for each in happenings] == []


async def test_a_whisper_reaches_every_page_of_one_member_alone() -> None:
    ben = Member("web", "playground", "ben")
    client, _ = client_of(a_job())
    feed = Feed(client)
    with pytest.raises(NobodyThere):
        feed.whisper(ADA, "it is your turn")
    async with feed.subscribe(ADA) as one, feed.subscribe(ADA) as two, feed.subscribe(ben) as other:
        feed.whisper(ADA, "it is your turn")
        feed.close()
        assert [each async for each in one] == [Whisper("it is your turn")]
        assert [each async for each in two] == [Whisper("it is your turn")]
        assert [each async for each in other] == []
