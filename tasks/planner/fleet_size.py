"""The smallest fleet that keeps given promises, and queue disciplines on an overloaded day."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from tasks.jobs.tiers import DoorState
from tasks.planner.queue_disciplines import ORDERS
from tasks.planner.simulation import Fleet, LaneRules, Simulation, SimulationRules, Window, fleet
from tasks.planner.statistics import Day, jain_index
from tasks.planner.trace import LANES, Arrival, Trace

SEARCHED = 60_000
"""Requests of the thinned day that is searched; the answer is then tried on the whole day."""


@dataclass(frozen=True, slots=True)
class Promise:
    """A lane's wait in seconds at a level (0.99: p99), or its share refused (no level)."""

    lane: str
    most: float
    level: float | None = 0.99

    def reached(self, day: Day) -> float:
        """The value that the day reached."""
        tally = day.lanes[self.lane]
        if self.level is None:
            return sum(tally.refused.values()) / tally.asked if tally.asked else 0.0
        if tally.served < self.level * tally.accepted:
            return math.inf  # so many were never served
        return tally.waits.quantile(self.level)

    def kept(self, day: Day) -> bool:
        """Whether the day kept it (to the 2 % that waits are counted by)."""
        return self.reached(day) <= self.most * 1.02

    def __str__(self) -> str:
        if self.level is None:
            return f"{self.lane} refused ≤ {self.most:.0%}"
        return f"{self.lane} p{self.level * 100:g} ≤ {self.most:g}s"


DEFAULT_PROMISES = (
    Promise("pro", 10.0),
    Promise("team", 15.0),
    Promise("plus", 30.0),
    Promise("free", 1800.0, 0.9),
    Promise("free", 0.05, None),
)


def read_promise(text: str) -> Promise:
    """A promise from its text: `plus:p99<=30s`, `free:refused<=5%`. Raises ValueError."""
    lane, _, rest = text.partition(":")
    what, _, most = rest.partition("<=")
    number = re.fullmatch(r"(\d+(?:\.\d+)?)([s%])", most.strip())
    level = re.fullmatch(r"p(\d{1,2}(?:\.\d+)?)", what.strip())
    if lane in LANES and number:
        if what == "refused" and number[2] == "%":
            return Promise(lane, float(number[1]) / 100, None)
        if level and number[2] == "s" and float(level[1]) > 0:
            return Promise(lane, float(number[1]), float(level[1]) / 100)
    raise ValueError(f'A promise is written "plus:p99<=30s" or "free:refused<=5%", not "{text}".')


def smallest(
    trace: Trace,
    promises: Iterable[Promise],
    settings: SimulationRules,
    speed: float = 1.0,
    report: Callable[[str], None] = lambda _: None,
) -> tuple[int, Day]:
    """The least number of GPUs (to 2 %) that keeps every promise on this day, and that day.

    More GPUs never make a wait longer, so doubling and halving find it: on a large day first with
    one in so many members and GPUs, then on the whole. Raises ValueError where no fleet does.
    """
    wanted = list(promises)

    def tried(day_trace: Trace, gpus: int) -> Day:
        return Simulation(day_trace, fleet(gpus, speed), settings).run()

    def small_keeps(gpus: int) -> bool:
        kept = _keeps(wanted, tried(small, gpus))
        report(f"{gpus * thin} GPUs: {'kept' if kept else 'broken'}")
        return kept

    small, thin = _thinned(trace)
    begin = math.ceil(small.work / speed / max(60.0, small.seconds))
    # With a GPU for each request nobody waits for one.
    gpus = thin * _least(small_keeps, max(1, min(begin, len(small))), len(small))
    step = max(1, gpus // 50)
    while True:
        day = tried(trace, gpus)
        if _keeps(wanted, day):
            return gpus, day
        if gpus >= len(trace):
            raise ValueError(IMPOSSIBLE)
        gpus, step = min(gpus + step, len(trace)), math.ceil(step * 1.25)


IMPOSSIBLE = (
    "No number of GPUs keeps these promises: with one for each request, what is left to wait for "
    "is a member's own jobs and limits."
)


def _thinned(trace: Trace) -> tuple[Trace, int]:
    """The day to search on, and how many times smaller it is; all of it where a part is unlike."""
    thin = max(1, len(trace) // SEARCHED)
    small = trace.thinned(thin) if thin > 1 else trace
    like = 0.5 < small.work * thin / trace.work < 2 and small.seconds * 2 > trace.seconds
    return (small, thin) if like else (trace, 1)


def _least(keeps: Callable[[int], bool], begin: int, most: int) -> int:
    """The least number that keeps, to 2 %; `most` where none below it does."""
    low, high = 0, begin
    while high < most and not keeps(high):
        low, high = high, min(2 * high, most)
    while high - low > max(1, high // 50):
        middle = (low + high) // 2
        low, high = (low, middle) if keeps(middle) else (middle, high)
    return high


def _keeps(promises: list[Promise], day: Day) -> bool:
    return all(promise.kept(day) for promise in promises)


FREE = LANES.index("free")
STARVED = 0.1
"""A member who was given less than this share of their fair part was starved."""


def with_heavy_member(trace: Trace, heavy_share: float = 0.5) -> tuple[Trace, int]:
    """The same day with one more Free member, who alone sends `heavy_share` of all Free jobs.

    Gives that member's number too.
    """
    heavy = 1 + max((a[2] for a in trace if a[1] == FREE), default=0)
    ratio = heavy_share / (1 - heavy_share)

    def doubled() -> Iterable[Arrival]:
        owed = 0.0
        for arrival in trace:
            yield arrival
            owed += ratio * (arrival[1] == FREE)
            while owed >= 1:
                owed -= 1
                yield (arrival[0], FREE, heavy, arrival[3])

    return Trace(trace.name, doubled(), trace.seconds), heavy


def compare(trace: Trace, heavy: int, gpus: int, window: Window) -> list[dict[str, Any]]:
    """The same demand in each order, doors open and nobody refused: one row an order.

    Waits in seconds; `free_p50` and `free_p99` exclude the heavy member. `jain_free` is Jain's
    index inside Free, and `starved_free` the share of its members who received less than a tenth of
    their fair share, over the window, in which demand is above capacity.
    """
    lanes = {name: LaneRules(3, 10**9, DoorState.OPEN) for name in LANES}
    base = SimulationRules(lanes=lanes, window=window, apart=(FREE, heavy), drain=0.0, estimates=0)
    rows = []
    for name, order in ORDERS.items():
        day = Simulation(trace, fleet(gpus), replace(base, order=order)).run()
        rows.append({"order": name, **_figures(day)})
    return rows


def _figures(day: Day) -> dict[str, float]:
    free = day.lanes["free"]
    shares = day.shares(FREE)
    return {
        "paid_p99": max(day.lanes[n].waits.quantile(0.99) for n in ("plus", "team", "pro")),
        "free_p50": free.waits.quantile(0.5),
        "free_p99": free.waits.quantile(0.99),
        "hog_p99": free.apart.quantile(0.99),
        "jain_free": jain_index(shares),
        "starved_free": sum(share < STARVED for share in shares) / max(1, len(shares)),
    }


def cost_of(gpus: Fleet, seconds: float, price_an_hour: float) -> float:
    """What the fleet costs for so long."""
    return gpus.gpus * seconds / 3600 * price_an_hour
