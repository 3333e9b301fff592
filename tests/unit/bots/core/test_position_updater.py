"""Position updates: only changed texts, never over a message the publisher has begun."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import anyio

from bots.core.position_updater import MessageGone, PositionUpdater
from bots.core.reply import Card
from tasks.client import Unavailable
from tasks.jobs.job import Estimate, Job, Pressure, QueuePosition, Reason
from tasks.jobs.states import JobState
from tasks.jobs.tiers import Tier
from tests.unit.bots.core.conftest import a_job


class Record:
    """The queued jobs, changed by the test between updates."""

    def __init__(self, client: Any, *jobs: Job) -> None:
        self.jobs = {job.id: job for job in jobs}
        client.jobs.edit_fence.side_effect = self.fence
        client.jobs.waiting.side_effect = self.waiting
        client.jobs.read.side_effect = self.read

    async def waiting(self, _platform: str) -> list[Job]:
        return list(self.jobs.values())

    async def read(self, id_: UUID) -> Job | None:
        return self.jobs.get(id_)

    @asynccontextmanager
    async def fence(self, id_: UUID) -> AsyncIterator[Job | None]:
        job = self.jobs.get(id_)
        yield job if job and job.state is JobState.QUEUED else None


def waiting(position: int, **changes: Any) -> Job:
    return a_job(line=QueuePosition(position, None), placeholder={"message": "m"}, **changes)


async def rounds(updater: PositionUpdater, until: Callable[[], bool]) -> None:
    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(updater.run)
            while not until():  # noqa: ASYNC110 - what is waited for is set by plain code
                await anyio.sleep(0.001)
            tasks.cancel_scope.cancel()


def updater(client: Any, show: Any) -> PositionUpdater:
    return PositionUpdater(client, "web", show, pause=0, round_pause=0)


async def test_message_is_edited_only_when_its_text_changes(client: Any) -> None:
    job = waiting(3)
    record, shown = Record(client, job), []

    async def show(card: Card) -> None:
        shown.append(card.text)
        if len(shown) == 1:
            record.jobs[job.id] = replace(job, line=QueuePosition(2, None))

    line = updater(client, show)
    line.follow(job)
    record.jobs[job.id] = waiting(4, id=job.id)
    await rounds(line, lambda: len(shown) == 2 and client.jobs.edit_fence.call_count > 10)
    assert shown == ["4th in line", "2nd in line"]


async def test_started_job_is_no_longer_updated(client: Any) -> None:
    job = waiting(1)
    record, shown = Record(client, job), []

    async def show(card: Card) -> None:
        shown.append(card.text)

    line = updater(client, show)
    record.jobs[job.id] = replace(job, state=JobState.RUNNING)
    line.follow(job)
    await rounds(line, lambda: client.jobs.edit_fence.call_count >= 1)
    assert shown == []
    assert job.id not in line._texts


async def test_job_cancelled_in_line_is_shown_so_once(client: Any) -> None:
    """Somebody has cancelled it by a command, not by the button of the message."""
    job = waiting(2)
    record, shown = Record(client, job), []

    async def show(card: Card) -> None:
        shown.append((card.text, card.buttons))

    line = updater(client, show)
    line.follow(job)
    record.jobs[job.id] = replace(
        job, state=JobState.CANCELLED, reason=Reason("cancelled"), line=None
    )
    await rounds(line, lambda: bool(shown))
    await line._update_all()
    assert [text for text, _ in shown] == ["Cancelled. Nothing was charged."]
    assert job.id not in line._texts


async def test_job_whose_end_is_shown_is_forgotten(client: Any) -> None:
    """Its button shows the end while the updater waits for the message's lock."""
    job = waiting(2)
    record, shown = Record(client, job), []

    async def show(card: Card) -> None:
        shown.append(card.text)

    line = updater(client, show)
    line.follow(job)
    record.jobs[job.id] = replace(job, state=JobState.CANCELLED, reason=Reason("cancelled"))
    line.forget(job.id)
    assert not await line._update(job.id)
    assert shown == []


async def test_queued_jobs_are_resumed_after_a_restart(client: Any) -> None:
    jobs = [waiting(1), waiting(2)]
    Record(client, *jobs)
    shown: list[str] = []

    async def show(card: Card) -> None:
        shown.append(card.text)

    await rounds(updater(client, show), lambda: len(shown) == 2)
    assert shown == ["Next in line", "2nd in line"]


async def test_gone_message_is_no_longer_updated(client: Any) -> None:
    gone, good = waiting(1), waiting(2)
    record = Record(client, gone, good)
    tried: list[UUID] = []

    async def show(card: Card) -> None:
        tried.append(card.job.id)
        position = len(tried) + 2
        record.jobs = {job.id: waiting(position, id=job.id) for job in (gone, good)}
        if card.job.id == gone.id:
            raise MessageGone("message-gone")

    await rounds(updater(client, show), lambda: len(tried) >= 6)
    assert tried.count(gone.id) == 1


async def test_updates_continue_after_a_failed_edit_and_an_outage(client: Any) -> None:
    broken, good = waiting(1), waiting(2)
    record, shown = Record(client, broken, good), []
    outages = iter([True])

    async def recall(_platform: str) -> list[Job]:
        if next(outages, False):
            raise Unavailable("gone")
        return list(record.jobs.values())

    client.jobs.waiting.side_effect = recall

    async def show(card: Card) -> None:
        if card.job.id == broken.id:
            raise RuntimeError("message deleted")
        shown.append(card.text)

    await rounds(updater(client, show), lambda: shown == ["2nd in line"])


def estimated(seconds: float, job: Job | None = None, **changes: Any) -> Job:
    range_ = Estimate(timedelta(seconds=seconds), timedelta(seconds=1.5 * seconds))
    line = QueuePosition(9, range_, **changes)
    made = job or a_job(placeholder={"message": "m"})
    return replace(made, line=line)


async def test_longer_wait_is_shown_with_its_reason(client: Any) -> None:
    job = estimated(20)
    behind = estimated(120, job, among=Tier.FREE, tier_position=1, pressure=Pressure.PAID)
    record, shown = Record(client, job), []

    async def show(card: Card) -> None:
        shown.append(card.text)

    following = updater(client, show)
    following.now = lambda: datetime(2026, 1, 1, tzinfo=UTC)
    following.follow(job)
    record.jobs[job.id] = behind
    await rounds(following, lambda: len(shown) == 1)
    place = "Next among Free; paid members go first: about 2 min to 3 min."
    assert shown == [f"{place} Many paid orders came in: now about 2 min, was 20 sec."]


async def test_shorter_wait_is_shown_without_a_reason(client: Any) -> None:
    job = estimated(120)
    record, shown = Record(client, job), []

    async def show(card: Card) -> None:
        shown.append(card.text)

    following = updater(client, show)
    following.follow(job)
    record.jobs[job.id] = estimated(20, job, pressure=Pressure.PAID)
    await rounds(following, lambda: len(shown) == 1)
    assert "was" not in shown[0]
