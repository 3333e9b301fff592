"""A worker's slots: how many jobs it holds at once, and which slots serve express work only."""

from __future__ import annotations

from threading import Condition


class Slots:
    """`base` slots, and up to `growth` more while `allow` says so.

    The last `headroom` free ones are reserved for express work.
    """

    def __init__(self, base: int, headroom: int, growth: int = 0) -> None:
        if not 0 <= headroom < base:
            raise ValueError(f"{headroom} of {base} slots cannot be kept free.")
        self.base = base
        self._headroom = headroom
        self._growth = growth
        self._allowed = 0
        self._extra = 0
        self._taken = 0
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
            free = max(0, self.base + self._extra - self._taken)
            taken = min(count, free)
            self._taken += taken
            return [free - number > self._headroom for number in range(taken)]

    def release(self, count: int = 1) -> None:
        """Return slots."""
        with self._changed:
            self._taken -= count
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
            return self._taken

    @property
    def full(self) -> bool:
        """Whether no slot is free."""
        with self._changed:
            return not self._has_free()

    def _close(self) -> None:
        """Close additional slots that are neither allowed nor needed for what is running."""
        self._extra = max(self._allowed, min(self._extra, self._taken - self.ordinary))

    def _has_free(self) -> bool:
        return self._taken < self.base + self._extra
