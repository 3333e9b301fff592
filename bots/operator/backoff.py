"""Exponential back-off between restarts of a child process."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Delays that double from `first` to `limit` seconds; `stable` seconds of uptime reset them."""

    first: float = 0.2
    limit: float = 10.0
    stable: float = 30.0
    _next: float = 0.0

    def after(self, lived: float) -> float:
        """The delay in seconds before the next start, after `lived` seconds of uptime."""
        pause = self.first if lived >= self.stable or not self._next else self._next
        self._next = min(pause * 2, self.limit)
        return pause
