"""The broadcaster of live events, with simulated faults."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import anyio
import pytest
from anyio.streams.memory import MemoryObjectReceiveStream
from redis.exceptions import ConnectionError as RedisGone

from bots.web import event_stream
from bots.web.event_stream import EventBroadcaster, JobUpdate, NoOpenPage, Notice
from imaging.request import ImageRequest, Operation
from tasks.client import Client, Unavailable
from tasks.jobs.job import EventKind, Job, JobEvent, Order
from tasks.jobs.members import Member, Place
from tasks.jobs.states import JobState
from tasks.jobs.tiers import Tier
from tests.client_double import client_double

REQUEST = ImageRequest(Operation.IMAGINE, "a red house", "postcard", 64, 64, 7)
ADA = Member("web", "playground", "ada")
ORDER = Order("key", "imagine", ADA, Place("web", "p", "c"), REQUEST)


def make_job(state: JobState = JobState.QUEUED) -> Job:
    return Job(uuid4(), ORDER, Tier.FREE, state, 0, 1.0, datetime(2026, 1, 1, tzinfo=UTC))


def make_event(job: Job, kind: EventKind, step: int = 0) -> JobEvent:
    return JobEvent(kind, job.id, "web", "c", job.state, "steps", step, 8)


async def next_update(stream: MemoryObjectReceiveStream[JobUpdate | Notice]) -> JobUpdate:
    update = await stream.receive()
    assert isinstance(update, JobUpdate)
    return update


class SilentEvents:
    """A subscription without events."""

    def __aiter__(self) -> SilentEvents:
        return self

    async def __anext__(self) -> JobEvent:
        await anyio.sleep_forever()
        raise AssertionError


def client_with_job(
    job: Job, events: Callable[[], AsyncIterator[JobEvent]] | None = None
) -> tuple[Client, dict[str, Job]]:
    """A client whose database has one job, which the test may change."""
    record = {"job": job}
    client = client_double()
    client.jobs.read.side_effect = lambda _id: record["job"]
    client.jobs.events.side_effect = lambda _platform: events() if events else SilentEvents()
    return client, record


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(event_stream, "RECONNECT_SECONDS", 0.01)


async def test_lost_event_is_recovered_from_database() -> None:
    job = make_job()
    client, record = client_with_job(job)
    broadcaster = EventBroadcaster(client)
    async with anyio.create_task_group() as group, broadcaster.subscribe(ADA) as updates:
        group.start_soon(broadcaster.run)
        broadcaster.watch(job)
        record["job"] = replace(job, state=JobState.DONE)
        with anyio.fail_after(10):
            assert (await next_update(updates)).job.state is JobState.DONE
        group.cancel_scope.cancel()


async def test_progress_comes_with_its_job() -> None:
    job = make_job(JobState.RUNNING)

    async def events() -> AsyncIterator[JobEvent]:
        yield make_event(job, EventKind.PROGRESS, step=3)
        await anyio.sleep_forever()

    client, _ = client_with_job(job, events)
    broadcaster = EventBroadcaster(client)
    async with anyio.create_task_group() as group, broadcaster.subscribe(ADA) as updates:
        group.start_soon(broadcaster.run)
        with anyio.fail_after(10):
            assert (await next_update(updates)).event is None  # the job comes first
            update = await next_update(updates)
        assert (update.job, update.event and update.event.step) == (job, 3)
        group.cancel_scope.cancel()


@pytest.mark.parametrize("fault", [RedisGone("gone"), OSError("reset"), Unavailable("down")])
async def test_event_subscription_reconnects_after_fault(fault: Exception) -> None:
    job = make_job()
    subscriptions = 0

    async def events() -> AsyncIterator[JobEvent]:
        nonlocal subscriptions
        subscriptions += 1
        if subscriptions < 3:
            raise fault
        yield make_event(job, EventKind.ENDED)
        await anyio.sleep_forever()

    client, _ = client_with_job(job, events)
    broadcaster = EventBroadcaster(client)
    async with anyio.create_task_group() as group, broadcaster.subscribe(ADA) as updates:
        group.start_soon(broadcaster.run)
        with anyio.fail_after(10):
            assert (await next_update(updates)).job.id == job.id
        group.cancel_scope.cancel()
    assert subscriptions == 3


async def test_poll_continues_after_database_outage() -> None:
    job = make_job()
    client, record = client_with_job(job)
    answers = iter([Unavailable("down"), Unavailable("down")])

    def fail_at_first(_id: object) -> Job:
        for fault in answers:
            raise fault
        return record["job"]

    client.jobs.read.side_effect = fail_at_first  # type: ignore[attr-defined]
    broadcaster = EventBroadcaster(client)
    async with anyio.create_task_group() as group, broadcaster.subscribe(ADA) as updates:
        group.start_soon(broadcaster.run)
        broadcaster.watch(job)
        record["job"] = replace(job, state=JobState.RUNNING)
        with anyio.fail_after(10):
            assert (await next_update(updates)).job.state is JobState.RUNNING
        group.cancel_scope.cancel()


async def test_lagging_page_is_disconnected_without_delaying_others() -> None:
    job = make_job()
    client, _ = client_with_job(job)
    broadcaster = EventBroadcaster(client)
    async with broadcaster.subscribe(ADA) as slow, broadcaster.subscribe(ADA) as quick:
        for _ in range(event_stream.BUFFERED_UPDATES + 1):
            await broadcaster.refresh(job.id)
            await quick.receive()
        received = [update async for update in slow]
        assert len(received) == event_stream.BUFFERED_UPDATES
        await broadcaster.refresh(job.id)
        assert (await next_update(quick)).job == job


async def test_close_ends_every_stream() -> None:
    client, _ = client_with_job(make_job())
    broadcaster = EventBroadcaster(client)
    async with broadcaster.subscribe(ADA) as updates:
        broadcaster.close()
        with anyio.fail_after(10):
            assert [each async for each in updates] == []


async def test_notice_reaches_only_the_members_pages() -> None:
    ben = Member("web", "playground", "ben")
    client, _ = client_with_job(make_job())
    broadcaster = EventBroadcaster(client)
    with pytest.raises(NoOpenPage):
        broadcaster.notify(ADA, "it is your turn")
    async with (
        broadcaster.subscribe(ADA) as one,
        broadcaster.subscribe(ADA) as two,
        broadcaster.subscribe(ben) as other,
    ):
        broadcaster.notify(ADA, "it is your turn")
        broadcaster.close()
        assert [each async for each in one] == [Notice("it is your turn")]
        assert [each async for each in two] == [Notice("it is your turn")]
        assert [each async for each in other] == []
