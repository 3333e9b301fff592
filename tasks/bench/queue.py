"""Jobs a second through submit → lease → settle, against bare Celery and procrastinate.

Run as `python -m tasks.bench.queue [--json FILE]`. The three take turns on the same Valkey and the
same Postgres, a few rounds each; a round is from the first submit to the last job done. They do so
with few and with many jobs at once, which suits one more than another: the ratios without a number
are of each one's best.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from imaging.request import ImageRequest, Operation
from tasks.bench import lease_and_settle, long_queue
from tasks.bench.baselines import celery_app, procrastinate_app
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
from tasks.policy.config import read
from tasks.runtime import logs
from tasks.store import bench_queries
from tasks.store.database import Database

JOBS = 600
AT_ONCE = (8, 32)  # submits that go on together, and places of each worker
ROUNDS = 5
MEMBERS = 100
Round = Callable[[], float]
"""Does JOBS jobs and gives the seconds that it took."""


async def _in_parallel(at_once: int, one: Callable[[int], object]) -> None:
    """`one(n)` for each of JOBS, so many at a time."""
    numbers = iter(range(JOBS))

    async def worker() -> None:
        for number in numbers:
            await one(number)  # type: ignore[misc]

    await asyncio.gather(*(worker() for _ in range(at_once)))


def ours(place: BenchEnvironment, at_once: int) -> Round:
    """Atelier: the clock relays, a worker leases, renders nothing, and delivers."""
    place.start("tasks.maintenance.process")
    place.start("tasks.bench.empty_worker", str(at_once))
    database = Database(place.database_url)
    place.stack.callback(database.close)
    request = ImageRequest(Operation.IMAGINE, "a red star", "blank", 64, 64, 1)
    where = Place("bench", "bench", "bench")

    async def submit_all() -> None:
        client = await connect(place.settings, read(LIMITLESS_POLICY))

        async def submit(number: int) -> None:
            member = Member("bench", "bench", str(number % MEMBERS))
            outcome = await client.jobs.submit(
                Order(uuid4().hex, "imagine", member, where, request)
            )
            if isinstance(outcome, Refused):
                raise BenchFailed(f"The bench's order was refused: {outcome.reason.code}.")

        await _in_parallel(at_once, submit)
        await client.close()

    def round_() -> float:
        start = time.time()
        asyncio.run(submit_all())
        return _all_done(database) - start

    return round_


def _all_done(database: Database) -> float:
    """Wait until every job is done; the moment at which the last one was."""
    while True:
        with database.begin() as connection:
            left, last = bench_queries.progress(connection)
        if left == 0 and last is not None:
            return last
        time.sleep(0.02)


def celery(place: BenchEnvironment, at_once: int) -> Round:
    """Bare Celery: no-op tasks, published one after the other."""
    worker = place.start("tasks.bench.baselines", "celery", str(JOBS), str(at_once))
    read_line(worker, "ready")
    app = celery_app(place.redis_url)
    noop = app.signature("bare.noop")

    def round_() -> float:
        start = time.time()
        for _ in range(JOBS):
            noop.delay()
        return float(read_line(worker, "done")) - start

    return round_


def procrastinate(place: BenchEnvironment, at_once: int) -> Round:
    """Procrastinate: no-op tasks, deferred so many at a time."""
    app = procrastinate_app(place.database_url, at_once)

    async def apply_schema() -> None:
        async with app.open_async():
            await app.schema_manager.apply_schema_async()

    asyncio.run(apply_schema())
    worker = place.start("tasks.bench.baselines", "procrastinate", str(JOBS), str(at_once))
    read_line(worker, "ready")

    async def defer_all() -> None:
        async with app.open_async():
            deferrer = app.configure_task("bare.noop", allow_unknown=True)
            await _in_parallel(at_once, lambda _: deferrer.defer_async())

    def round_() -> float:
        start = time.time()
        asyncio.run(defer_all())
        return float(read_line(worker, "done")) - start

    return round_


def rates(at_once: int, rounds: int = ROUNDS) -> dict[str, float]:
    """Jobs a second of each, with so many at once."""
    with bench_environment(LIMITLESS_POLICY) as place:
        runners = {
            "atelier": ours(place, at_once),
            "celery": celery(place, at_once),
            "procrastinate": procrastinate(place, at_once),
        }
        for runner in runners.values():
            runner()  # everything is warm afterwards
        seconds: dict[str, list[float]] = {name: [] for name in runners}
        for _ in range(rounds):
            for name, runner in runners.items():
                seconds[name].append(runner())
    return {name: JOBS / median(taken) for name, taken in seconds.items()}


def run() -> dict[str, float]:
    """The figures: jobs a second of each, and the ratios that the goals are about."""
    figures: dict[str, float] = {}
    best: dict[str, float] = {}
    for at_once in AT_ONCE:
        here = rates(at_once)
        figures |= {f"{name}_jobs_per_second_{at_once}": rate for name, rate in here.items()}
        figures |= _ratios(here, f"_{at_once}")
        best = {name: max(rate, best.get(name, 0.0)) for name, rate in here.items()}
    return figures | _ratios(best)


def _ratios(of: dict[str, float], suffix: str = "") -> dict[str, float]:
    return {
        f"ratio_to_{rival}{suffix}": of["atelier"] / of[rival]
        for rival in ("celery", "procrastinate")
    }


def main() -> None:
    """The command line. Long queues and single calls are measured by modules of their own."""
    logs.configure(level=logging.WARNING)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    asked = parser.parse_args()
    report({**run(), **lease_and_settle.run(), **long_queue.run()}, asked.json)


if __name__ == "__main__":
    main()
