"""Wait estimates of a real run: the clock, Celery and a worker with the bundled model.

Run as `python -m tasks.bench.live_waits [--rate R] [--seconds S] [--mix free=55,pro=45]`.
Demand goes from a few orders to Poisson arrivals at the rate, all at once. Each second the ranges
of waiting jobs are read as a bot reads them, and compared with what the jobs then took.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import mean
from typing import Any
from uuid import UUID, uuid4

from imaging.profiles import profile_for
from imaging.request import ImageRequest, Operation
from tasks.admission.service import AdmissionService
from tasks.bench.environment import BenchEnvironment, BenchFailed, bench_environment
from tasks.bench.figures import write_json
from tasks.bench.waits import FIRST, WARM_UP, WINDOW, figures
from tasks.jobs.job import Accepted, Order
from tasks.jobs.members import Member, Place
from tasks.jobs.tiers import Tier
from tasks.planner.wait_trial import Shown
from tasks.policy.config import read
from tasks.runtime import logs
from tasks.store import bench_queries, members, queue_position
from tasks.store.database import Database
from tasks.store.load_snapshot import LoadSnapshotCache

MODEL = "postcard"
POLICY = ""
"""The tiers and doors as shipped."""

WHERE = Place("web", "bench", "bench")
CALM_ORDERS = 6
CALM_SECONDS = 5.0
"""From one of these orders to the next, at least: without a pause they are a surge of their own."""

SHOWN_JOBS = 6
"""Jobs of a tier whose ranges are read each second, spread evenly over its queue."""

PATIENCE = 600.0
"""Seconds for the last orders to be rendered."""


@dataclass(frozen=True, slots=True)
class Step:
    """The demand: orders per second, for how long, and each tier's share."""

    rate: float = 3.2
    seconds: float = 120.0
    mix: Mapping[str, float] = field(
        default_factory=lambda: {"free": 0.55, "plus": 0.28, "pro": 0.17}
    )
    seed: int = 1

    def arrivals(self) -> list[tuple[float, Tier]]:
        """Poisson arrivals: (seconds since the beginning, tier)."""
        chance = Random(self.seed)  # noqa: S311  a simulation
        tiers, found = [Tier(name) for name in self.mix], []
        at = chance.expovariate(self.rate)
        while at < self.seconds:
            found.append((at, chance.choices(tiers, list(self.mix.values()))[0]))
            at += chance.expovariate(self.rate)
        return found


@dataclass(frozen=True, slots=True)
class Seen:
    """A range on show."""

    job: UUID
    at: float  # seconds, as the database counts
    p50: float
    p90: float


