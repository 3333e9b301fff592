"""LRU cache of loaded models within a memory budget. Pure; imports no torch."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

Item = TypeVar("Item")


class ModelCache(Generic[Item]):
    """Items by name with a size in bytes each, least recently used first. Not thread-safe.

    The item added last stays even if it alone exceeds `budget`.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._items: OrderedDict[str, tuple[Item, int]] = OrderedDict()

    @property
    def used(self) -> int:
        """The sum of all sizes."""
        return sum(size for _, size in self._items.values())

    def get(self, name: str) -> Item | None:
        """The item, marked as most recently used, or None."""
        if name not in self._items:
            return None
        self._items.move_to_end(name)
        return self._items[name][0]

    def put(self, name: str, item: Item, size: int) -> tuple[str, ...]:
        """Add an item; returns the names of the evicted ones."""
        self._items.pop(name, None)
        evicted = self.evict_for(size)
        self._items[name] = (item, size)
        return evicted

    def evict_for(self, size: int) -> tuple[str, ...]:
        """Evict least recently used items until `size` more bytes fit; returns their names."""
        evicted = []
        while self._items and self.used + size > self.budget:
            name, _ = self._items.popitem(last=False)
            evicted.append(name)
        return tuple(evicted)

    def retain(self, names: frozenset[str]) -> tuple[str, ...]:
        """Evict all items but `names`; returns the evicted names."""
        evicted = tuple(name for name in self._items if name not in names)
        for name in evicted:
            del self._items[name]
        return evicted

    def __contains__(self, name: str) -> bool:
        return name in self._items

    def __len__(self) -> int:
        return len(self._items)
