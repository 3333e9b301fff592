"""Which models stay in memory: the ones used last, within a budget. Pure; imports no torch."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class Shelf(Generic[Thing]):
    """Things by name with a size each (bytes), least recently used first. One owner, no lock.

    `budget` is a wish, not a wall: the thing put last stays even where it alone is larger.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._things: OrderedDict[str, tuple[Thing, int]] = OrderedDict()

    @property
    def used(self) -> int:
        """The sum of all sizes."""
        return sum(size for _, size in self._things.values())

    def get(self, name: str) -> Thing | None:
        """The thing of this name, which is now the one used last; None where it is not here."""
        if name not in self._things:
            return None
        self._things.move_to_end(name)
        return self._things[name][0]

    def put(self, name: str, thing: Thing, size: int) -> tuple[str, ...]:
        """Keep a thing; the names of those that had to go for it."""
        self._things.pop(name, None)
        gone = self.make_room(size)
        self._things[name] = (thing, size)
        return gone

    def make_room(self, size: int) -> tuple[str, ...]:
        """Let the least recently used go until `size` more fits; their names."""
        gone = []
        while self._things and self.used + size > self.budget:
            name, _ = self._things.popitem(last=False)
            gone.append(name)
        return tuple(gone)

    def keep_only(self, names: frozenset[str]) -> tuple[str, ...]:
        """Let all others go; their names."""
        gone = tuple(name for name in self._things if name not in names)
        for name in gone:
            del self._things[name]
        return gone

    def __contains__(self, name: str) -> bool:
        return name in self._things

    def __len__(self) -> int:
        return len(self._things)
