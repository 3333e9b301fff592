"""What a long line costs: lease, submit and place in line with 1,000,000 waiting against 1,000.

Run as `python -m tasks.bench.long_queue [--json FILE] [--long N]`. Calls alternate between two
databases of one Postgres, so that other load on the machine affects both.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import Connection

from imaging.request import ImageRequest, Operation
from tasks import migrations
from tasks.admission.service import AdmissionService
from tasks.bench.environment import bench_environment
from tasks.bench.figures import median, report
from tasks.jobs.job import Accepted, Order
from tasks.jobs.members import Member, Place
from tasks.maintenance.periodic import PeriodicTasks
from tasks.policy.config import read
from tasks.runtime import logs
from tasks.store import bench_queries, leases, queue_position
from tasks.store.database import Database

SHORT, LONG = 1_000, 1_000_000
ROUNDS = 300
WARM = 20
BATCH = 100_000
LANES = ["pro", "team", "plus", "free", "relaxed"]


class QueueFixture:
    """A database with a line of some length, and what is measured on it."""

    def __init__(self, url: str, waiting: int) -> None:
        self.database = Database(url)
        self.admission = AdmissionService(self.database, read(""))
        self.periodic_tasks = PeriodicTasks(self.database, read(""))
        self._fill(waiting)
        self.newest: list[UUID] = []

    def _fill(self, waiting: int) -> None:
        request = _json(ImageRequest(Operation.IMAGINE, "a red star", "blank", 64, 64, 1))
        for first in range(1, waiting + 1, BATCH):
            last = min(waiting, first + BATCH - 1)
            with self.database.begin() as connection:
                bench_queries.fill_queue(connection, request, first, last)
        bench_queries.vacuum_jobs(self.database)
        self.periodic_tasks.fold()

    def submit(self) -> None:
        """A newcomer's order, through the whole of admission."""
        member = Member("bench", "bench", uuid4().hex)
        request = ImageRequest(Operation.IMAGINE, "a red star", "blank", 64, 64, 1)
        where = Place("bench", "bench", "bench")
        outcome = self.admission.submit(Order(uuid4().hex, "imagine", member, where, request))
        if not isinstance(outcome, Accepted):
            raise TypeError(f"The bench's order was refused: {outcome.reason.code}.")
        self.newest.append(outcome.job.id)

    def lease(self) -> None:
        """The next job, for a worker."""

        def take(connection: Connection) -> bool:
            return leases.lease(connection, "bench", LANES, ["blank"], 3600) is not None

        if not self.database.run(take):
            raise RuntimeError("The line was empty.")

    def place(self) -> None:
        """The place in line of the newest job."""
        self.database.run(lambda connection: queue_position.ahead(connection, self.newest[-1:]))


def _json(request: ImageRequest) -> str:
    return json.dumps(request.to_json())


def run(short: int = SHORT, long: int = LONG, rounds: int = ROUNDS) -> dict[str, float]:
    """Median milliseconds of each call, and the ratios that the goals are about."""
    with bench_environment("") as place:
        url = bench_queries.create_database(place.database_url, "line")
        migrations.upgrade(url)
        studios = {
            "short": QueueFixture(place.database_url, short),
            "long": QueueFixture(url, long),
        }
        taken = _measure(studios, rounds)
        for studio in studios.values():
            studio.database.close()
    figures: dict[str, float] = {"waiting_short": short, "waiting_long": long}
    for call in ("submit", "lease", "place"):
        for name in studios:
            figures[f"{call}_{name}_ms"] = 1000 * median(taken[call, name])
        figures[f"{call}_ratio"] = median(taken[call, "long"]) / median(taken[call, "short"])
    return figures


def _measure(studios: dict[str, QueueFixture], rounds: int) -> dict[tuple[str, str], list[float]]:
    taken: dict[tuple[str, str], list[float]] = {}
    for number in range(-WARM, rounds):
        for name, studio in studios.items():
            calls: dict[str, Callable[[], None]] = {
                "submit": studio.submit,
                "lease": studio.lease,
                "place": studio.place,
            }
            for call, work in calls.items():
                begun = time.perf_counter()
                work()
                if number >= 0:
                    taken.setdefault((call, name), []).append(time.perf_counter() - begun)
            if number % 100 == 0:
                studio.periodic_tasks.fold()
    return taken


def main() -> None:
    """The command line."""
    logs.configure(level=logging.WARNING)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--long", type=int, default=LONG, help="jobs that wait in the long line")
    asked = parser.parse_args()
    report(run(long=asked.long), asked.json)


if __name__ == "__main__":
    main()
