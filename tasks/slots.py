"""A worker's places: how many jobs it holds at once, and which of them only paid work may take."""

from __future__ import annotations

from threading import Lock


class Slots:
    """`size` places; the last `headroom` free ones are kept for express work."""

    def __init__(self, size: int, headroom: int) -> None:
        if not 0 <= headroom < size:
            raise ValueError(f"Of {size} slots {headroom} cannot be kept free.")
        self.size = size
        self._headroom = headroom
        self._taken = 0
        self._lock = Lock()

    def take(self) -> bool | None:
        """Take a place: True for any work, False for express work only, None where none is free."""
        with self._lock:
            free = self.size - self._taken
            if free == 0:
                return None
            self._taken += 1
            return free > self._headroom

    def release(self) -> None:
        """Give a place back."""
        with self._lock:
            self._taken -= 1

    @property
    def taken(self) -> int:
        """How many places are in use."""
        with self._lock:
            return self._taken
