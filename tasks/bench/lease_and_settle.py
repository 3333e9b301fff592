"""Lease and settle against procrastinate's fetch and finish, call by call on the same Postgres.

Run as `python -m tasks.bench.lease_and_settle [--json FILE]`. Both are driven through their own
Python client, alternating: only taking the next job and completing it is compared.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from procrastinate.jobs import Status

from tasks.bench.baselines import procrastinate_app
from tasks.bench.environment import BenchEnvironment, bench_environment
from tasks.bench.figures import median, report
from tasks.bench.long_queue import LANES, QueueFixture
from tasks.runtime import logs
from tasks.store import leases, transitions
from tasks.store.transitions import Finished

CALLS = 400
WAITING = 1_000


def ours(studio: QueueFixture) -> None:
    """Lease the next job and settle it: pictures, delivery, costs, the next of its member."""
    lease = studio.database.read(lambda c: leases.lease(c, "bench", LANES, ["blank"], 60), 0)
    if lease is None:
        raise RuntimeError("The line was empty.")
    finished = Finished(lease, [], uuid4(), 60, 1.0)
    studio.database.read(lambda c: transitions.mark_rendered(c, [finished]))


async def theirs(place: BenchEnvironment, turn: Callable[[], None], calls: int) -> list[float]:
    """Seconds of each fetch and finish; `turn` is taken before each."""
    taken: list[float] = []
    app = procrastinate_app(place.database_url, 1)
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        deferrer = app.configure_task("bare.noop", allow_unknown=True)
        for _ in range(calls):
            await deferrer.defer_async()
        worker = await app.job_manager.register_worker()
        for _ in range(calls):
            turn()
            begun = time.perf_counter()
            job = await app.job_manager.fetch_job(None, worker)
            if job is None:
                raise RuntimeError("Procrastinate's queue was empty.")
            await app.job_manager.finish_job(job, Status.SUCCEEDED, delete_job=False)
            taken.append(time.perf_counter() - begun)
    return taken


def run(calls: int = CALLS) -> dict[str, float]:
    """Median milliseconds of both, and how many times quicker ours is."""
    mine: list[float] = []
    with bench_environment("") as place:
        studio = QueueFixture(place.database_url, WAITING)

        def turn() -> None:
            begun = time.perf_counter()
            ours(studio)
            mine.append(time.perf_counter() - begun)

        others = asyncio.run(theirs(place, turn, calls))
        studio.database.close()
    return {
        "lease_and_settle_ms": 1000 * median(mine),
        "procrastinate_fetch_and_finish_ms": 1000 * median(others),
        "lease_and_settle_ratio_to_procrastinate": median(others) / median(mine),
    }


def main() -> None:
    """The command line."""
    logs.configure(level=logging.WARNING)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    report(run(), parser.parse_args().json)


if __name__ == "__main__":
    main()
