"""The place in line on a message stays true, and never overwrites what the worker has begun."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import anyio

from bots.core.line import LineKeeper, OutOfSight
from bots.core.reply import Card
from tasks.client import Unavailable
from tasks.job import Job, JobState, Line
from tests.unit.core.conftest import a_job


class Record:
    """The queued jobs, changed by the test while the keeper goes round."""

    def __init__(self, client: Any, *jobs: Job) -> None:
        self.jobs = {job.id: job for job in jobs}
        client.edit_fence.side_effect = self.fence
        client.waiting_jobs.side_effect = self.waiting

    async def waiting(self, _platform: str) -> list[Job]:
        return list(self.jobs.values())

    @asynccontextmanager
    async def fence(self, id_: UUID) -> AsyncIterator[Job | None]:
        job = self.jobs.get(id_)
        yield job if job and job.state is JobState.QUEUED else None


def waiting(position: int, **changes: Any) -> Job:
    return a_job(line=Line(position, None), placeholder={"message": "m"}, **changes)


async def rounds(keeper: LineKeeper, until: Callable[[], bool]) -> None:
    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(keeper.run)
            while not until():  # noqa: ASYNC110 - what is waited for is set by plain code
                await anyio.sleep(0.001)
            tasks.cancel_scope.cancel()


def keeper(client: Any, show: Any) -> LineKeeper:
    return LineKeeper(client, "web", show, pause=0, round_pause=0)


async def test_a_message_is_edited_only_when_its_sentence_changes(client: Any) -> None:
    job = waiting(3)
    record, shown = Record(client, job), []

    async def show(card: Card) -> None:
        shown.append(card.text)
        if len(shown) == 1:
            record.jobs[job.id] = replace(job, line=Line(2, None))

    line = keeper(client, show)
    line.follow(job)
    record.jobs[job.id] = waiting(4, id=job.id)
    await rounds(line, lambda: len(shown) == 2 and client.edit_fence.call_count > 10)
    assert shown == ["4th in line", "2nd in line"]


async def test_a_job_that_has_begun_is_let_go(client: Any) -> None:
    job = waiting(1)
    record, shown = Record(client, job), []

    async def show(card: Card) -> None:
        shown.append(card.text)

    line = keeper(client, show)
    record.jobs[job.id] = replace(job, state=JobState.RUNNING)
    line.follow(job)
    await rounds(line, lambda: client.edit_fence.call_count >= 1)
    assert shown == []
    assert job.id not in line._shown


async def test_after_a_restart_the_waiting_jobs_are_taken_up_again(client: Any) -> None:
    jobs = [waiting(1), waiting(2)]
    Record(client, *jobs)
    shown: list[str] = []

    async def show(card: Card) -> None:
        shown.append(card.text)

    await rounds(keeper(client, show), lambda: len(shown) == 2)
    assert shown == ["Next in line", "2nd in line"]


async def test_a_message_that_is_out_of_sight_is_let_go(client: Any) -> None:
    gone, good = waiting(1), waiting(2)
    record = Record(client, gone, good)
    tried: list[UUID] = []

    async def show(card: Card) -> None:
        tried.append(card.job.id)
        position = len(tried) + 2
        record.jobs = {job.id: waiting(position, id=job.id) for job in (gone, good)}
        if card.job.id == gone.id:
            raise OutOfSight("message-gone")

    await rounds(keeper(client, show), lambda: len(tried) >= 6)
    assert tried.count(gone.id) == 1


async def test_one_messages_fault_and_an_outage_do_not_stop_the_line(client: Any) -> None:
    broken, good = waiting(1), waiting(2)
    record, shown = Record(client, broken, good), []
    outages = iter([True])

    async def recall(_platform: str) -> list[Job]:
        if next(outages, False):
            raise Unavailable("gone")
        return list(record.jobs.values())

    client.waiting_jobs.side_effect = recall

    async def show(card: Card) -> None:
        if card.job.id == broken.id:
            raise RuntimeError("message deleted")
        shown.append(card.text)

    await rounds(keeper(client, show), lambda: shown == ["2nd in line"])
