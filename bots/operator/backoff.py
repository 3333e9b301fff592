"""How long to wait before a child that died is started again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Pauses that double from `first` to `limit` seconds; a long enough life starts them anew."""

    first: float = 0.2
    limit: float = 10.0
    stable: float = 30.0
    _next: float = 0.0

    def after(self, lived: float) -> float:
        """The pause before the next start, when the last life was `lived` seconds."""
        pause = self.first if lived >= self.stable or not self._next else self._next
        self._next = min(pause * 2, self.limit)
        return pause
