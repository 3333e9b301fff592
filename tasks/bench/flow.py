"""The time from submit to delivered, less the render itself, with the bundled model.

Run as `python -m tasks.bench.flow [--json FILE]`. One order after the other, through the clock,
Celery and a worker as `atelier up` starts them. Beside it stands how long a bare Celery task takes
on the same Valkey, from being published to being done.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import time
from dataclasses import asdict
from pathlib import Path
from uuid import UUID, uuid4

from imaging.profiles import profile_for
from imaging.request import ImageRequest, Operation
from tasks.bench.baselines import celery_app
from tasks.bench.environment import (
    LIMITLESS_POLICY,
    BenchEnvironment,
    BenchFailed,
    bench_environment,
    read_line,
)
from tasks.bench.figures import median, report
from tasks.client import connect
from tasks.jobs.job import Order, Refused
from tasks.jobs.members import Member, Place
from tasks.jobs.states import JobState
from tasks.policy.config import read
from tasks.runtime import logs
from tasks.store import bench_queries
from tasks.store.database import Database

ORDERS = 25
WARM_UP = 3
MODEL = "postcard"

Parts = dict[str, list[float]]
"""Seconds of each order by what they went to: submit, ticket, store, deliver; overhead; total.

`store` is what a worker spends on a job beside the device's time: the way to the device, encoding
the files, storing them. In version 0.1.0 a job's device time was all of its render, encoding
included, so overheads of that version are lower by as much.
"""


async def _orders(place: BenchEnvironment, count: int) -> list[tuple[UUID, float]]:
    """Submit orders, each when the one before is done: (job, moment of its submit)."""
    profile = profile_for(MODEL)
    width, height = profile.size("1:1")
    client = await connect(place.settings, read(LIMITLESS_POLICY))
    where, member = Place("web", "bench", "bench"), Member("web", "bench", "bench")
    done: list[tuple[UUID, float]] = []
    for seed in range(count):
        request = ImageRequest(
            Operation.IMAGINE, "a red star on a blue background", MODEL, width, height, seed
        )
        start = time.time()
        outcome = await client.jobs.submit(Order(uuid4().hex, "imagine", member, where, request))
        if isinstance(outcome, Refused):
            raise BenchFailed(f"The bench's order was refused: {outcome.reason.code}.")
        while (job := await client.jobs.read(outcome.job.id)) and not job.state.ended:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        if job is None or job.state is not JobState.DONE:
            raise BenchFailed("An order of the bench was not delivered.")
        done.append((job.id, start))
    await client.close()
    return done


def ours(place: BenchEnvironment) -> Parts:
    """What was not the render, of each order."""
    asyncio.run(_orders(place, WARM_UP))
    done = asyncio.run(_orders(place, ORDERS))
    database = Database(place.database_url)
    try:
        with database.begin() as connection:
            rows = [asdict(bench_queries.job_phases(connection, job, start)) for job, start in done]
    finally:
        database.close()
    return {part: [row[part] for row in rows] for part in rows[0]}


def bare_celery(place: BenchEnvironment) -> list[float]:
    """Seconds from publishing a no-op task to its end, one after the other."""
    worker = place.start("tasks.bench.baselines", "celery", "1", "8")
    read_line(worker, "ready")
    noop = celery_app(place.redis_url).signature("bare.noop")
    taken: list[float] = []
    for _ in range(WARM_UP + ORDERS):
        start = time.time()
        noop.delay()
        taken.append(float(read_line(worker, "done")) - start)
    return taken[WARM_UP:]


def run() -> dict[str, float]:
    """The figures, in milliseconds."""
    with bench_environment(LIMITLESS_POLICY) as place:
        bare = bare_celery(place)
        place.start("tasks.maintenance.process")
        place.start("tasks.worker.process", model=MODEL)
        mine = ours(place)
    overhead = sorted(mine["overhead"])
    return {
        **{f"{part}_median_ms": median(seconds) * 1000 for part, seconds in mine.items()},
        "overhead_p90_ms": overhead[len(overhead) * 9 // 10] * 1000,
        "bare_celery_median_ms": median(bare) * 1000,
        "ratio_to_bare_celery": median(overhead) / median(bare),
    }


def main() -> None:
    """The command line."""
    logs.configure(level=logging.WARNING)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    report(run(), parser.parse_args().json)


if __name__ == "__main__":
    main()
