"""Which requests are in flight on a server, by priority. Pure; imports no torch.

A more pressing request goes first. A request that was passed over `PASSES` times goes before all
others and keeps its place, so that an endless stream of paid work does not starve free work.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from imaging.request import Priority

PASSES = 8
"""As the step scheduler's weights: one place for free work in nine."""

MOST_DROPS = 2
"""How often one request gives way: what a server has drawn of it is lost each time."""

Item = TypeVar("Item")


@dataclass(eq=False, slots=True)
class QueuedRequest(Generic[Item]):
    """One request's place in line, kept when it is dropped and waits again."""

    item: Item
    priority: Priority
    arrival: int
    passed: int = field(default=0, init=False)
    drops: int = field(default=0, init=False)

    @property
    def urgency(self) -> tuple[bool, int, int]:
        """Sorts the most pressing first."""
        return (not self.must_go, self.priority, self.arrival)

    @property
    def must_go(self) -> bool:
        """Whether it was passed over often enough."""
        return self.passed >= PASSES

    @property
    def gives_way(self) -> bool:
        """Whether it may be dropped for a more pressing request."""
        return not self.must_go and self.drops < MOST_DROPS


class RequestQueue(Generic[Item]):
    """At most `in_flight` requests at once. With `restarts`, a running one gives way."""

    def __init__(self, in_flight: int, *, restarts: bool = False) -> None:
        self._in_flight = in_flight
        self._restarts = restarts
        self._arrivals = 0
        self._waiting: list[QueuedRequest[Item]] = []
        self._running: list[QueuedRequest[Item]] = []
        self._leaving: set[QueuedRequest[Item]] = set()

    def new(self, item: Item, priority: Priority) -> QueuedRequest[Item]:
        """A request that arrives now; it waits once it is added."""
        self._arrivals += 1
        return QueuedRequest(item, priority, self._arrivals)

    def add(self, queued: QueuedRequest[Item]) -> None:
        """Let a request wait."""
        self._waiting.append(queued)

    def remove(self, queued: QueuedRequest[Item]) -> bool:
        """Remove a waiting request; False where it is in flight or gone."""
        if queued in self._waiting:
            self._waiting.remove(queued)
            return True
        return False

    def start(self) -> QueuedRequest[Item] | None:
        """The next request to send now, or None."""
        if not self._waiting or len(self._running) >= self._in_flight:
            return None
        queued = min(self._waiting, key=lambda one: one.urgency)
        self._waiting.remove(queued)
        for other in self._waiting:
            other.passed += other.arrival < queued.arrival
        self._running.append(queued)
        return queued

    def victim(self) -> QueuedRequest[Item] | None:
        """The least pressing request in flight, which must end for a more pressing class."""
        if not self._restarts or not self._waiting or len(self._running) < self._in_flight:
            return None
        pressing = min(self._waiting, key=lambda one: one.urgency)
        giving = [one for one in self._running if one.gives_way]
        if self._leaving or not giving:
            return None  # a place becomes free already, or nobody gives way
        last = max(giving, key=lambda one: one.urgency)
        if last.priority <= pressing.priority:
            return None
        last.drops += 1
        self._leaving.add(last)
        return last

    def end(self, queued: QueuedRequest[Item]) -> None:
        """A request is no longer in flight."""
        self._running.remove(queued)
        self._leaving.discard(queued)

    def waiting(self, priority: Priority) -> int:
        """How many of a class wait."""
        return sum(queued.priority is priority for queued in self._waiting)

    @property
    def running(self) -> int:
        """How many are in flight."""
        return len(self._running)
