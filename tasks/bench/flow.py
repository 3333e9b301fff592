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
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.types import Double

from imaging.profiles import profile_for
from imaging.request import ImageRequest, Operation
from tasks import logs
from tasks.bench.ground import BenchFailed, Ground, ground, median, said
from tasks.bench.queue import POLICY, report
from tasks.bench.rivals import celery_app
from tasks.client import connect
from tasks.job import JobState, Order, Refused
from tasks.members import Member, Place
from tasks.policy import read
from tasks.store.database import Database

ORDERS = 25
WARM_UP = 3
MODEL = "postcard"

_TIMES = text("""
    SELECT extract(epoch FROM jobs.created_at) - :start AS submit,
        extract(epoch FROM jobs.started_at - jobs.created_at) AS ticket,
        extract(epoch FROM jobs.rendered_at - jobs.started_at) - attempts.gpu_seconds AS store,
        extract(epoch FROM jobs.ended_at - jobs.rendered_at) AS deliver,
        extract(epoch FROM jobs.ended_at) - :start - attempts.gpu_seconds AS overhead
    FROM jobs JOIN attempts ON attempts.job = jobs.id WHERE jobs.id = :job
""").columns(submit=Double, ticket=Double, store=Double, deliver=Double, overhead=Double)

Parts = dict[str, list[float]]
"""Seconds of each order by what they went to: submit, ticket, store, deliver, and all overhead."""


async def _orders(place: Ground, count: int) -> list[tuple[UUID, float]]:
    """Submit orders, each when the one before is done: (job, moment of its submit)."""
    profile = profile_for(MODEL)
    width, height = profile.size("1:1")
    client = await connect(place.settings, read(POLICY))
    where, member = Place("web", "bench", "bench"), Member("web", "bench", "bench")
    done: list[tuple[UUID, float]] = []
    for seed in range(count):
        request = ImageRequest(
            Operation.IMAGINE, "a red star on a blue background", MODEL, width, height, seed
        )
        start = time.time()
        outcome = await client.submit(Order(uuid4().hex, "imagine", member, where, request))
        if isinstance(outcome, Refused):
            raise BenchFailed(f"The bench's order was refused: {outcome.reason.code}.")
        while (job := await client.job(outcome.job.id)) and not job.state.ended:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        if job is None or job.state is not JobState.DONE:
            raise BenchFailed("An order of the bench was not delivered.")
        done.append((job.id, start))
    await client.close()
    return done


def ours(place: Ground) -> Parts:
    """What was not the render, of each order."""
    asyncio.run(_orders(place, WARM_UP))
    done = asyncio.run(_orders(place, ORDERS))
    database = Database(place.database_url)
    try:
        with database.begin() as connection:
            rows = [
                connection.execute(_TIMES, {"job": job, "start": start}).mappings().one()
                for job, start in done
            ]
    finally:
        database.close()
    return {part: [row[part] for row in rows] for part in rows[0]}


def bare_celery(place: Ground) -> list[float]:
    """Seconds from publishing a no-op task to its end, one after the other."""
    worker = place.start("tasks.bench.rivals", "celery", "1", "8")
    said(worker, "ready")
    noop = celery_app(place.redis_url).signature("bare.noop")
    taken: list[float] = []
    for _ in range(WARM_UP + ORDERS):
        start = time.time()
        noop.delay()
        taken.append(float(said(worker, "done")) - start)
    return taken[WARM_UP:]


def run() -> dict[str, float]:
    """The figures, in milliseconds."""
    with ground(POLICY) as place:
        bare = bare_celery(place)
        place.start("tasks.clock")
        place.start("tasks.worker", model=MODEL)
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
