"""A worker's slots: how many jobs it holds at once, and which slots serve express work only."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Condition


class Slots:
    """`base` slots, and up to `growth` more while `allow` says so.

    `headroom` of the base are reserved for express work. Every other slot is for any work, also
    after express work has left it: else a backlog of express work would take each slot that
    becomes free, and other lanes would receive nothing.
    """

    def __init__(self, base: int, headroom: int, growth: int = 0) -> None:
        if not 0 <= headroom < base:
            raise ValueError(f"{headroom} of {base} slots cannot be kept free.")
        self.base = base
        self._headroom = headroom
        self._growth = growth
        self._allowed = 0
        self._extra = 0
        self._ordinary_taken = 0
        self._express_taken = 0
        self._changed = Condition()

    @property
    def ordinary(self) -> int:
        """Slots for any work, without growth."""
        return self.base - self._headroom

    @property
    def largest(self) -> int:
        """The most slots there may be."""
        return self.base + self._growth

    @property
    def size(self) -> int:
        """The slots at this moment."""
        with self._changed:
            return self.base + self._extra

    @property
    def surplus(self) -> int:
        """Slots in use beyond the base that are to be closed."""
        with self._changed:
            return self._extra if not self._allowed else 0

    def allow(self, extra: int) -> None:
        """Have `extra` slots beyond the base, at most `growth`.

        Fewer than before are closed as they are released: the headroom is not taken for them.
        """
        with self._changed:
            self._allowed = max(0, min(extra, self._growth))
            self._close()
            self._changed.notify_all()

    def take(self, count: int = 1) -> list[bool]:
        """Take up to `count` slots: for each, True for any work, False for express work only."""
        with self._changed:
            ordinary = min(count, max(0, self.ordinary + self._extra - self._ordinary_taken))
            express = min(count - ordinary, self._headroom - self._express_taken)
            self._ordinary_taken += ordinary
            self._express_taken += express
            return [True] * ordinary + [False] * express

    def release(self, slots: Sequence[bool]) -> None:
        """Return slots, as `take` gave them."""
        with self._changed:
            self._ordinary_taken -= sum(slots)
            self._express_taken -= len(slots) - sum(slots)
            self._close()
            self._changed.notify_all()

    def wait(self, patience: float) -> bool:
        """Wait until a slot is free, at most `patience` seconds; whether one is."""
        with self._changed:
            return self._changed.wait_for(self._has_free, patience)

    @property
    def taken(self) -> int:
        """How many slots are in use."""
        with self._changed:
            return self._ordinary_taken + self._express_taken

    @property
    def full(self) -> bool:
        """Whether no slot is free."""
        with self._changed:
            return not self._has_free()

    def _close(self) -> None:
        """Close additional slots that are neither allowed nor needed for what is running."""
        self._extra = max(self._allowed, min(self._extra, self._ordinary_taken - self.ordinary))

    def _has_free(self) -> bool:
        return self._ordinary_taken + self._express_taken < self.base + self._extra
