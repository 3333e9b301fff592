"""Chooses which request uses the device next, one unit at a time. Pure; imports no torch.

A unit is the work between two yield points: encoding up to the first denoiser call, one denoising
step, or the decode at the end. The choice has two levels:

- Between priority classes: weighted stride scheduling (Waldspurger and Weihl 1995), with the
  self-clocked virtual time of Golestani (1994). A class accumulates `seconds / weight`; the class
  with the smallest tag after one more unit is served. An urgent class that becomes active is
  therefore served at the next yield point, and no class with waiting requests is starved.
- Within a class: the smallest `arrival + PATIENCE × remaining seconds`. Short requests overtake
  long ones that arrived less than `PATIENCE × remaining seconds` earlier, so that every request is
  served eventually.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from imaging.request import Priority

Item = TypeVar("Item", bound=Hashable)

PATIENCE = 8.0
"""Seconds by which a request may be overtaken, per second of its own remaining work."""

WEIGHTS: Mapping[Priority, float] = {
    Priority.EXPRESS: 8.0,
    Priority.NORMAL: 1.0,
    Priority.RELAXED: 0.1,
}
"""Device shares of the classes while all of them have work."""

DECAY = 0.9
"""How much of the longest recent unit counts after one more unit."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a request arrived: `seconds` on the owner's clock; `number` breaks ties."""

    seconds: float
    number: int


@dataclass(slots=True)
class _Entry:
    priority: Priority
    arrival: Arrival
    remaining: float  # estimated device seconds
    group: Hashable | None  # requests of one group are expected to share a batch key
    begun: bool = False
    batch_key: Hashable | None = None  # set while it waits for a denoiser call
    has_output: bool = False  # a batch with another request has computed its denoiser call


class StepScheduler(Generic[Item]):
    """The requests that want the device. Not thread-safe: the owner holds a lock.

    The owner repeats: `select` an item, run one unit of it, `charge` the unit's seconds, and
    `remove` the item when it is finished. `limits` maps a group to its largest batch; groups that
    are not in it are not batched.
    """

    def __init__(
        self,
        weights: Mapping[Priority, float] = WEIGHTS,
        limits: Mapping[Hashable, int] | None = None,
    ) -> None:
        self._weights = weights
        self._limits = {} if limits is None else limits
        self._entries: dict[Item, _Entry] = {}
        self._tags: dict[Priority, float] = {}  # set when a class becomes active
        self._virtual_time = 0.0  # the largest tag so far
        self._longest_unit: float | None = None  # seconds, recently

    def add(
        self,
        item: Item,
        priority: Priority,
        arrival: Arrival,
        *,
        seconds: float | None = None,
        group: Hashable | None = None,
    ) -> None:
        """Add a waiting request with its estimated device seconds.

        Without an estimate, one unit is assumed. Raises ValueError for a duplicate.
        """
        if item in self._entries:
            raise ValueError("the request is already scheduled")
        if not any(entry.priority is priority for entry in self._entries.values()):
            self._tags[priority] = self._virtual_time
        remaining = self._quantum if seconds is None else seconds
        self._entries[item] = _Entry(priority, arrival, remaining, group)

    def remove(self, item: Item) -> bool:
        """Remove a finished or cancelled request; returns whether it was scheduled."""
        return self._entries.pop(item, None) is not None

    def select(self) -> Item | None:
        """The request whose unit is next, or None. Changes nothing."""
        active = {entry.priority for entry in self._entries.values()}
        if not active:
            return None
        head = self._head(min(active, key=lambda one: (self._finish_tag(one), one)))
        return self._joiner(head) or head

    def begin(self, item: Item) -> bool:
        """Mark the start of `item`'s unit; returns whether it is its first."""
        entry = self._entries[item]
        first, entry.begun = not entry.begun, True
        return first

    def charge(self, item: Item, seconds: float) -> None:
        """Account `seconds` of device time to `item` and to its class."""
        entry = self._entries.get(item)
        if entry is None:
            return
        entry.remaining = max(0.0, entry.remaining - seconds)
        self._tags[entry.priority] += seconds / self._weights[entry.priority]
        self._virtual_time = max(self._virtual_time, self._tags[entry.priority])
        self._longest_unit = max(seconds, DECAY * (self._longest_unit or 0.0))

    # -- batches --------------------------------------------------------------------------------

    def await_batch(self, item: Item, key: Hashable) -> None:
        """`item` waits for a denoiser call, which may be batched with calls of equal `key`."""
        self._entries[item].batch_key = key
        self._entries[item].has_output = False

    def take_batch(self, item: Item) -> tuple[Item, ...]:
        """`item` and those of its class to share its call, in order; they no longer wait for it."""
        entry = self._entries[item]
        if entry.batch_key is None:
            return (item,)
        peers = sorted(self._peers(entry), key=lambda peer: (peer != item, self._order(peer)))
        batch = tuple(peers[: self._limit(entry)])
        for member in batch:
            self._entries[member].batch_key = None
            self._entries[member].has_output = member != item
        return batch

    def resume(self, item: Item) -> None:
        """`item` continues with the output that a batch has computed for it."""
        self._entries[item].has_output = False

    # -- reading --------------------------------------------------------------------------------

    def has_peers(self, item: Item) -> bool:
        """Whether requests are scheduled whose calls `item`'s could share."""
        entry = self._entries[item]
        return entry.group is not None and any(
            other is not entry and other.priority is entry.priority and other.group is not None
            for other in self._entries.values()
        )

    def waiting(self, priority: Priority) -> int:
        """The number of requests of a class that have not begun."""
        return sum(
            entry.priority is priority and not entry.begun for entry in self._entries.values()
        )

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Item]:
        return iter(tuple(self._entries))

    def __contains__(self, item: object) -> bool:
        return item in self._entries

    # -- order ----------------------------------------------------------------------------------

    def _head(self, priority: Priority) -> Item:
        return min(
            (item for item, entry in self._entries.items() if entry.priority is priority),
            key=self._order,
        )

    def _order(self, item: Item) -> tuple[bool, float, int]:
        """Requests with an unused output come first: their next call can then join a batch."""
        entry = self._entries[item]
        due = entry.arrival.seconds + PATIENCE * entry.remaining
        return not entry.has_output, due, entry.arrival.number

    @property
    def _quantum(self) -> float:
        """Seconds of a unit, for comparing classes: short ends of requests do not count."""
        return self._longest_unit or 1.0

    def _finish_tag(self, priority: Priority) -> float:
        """The tag after one quantum.

        The same duration for every class: a class that becomes active has the tag of the class that
        was served last, and with the larger weight its own unit is therefore next.
        """
        return self._tags[priority] + self._quantum / self._weights[priority]

    def _joiner(self, head: Item) -> Item | None:
        """A request to begin before `head`'s call, so that it can join the batch."""
        entry = self._entries[head]
        if entry.batch_key is None or len(self._peers(entry)) >= self._limit(entry):
            return None
        candidates = [
            item
            for item, other in self._entries.items()
            if other.priority is entry.priority and other.group == entry.group and not other.begun
        ]
        return min(candidates, key=self._order, default=None)

    def _peers(self, entry: _Entry) -> list[Item]:
        return [
            item
            for item, other in self._entries.items()
            if other.priority is entry.priority and other.batch_key == entry.batch_key
        ]

    def _limit(self, entry: _Entry) -> int:
        return 1 if entry.group is None else max(1, self._limits.get(entry.group, 1))
