"""A worker's places: how many jobs it holds at once, and which of them only paid work may take."""

from __future__ import annotations

from threading import Condition


class Slots:
    """`size` places; the last `headroom` free ones are kept for express work."""

    def __init__(self, size: int, headroom: int) -> None:
        if not 0 <= headroom < size:
            raise ValueError(f"Of {size} slots {headroom} cannot be kept free.")
        self.size = size
        self._headroom = headroom
        self._taken = 0
        self._changed = Condition()

    def take(self, count: int = 1) -> list[bool]:
        """Take up to `count` places: for each, True for any work, False for express work only."""
        with self._changed:
            free = self.size - self._taken
            taken = min(count, free)
            self._taken += taken
            return [free - number > self._headroom for number in range(taken)]

    def release(self, count: int = 1) -> None:
        """Give places back."""
        with self._changed:
            self._taken -= count
            self._changed.notify_all()

    def wait(self, patience: float) -> bool:
        """Wait until a place is free, `patience` seconds at most; whether one is."""
        with self._changed:
            return self._changed.wait_for(lambda: self._taken < self.size, patience)

    @property
    def taken(self) -> int:
        """How many places are in use."""
        with self._changed:
            return self._taken
