"""What a long line costs: lease, submit and place in line with 1,000,000 waiting against 1,000.

Run as `python -m tasks.bench.line [--json FILE] [--long N]`. Two databases of one Postgres take
turns call by call, so that whatever else the machine does falls on both.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

from sqlalchemy import Connection, make_url, text

from imaging.request import ImageRequest, Operation
from tasks import logs, migrations
from tasks.bench.ground import ground, median
from tasks.bench.queue import report
from tasks.job import Accepted, Order
from tasks.members import Member, Place
from tasks.policy import read
from tasks.steward import Steward
from tasks.store import leases, lines
from tasks.store.database import Database
from tasks.submit import Reception

SHORT, LONG = 1_000, 1_000_000
ROUNDS = 300
WARM = 20
BATCH = 100_000
LANES = ["pro", "team", "plus", "free", "relaxed"]

# Nine in ten wait in Free; every fifth job stands behind another of its member.
_FILL = text("""
    INSERT INTO jobs (id, key, command, platform, workspace, channel, member_key, member, request,
        profile, tier, lane, flow, start_tag, entered, ready, cost_seconds, cost, state, created_at)
    SELECT gen_random_uuid(), 'fill-' || n, 'imagine', 'bench', 'bench', 'bench', member.key,
        jsonb_build_object('platform', 'bench', 'workspace', 'bench', 'id', member.key, 'name', '',
            'roles', '[]'::jsonb, 'locale', 'en', 'administrator', false),
        CAST(:request AS jsonb), 'blank', tier.name, tier.name, member.key,
        lanes.virtual + n * 1e-3 + (n % 5 = 0)::int * 5, lanes.virtual, n % 5 <> 0, 5.0, 1.0,
        'queued', now() - make_interval(secs => 3600 - n * 1e-3)
    FROM generate_series(CAST(:first AS int), CAST(:last AS int)) AS n,
        LATERAL (SELECT 'fill-' || (n - (n % 5 = 0)::int) AS key) AS member,
        LATERAL (SELECT CASE n / 10 % 10 WHEN 0 THEN 'plus' ELSE 'free' END AS name) AS tier
    JOIN lanes ON lanes.lane = tier.name
""")


class Studio:
    """A database with a line of some length, and what is measured on it."""

    def __init__(self, url: str, waiting: int) -> None:
        self.database = Database(url)
        self.reception = Reception(self.database, read(""))
        self.steward = Steward(self.database, read(""))
        self._fill(waiting)
        self.newest: list[UUID] = []

    def _fill(self, waiting: int) -> None:
        request = ImageRequest(Operation.IMAGINE, "a red star", "blank", 64, 64, 1)
        values = {"request": _json(request)}
        for first in range(1, waiting + 1, BATCH):
            last = min(waiting, first + BATCH - 1)
            with self.database.begin() as connection:
                connection.execute(_FILL, {**values, "first": first, "last": last})
        with self.database.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text("VACUUM (ANALYZE) jobs"))
        self.steward.fold()

    def submit(self) -> None:
        """A newcomer's order, through the whole of admission."""
        member = Member("bench", "bench", uuid4().hex)
        request = ImageRequest(Operation.IMAGINE, "a red star", "blank", 64, 64, 1)
        where = Place("bench", "bench", "bench")
        outcome = self.reception.submit(Order(uuid4().hex, "imagine", member, where, request))
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
        self.database.run(lambda connection: lines.ahead(connection, self.newest[-1:]))


def _json(request: ImageRequest) -> str:
    return json.dumps(request.to_json())


def run(short: int = SHORT, long: int = LONG, rounds: int = ROUNDS) -> dict[str, float]:
    """Median milliseconds of each call, and the ratios that the goals are about."""
    with ground("") as place:
        other = make_url(place.database_url).set(database="line")
        admin = Database(place.database_url)
        with admin.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text("CREATE DATABASE line"))
        admin.close()
        url = other.render_as_string(hide_password=False)
        migrations.upgrade(url)
        studios = {"short": Studio(place.database_url, short), "long": Studio(url, long)}
        taken = _measure(studios, rounds)
        for studio in studios.values():
            studio.database.close()
    figures: dict[str, float] = {"waiting_short": short, "waiting_long": long}
    for call in ("submit", "lease", "place"):
        for name in studios:
            figures[f"{call}_{name}_ms"] = 1000 * median(taken[call, name])
        figures[f"{call}_ratio"] = median(taken[call, "long"]) / median(taken[call, "short"])
    return figures


def _measure(studios: dict[str, Studio], rounds: int) -> dict[tuple[str, str], list[float]]:
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
                studio.steward.fold()
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
