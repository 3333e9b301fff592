"""Who is served next by the engine's thread: by priority, then by arrival. Pure; imports no torch.

Today a request holds the device from its first step to its last; the requests that wait are here.
When the engine comes to advance many requests a step at a time, the choice of who is in the next
step is made here too, and nothing outside changes.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

from imaging.request import Priority

Item = TypeVar("Item", bound=Hashable)


class StepScheduler(Generic[Item]):
    """The requests that wait. Not thread-safe: its owner holds a lock.

    Within a priority the first to come is the first to go, where `arrival` says who came first: it
    is drawn before a request's sources are read, so that a slow download costs nobody their place.
    """

    def __init__(self) -> None:
        self._waiting: dict[Item, tuple[Priority, int]] = {}
        self._arrivals = 0

    def arrive(self) -> int:
        """A new arrival number; each is later than all before."""
        self._arrivals += 1
        return self._arrivals

    def add(self, item: Item, priority: Priority, arrival: int | None = None) -> None:
        """Let `item` wait. Raises ValueError where it already does."""
        if item in self._waiting:
            raise ValueError("this request is waiting already")
        self._waiting[item] = (priority, self.arrive() if arrival is None else arrival)

    def remove(self, item: Item) -> bool:
        """Take `item` out, wherever it stands; whether it was waiting."""
        return self._waiting.pop(item, None) is not None

    def next(self) -> Item | None:
        """Take out the one whose turn it is; None where nobody waits."""
        if not self._waiting:
            return None
        item = min(self._waiting, key=self._waiting.__getitem__)
        del self._waiting[item]
        return item

    def position(self, item: Item) -> int | None:
        """How many go before `item`; None where it does not wait."""
        place = self._waiting.get(item)
        return None if place is None else sum(other < place for other in self._waiting.values())

    def count(self, priority: Priority) -> int:
        """How many of a priority wait."""
        return sum(waiting is priority for waiting, _ in self._waiting.values())

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Item]:
        """All who wait, in the order in which they would go."""
        return iter(sorted(self._waiting, key=self._waiting.__getitem__))