class Run:
    """One run. Build it, call `run`, read `shown` and `refused`."""

    def __init__(self, place: BenchEnvironment, step: Step) -> None:
        self.database = Database(place.database_url)
        self.admission = AdmissionService(self.database, read(POLICY))
        self.snapshots = LoadSnapshotCache()
        self.step = step
        self.tiers: dict[UUID, Tier] = {}
        self.seen: list[Seen] = []
        self.refused: dict[str, int] = {}
        self.begun = 0.0

    def run(self) -> list[Shown]:
        """Order, watch until every order has its pictures, and compare."""
        with self.database.begin() as connection:
            for tier in Tier:
                members.map_role(connection, WHERE.platform, WHERE.workspace, tier.value, tier)
        self._calm()
        self.begun = time.time()
        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(self._ask, at, tier) for at, tier in self.step.arrivals()]
            self._watch(asked)
        return self._compare()

    def _calm(self) -> None:
        """A few orders one after the other, from which the costs are learnt."""
        for number in range(CALM_ORDERS):
            following = time.time() + CALM_SECONDS
            self._order(Tier.PRO, number)
            deadline = time.time() + PATIENCE
            while self._waiting():
                if time.time() > deadline:
                    raise BenchFailed("The first orders were not rendered.")
                time.sleep(0.1)
            time.sleep(max(0.0, following - time.time()))
        self.tiers.clear()
        time.sleep(5.0)  # the clock learns what they took

    def _waiting(self) -> list[UUID]:
        jobs = list(self.tiers)
        return self.database.run(lambda connection: bench_queries.waiting(connection, jobs))

    def _ask(self, at: float, tier: Tier) -> None:
        time.sleep(max(0.0, self.begun + at - time.time()))
        self._order(tier, uuid4().int % 2**32)

    def _order(self, tier: Tier, seed: int) -> None:
        width, height = profile_for(MODEL).size("1:1")
        request = ImageRequest(Operation.IMAGINE, "a red star", MODEL, width, height, seed)
        who = Member("web", "bench", uuid4().hex, roles=frozenset({tier.value}))
        outcome = self.admission.submit(Order(uuid4().hex, "imagine", who, WHERE, request))
        if isinstance(outcome, Accepted):
            self.tiers[outcome.job.id] = tier
        else:
            code = outcome.reason.code
            self.refused[code] = self.refused.get(code, 0) + 1

    def _watch(self, asked: Sequence[Future[None]]) -> None:
        """Read the ranges each second until nothing waits."""
        deadline = self.begun + self.step.seconds + PATIENCE
        while True:
            ends = time.time() + 1.0
            ordered = all(one.done() for one in asked)
            waiting = self._waiting()
            if ordered and not waiting:
                break
            if time.time() > deadline:
                raise BenchFailed("The last orders were not rendered.")
            self._read(waiting, round(ends))
            time.sleep(max(0.0, ends - time.time()))
        for one in asked:
            one.result()

    def _read(self, waiting: Sequence[UUID], tick: int) -> None:
        chosen: list[UUID] = []
        for tier in Tier:
            mine = [job for job in waiting if self.tiers[job] is tier]
            stride = max(1, len(mine) // SHOWN_JOBS)
            chosen += mine[tick % stride :: stride]
        with self.database.begin() as connection:
            found = queue_position.ahead(connection, chosen)
            snapshot = self.snapshots.now(connection)
        now = time.time()
        for job, before in found.items():
            estimate = snapshot.line(before)[0].estimate
            if estimate is not None:
                p50, p90 = estimate.p50.total_seconds(), estimate.p90.total_seconds()
                self.seen.append(Seen(job, now, p50, p90))

    def _compare(self) -> list[Shown]:
        """The ranges with the true waits, those at entry among them, by seconds since the step."""
        jobs = list(self.tiers)
        outcomes = self.database.run(lambda connection: bench_queries.outcomes(connection, jobs))
        entries = [Seen(job, one.created, one.p50, one.p90) for job, one in outcomes.items()]
        begin = self.begun - WARM_UP
        return [
            Shown(
                self.tiers[one.job].value,
                outcomes[one.job].created - begin,
                one.at - begin,
                one.p50,
                one.p90,
                outcomes[one.job].rendered - one.at,
            )
            for one in (*entries, *self.seen)
            if one.job in outcomes and one.at < outcomes[one.job].rendered
        ]


def by_window(shown: Sequence[Shown], tier: str) -> list[dict[str, float]]:
    """Told against true, by the 20 seconds in which members asked."""
    windows: dict[int, list[Shown]] = {}
    for one in shown:
        if one.lane == tier and one.arrived >= WARM_UP:
            windows.setdefault(int((one.arrived - WARM_UP) // WINDOW), []).append(one)
    found = []
    for number, moments in sorted(windows.items()):
        entries = {}
        for one in sorted(moments, key=lambda one: -one.at):
            entries[one.arrived] = one  # the earliest moment of each job remains
        first = list(entries.values())
        found.append(
            {
                "from": WINDOW * number,
                "jobs": len(first),
                "told_p50": mean(one.p50 for one in first),
                "told_p90": mean(one.p90 for one in first),
                "true": mean(one.true for one in first),
                "entry_within_p90": mean(one.true <= one.p90 for one in first),
                "moments": len(moments),
                "within_p90": mean(one.true <= one.p90 for one in moments),
            }
        )
    return found


def report(shown: Sequence[Shown], step: Step, refused: Mapping[str, int]) -> dict[str, Any]:
    """Print the tables; the same figures."""
    every = figures([shown])
    found: dict[str, Any] = {"refused": dict(refused)}
    print(f"{step.rate:g} orders a second for {step.seconds:g} s; refused: {dict(refused)}")
    print("asked at   jobs  told p50 - p90    true  within p90 (entry, all moments)")
    for tier in step.mix:
        rows, all_of = by_window(shown, tier), every.get(tier, {})
        found[tier] = {**all_of, "windows": rows}
        print(
            f"{tier}: coverage {all_of.get('coverage')}, first {FIRST:.0f} s "
            f"{all_of.get('coverage_first')}, width {all_of.get('width_median')}, "
            f"error {all_of.get('error_median')}, first correction after "
            f"{all_of.get('first_correction_s')} s"
        )
        for row in rows:
            print(
                f"{row['from']:4.0f} s {row['jobs']:8} {row['told_p50']:8.1f} - "
                f"{row['told_p90']:5.1f} {row['true']:8.1f}  {row['entry_within_p90']:5.0%}, "
                f"{row['within_p90']:4.0%} of {row['moments']}"
            )
    return found


def measure(step: Step) -> dict[str, Any]:
    """Run, print and return the figures."""
    with bench_environment(POLICY) as place:
        place.start("tasks.maintenance.process")
        place.start("tasks.worker.process", model=MODEL)
        run = Run(place, step)
        shown = run.run()
        run.admission.close()
        run.database.close()
        return report(shown, step, run.refused)


def _mix(words: str) -> dict[str, float]:
    parts = (one.split("=") for one in words.split(","))
    return {str(Tier(tier)): float(share) for tier, share in parts}


def main() -> None:
    """The command line."""
    logs.configure(level=logging.WARNING)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--rate", type=float, default=3.2, help="orders a second")
    parser.add_argument("--seconds", type=float, default=120.0, help="length of the step")
    parser.add_argument("--mix", type=_mix, default=Step().mix, help="free=55,plus=28,pro=17")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    found = measure(Step(asked.rate, asked.seconds, asked.mix, asked.seed))
    if asked.json:
        write_json(found, asked.json)


if __name__ == "__main__":
    main()
