"""Orders through the client, as a bot makes them, and waits for their end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from uuid import UUID, uuid4

from imaging.request import ImageRequest, Operation
from tasks.client import Client, Unavailable
from tasks.jobs.job import Accepted, Job, Order
from tasks.jobs.members import Member, Place
from tasks.jobs.states import JobState

PLACE = Place("terminal", "local", "chaos")
PATIENCE_SECONDS = 150.0
LONG, SHORT = 150, 4  # steps: long enough to be interrupted, and too short for it


async def order(client: Client, steps: int, member: str = "ada") -> UUID:
    """An accepted job with so many steps."""
    who = Member("terminal", "local", member, roles=frozenset({"pro"}))
    request = ImageRequest(
        Operation.IMAGINE, "a red star on a blue background", "postcard", 64, 64, 7, steps=steps
    )
    outcome = await client.jobs.submit(Order(str(uuid4()), "imagine", who, PLACE, request))
    assert isinstance(outcome, Accepted), outcome
    return outcome.job.id


async def orders_during_a_render(client: Client) -> list[UUID]:
    """A long job that is being rendered, and four short ones behind it, of two members.

    Where this process is slower than the render, it orders again. All jobs are returned.
    """
    made: list[UUID] = []
    while True:
        long = await order(client, LONG)
        made += [long, *[await order(client, SHORT, member) for member in ("ada", "bo") * 2]]
        await _until(client, [long], lambda found: found[0].state is not JobState.QUEUED)
        await asyncio.sleep(0.3)
        if await is_running(client, long):
            return made
        await until_ended(client, made)


async def is_running(client: Client, job: UUID) -> bool:
    """Whether the job is being rendered."""
    found = await client.jobs.read(job)
    return found is not None and found.state is JobState.RUNNING


async def until_ended(
    client: Client, jobs: Sequence[UUID], seconds: float = PATIENCE_SECONDS
) -> list[Job]:
    """The jobs, once all have ended."""
    return await _until(client, jobs, lambda found: all(job.state.ended for job in found), seconds)


async def _until(
    client: Client,
    jobs: Sequence[UUID],
    true: Callable[[list[Job]], bool],
    seconds: float = PATIENCE_SECONDS,
) -> list[Job]:
    deadline = time.monotonic() + seconds
    found: list[Job] = []
    while time.monotonic() < deadline:
        try:
            found = [job for job in [await client.jobs.read(one) for one in jobs] if job]
        except Unavailable:
            continue  # Postgres is being restarted
        if len(found) == len(jobs) and true(found):
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"not within {seconds:g} s: {[job.state for job in found]}")
