"""LRU cache of loaded models within a memory budget. Pure; imports no torch."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Generic, TypeVar

Item = TypeVar("Item")


class ModelCache(Generic[Item]):
    """Items by name with a size in bytes each, least recently used first.

    Items in use are never evicted, and the item added last stays: together they may exceed
    `budget`. One thread at a time may call it, but an item's use may end on any thread.
    """

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._items: OrderedDict[str, tuple[Item, int]] = OrderedDict()
        self._uses: Counter[str] = Counter()
        self._lock = Lock()  # of the uses

    @property
    def used(self) -> int:
        """The sum of all sizes."""
        return sum(size for _, size in self._items.values())

    @property
    def in_use(self) -> frozenset[str]:
        """The names of the items in use."""
        with self._lock:
            return frozenset(self._uses)

    @contextmanager
    def use(self, name: str) -> Iterator[None]:
        """Keep an item inside the context; several uses may overlap."""
        with self._lock:
            self._uses[name] += 1
        try:
            yield
        finally:
            with self._lock:
                self._uses[name] -= 1
                self._uses += Counter()  # drops zeros

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

    def has_room(self, size: int) -> bool:
        """Whether `size` more bytes are within the budget."""
        return self.used + size <= self.budget

    def evict_for(self, size: int) -> tuple[str, ...]:
        """Evict least recently used items until `size` more bytes fit; returns their names."""
        evicted = []
        for name in self._evictable():
            if self.has_room(size):
                break
            del self._items[name]
            evicted.append(name)
        return tuple(evicted)

    def evict_unused(self) -> tuple[str, ...]:
        """Evict all items that are not in use; returns their names."""
        evicted = self._evictable()
        for name in evicted:
            del self._items[name]
        return evicted

    def _evictable(self) -> tuple[str, ...]:
        used = self.in_use
        return tuple(name for name in self._items if name not in used)

    def __contains__(self, name: str) -> bool:
        return name in self._items

    def __len__(self) -> int:
        return len(self._items)
