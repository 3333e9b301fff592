"""Progress of running jobs: the newest is shown, also the last one before a quiet time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from imaging.request import ImageRequest, Operation, Progress, Stage
from tasks.delivery.progress import ProgressUpdates
from tasks.delivery.publisher import Delivery, DeliveryResult
from tasks.jobs.job import Job, Order
from tasks.jobs.members import Member, Place
from tasks.jobs.states import JobState
from tasks.jobs.tiers import Tier

AGES = 3600.0
"""Longer than any test: what waits so long is shown only by an error."""


def running_job() -> Job:
    request = ImageRequest(Operation.IMAGINE, "a red house", "postcard", 64, 64, 1)
    order = Order(
        "key", "imagine", Member("test", "w", "anna"), Place("test", "w", "channel"), request
    )
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return Job(uuid4(), order, Tier.FREE, JobState.RUNNING, 1, 1.0, moment)


def step(number: int, stage: Stage = Stage.STEPS) -> Progress:
    return Progress(stage, number, 8)


class LimitedPublisher:
    """Answers with the scripted pauses, and with 0 after them; keeps what it has shown."""

    platform = "test"

    def __init__(self, *pauses: float) -> None:
        self.pauses = list(pauses)
        self.shown: list[Progress] = []
        self.asked = asyncio.Event()

    async def progress(self, job: Job, progress: Progress) -> float:
        self.asked.set()
        pause = self.pauses.pop(0) if self.pauses else 0.0
        if pause == 0:
            self.shown.append(progress)
        return pause

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        raise NotImplementedError

    async def close(self) -> None:
        """Nothing to close."""


def updates_to(publisher: LimitedPublisher) -> ProgressUpdates:
    async def unlocked(_job: UUID) -> None:
        """No bot edits the placeholder."""

    return ProgressUpdates({"test": publisher}, unlocked)


async def shown(publisher: LimitedPublisher, count: int) -> Sequence[Progress]:
    async with asyncio.timeout(20):
        while len(publisher.shown) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    return publisher.shown


async def test_pause_is_shown_once_the_rate_limit_allows() -> None:
    publisher, job = LimitedPublisher(0.0, 0.01, 0.01), running_job()
    updates = updates_to(publisher)
    updates.show(job, step(3))
    assert await shown(publisher, 1) == [step(3)]
    updates.show(job, step(4, Stage.PAUSED))  # and nothing more for as long as the pause lasts
    assert await shown(publisher, 2) == [step(3), step(4, Stage.PAUSED)]
    await updates.close()


async def test_newest_progress_replaces_what_waits_for_the_rate_limit() -> None:
    publisher, job = LimitedPublisher(0.05), running_job()
    updates = updates_to(publisher)
    updates.show(job, step(1))
    await publisher.asked.wait()
    updates.show(job, step(2))
    updates.show(job, step(3))
    assert await shown(publisher, 1) == [step(3)]
    await updates.close()


@pytest.mark.parametrize("ending", ["finish", "forget"])
async def test_ended_job_waits_for_no_rate_limit(ending: str) -> None:
    publisher, job = LimitedPublisher(AGES), running_job()
    updates = updates_to(publisher)
    updates.show(job, step(1))
    await publisher.asked.wait()
    async with asyncio.timeout(20):
        if ending == "forget":
            updates.forget(job.id)
        await updates.finish(job.id, AGES)
    assert publisher.shown == []
    await updates.close()
