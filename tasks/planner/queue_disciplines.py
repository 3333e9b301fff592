"""Queue disciplines behind one protocol: the product's fair queue and three alternatives.

The alternatives know no members: arrival order, strict priority (as Celery's on Redis), and
priority with ageing (as AI-Horde raises the priority of waiting work).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from heapq import heappop, heappush
from typing import Protocol

from tasks.queue.fairness import FairQueue

WEIGHTS: Mapping[str, float] = {"free": 1, "plus": 4, "team": 6, "pro": 8, "relaxed": 1}
AGEING_RATE = 1 / 600
"""Weight that a waiting job gains a second in the ageing alternative: one in ten minutes."""


class Ticketed(Protocol):
    """A job in an order; `item` belongs to the simulation."""

    item: object
    cost: float


class JobOrder(Protocol):
    """The interface between the simulation and an order."""

    waiting: int

    def push(
        self, lane: str, flow: Hashable, cost: float, now: float, item: object, at_once: int = 1
    ) -> Ticketed:
        """Add a job."""
        ...

    def pop(self, now: float) -> Ticketed | None:
        """The next job."""
        ...

    def settle(self, entry: Ticketed, true_cost: float) -> None:
        """A job has ended."""
        ...

    def jobs_of(self, lane: str, flow: Hashable) -> int:
        """A member's jobs that wait or run."""
        ...


class Ranked:
    """A job of an alternative."""

    __slots__ = ("cost", "item")

    def __init__(self, cost: float, item: object) -> None:
        self.cost = cost
        self.item = item


class RankedQueue:
    """All jobs by one number that is fixed at arrival, the least first; ties by arrival."""

    def __init__(self, rank: Callable[[str, float], float]) -> None:
        self.waiting = 0
        self._rank = rank
        self._heap: list[tuple[float, int, Ranked]] = []
        self._number = 0

    def push(
        self,
        lane: str,
        flow: Hashable,  # noqa: ARG002  the alternatives know no members
        cost: float,
        now: float,
        item: object,
        at_once: int = 1,  # noqa: ARG002
    ) -> Ranked:
        """Add a job."""
        self._number += 1
        self.waiting += 1
        entry = Ranked(cost, item)
        heappush(self._heap, (self._rank(lane, now), self._number, entry))
        return entry

    def pop(self, now: float) -> Ranked | None:  # noqa: ARG002
        """The next job."""
        if not self._heap:
            return None
        self.waiting -= 1
        return heappop(self._heap)[2]

    def settle(self, entry: Ticketed, true_cost: float) -> None:
        """Nothing is learnt."""

    def jobs_of(self, lane: str, flow: Hashable) -> int:  # noqa: ARG002
        """Members are not counted."""
        return 0


def fair() -> JobOrder:
    """The product's fair queue."""
    return FairQueue[object](WEIGHTS)  # type: ignore[return-value]


def arrival() -> JobOrder:
    """First come, first served."""
    return RankedQueue(lambda _lane, now: now)


def strict() -> JobOrder:
    """The highest tier that has a job, always."""
    return RankedQueue(lambda lane, _now: -WEIGHTS[lane])


def aged() -> JobOrder:
    """The highest weight plus age × rate: an order that does not change as all grow older."""
    return RankedQueue(lambda lane, now: now * AGEING_RATE - WEIGHTS[lane])


ORDERS: Mapping[str, Callable[[], JobOrder]] = {
    "arrival order": arrival,
    "strict priority": strict,
    "priority with ageing": aged,
    "fair queueing": fair,
}
