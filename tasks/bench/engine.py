"""The engine's benchmark with the whole stack beside it: how soon a paid job's first step is done.

Run as `python -m tasks.bench.engine [--json FILE] [--rounds N]`. The figures of
`imaging.bench.engine` come first. Then paid jobs go through the clock, Celery and a worker as
`atelier up` starts them, alone and behind a free job of several pictures and many steps.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from imaging.bench.engine import report
from imaging.bench.engine import run as run_engine
from imaging.bench.interruption import FREE_PICTURES, FREE_STEPS, order
from imaging.profiles import profile_for
from imaging.request import ImageRequest, Priority
from tasks.bench.environment import BenchEnvironment, BenchFailed, bench_environment
from tasks.bench.figures import median
from tasks.client import Client, connect
from tasks.jobs.job import Order, Refused
from tasks.jobs.members import Member, Place
from tasks.jobs.tiers import Tier
from tasks.policy.config import read
from tasks.runtime import logs
from tasks.store import members
from tasks.store.database import Database

MODEL = "postcard"
PLACE = Place("web", "bench", "bench")
FREE = Member("web", "bench", "free")
PAID = Member("web", "bench", "paid", roles=frozenset({"pro"}))
KEYS = (
    "paid_first_step_ms",
    "paid_first_step_alone_ms",
    "longest_unit_ms",
    "stack_paid_ratio",
    "free_overhead_ratio",
    "parity",
    "latency_ratio",
    "batch8_ratio",
    "goodput_ratio",
    "mean_latency_ratio",
    "cancel_ms",
)
"""The figures in the order of the JSON file."""
WARM_UP = 1
ROUNDS = 8
POLICY = """
[tiers.free]
running = 1000
waiting = 1000
quota = "1000000/1h"
count = 4

[tiers.pro]
waiting = 1000
"""


async def _submit(client: Client, member: Member, request: ImageRequest) -> UUID:
    outcome = await client.jobs.submit(Order(uuid4().hex, "imagine", member, PLACE, request))
    if isinstance(outcome, Refused):
        raise BenchFailed(f"The bench's order was refused: {outcome.reason.code}.")
    return outcome.job.id


async def _reach(client: Client, job: UUID, step: int) -> None:
    """Wait until a job has done so many steps, or has ended."""
    async with aclosing(client.jobs.events(PLACE.platform)) as events:  # type: ignore[type-var]
        async for event in events:
            if event.job == job and (event.step >= step or event.state.ended):
                return


async def _end(client: Client, job: UUID) -> None:
    while (found := await client.jobs.read(job)) and not found.state.ended:  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def _first_step(client: Client, request: ImageRequest) -> float:
    """Seconds from submitting a paid job until its first step is done; waits for its end."""
    steps: dict[UUID, float] = {}
    listening = asyncio.Event()

    async def listen() -> None:
        async with aclosing(client.jobs.events(PLACE.platform)) as events:  # type: ignore[type-var]
            listening.set()
            async for event in events:
                if event.step >= 1:
                    steps.setdefault(event.job, time.monotonic())

    listener = asyncio.create_task(listen())
    await listening.wait()
    await asyncio.sleep(0.1)  # until the subscription has reached the server
    began = time.monotonic()
    job = await _submit(client, PAID, request)
    await _end(client, job)
    listener.cancel()
    if job not in steps:
        raise BenchFailed("A paid job of the bench reported no step.")
    return steps[job] - began


async def _rounds(place: BenchEnvironment, rounds: int) -> tuple[list[float], list[float]]:
    """First steps of paid jobs, alone and behind a free job, in alternation."""
    profile = profile_for(MODEL)
    client = await connect(place.settings, read(POLICY))
    alone, behind = [], []
    for seed in range(WARM_UP + rounds):
        paid = order(profile, seed, priority=Priority.NORMAL)
        alone.append(await _first_step(client, paid))
        free = await _submit(
            client,
            FREE,
            order(profile, seed, priority=Priority.NORMAL, steps=FREE_STEPS, count=FREE_PICTURES),
        )
        await _reach(client, free, 3)
        behind.append(await _first_step(client, paid))
        await client.jobs.cancel(free, FREE)
        await _end(client, free)
    await client.close()
    return alone[WARM_UP:], behind[WARM_UP:]


def paid_ratio(longest_unit: float, rounds: int) -> float:
    """First step of a paid job behind a free one, less one unit (seconds), over one alone."""
    with bench_environment(POLICY) as place:
        database = Database(place.database_url)
        with database.begin() as connection:
            members.map_role(connection, PLACE.platform, PLACE.workspace, "pro", Tier.PRO)
        database.close()
        place.start("tasks.maintenance.process")
        place.start("tasks.worker.process", model=MODEL)
        alone, behind = asyncio.run(_rounds(place, rounds))
    return max(0.0, median(behind) - longest_unit) / median(alone)


def run(rounds: int = ROUNDS) -> Mapping[str, Any]:
    """All figures, by their names in the JSON file."""
    figures = dict(run_engine(rounds))
    figures["stack_paid_ratio"] = paid_ratio(figures["longest_unit_ms"] / 1000, rounds)
    return {name: figures[name] for name in KEYS}


def main() -> None:
    """The command line."""
    logs.configure(level=logging.WARNING)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="repeats of each measurement")
    asked = parser.parse_args()
    report(run(asked.rounds), asked.json)


if __name__ == "__main__":
    main()
