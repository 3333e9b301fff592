"""Time as Discord sees it: real time that a test may push forward. Snowflakes carry it."""

from __future__ import annotations

import asyncio
import itertools
import time
from datetime import UTC, datetime

EPOCH_MS = 1_420_070_400_000  # the first second of 2015; Discord's documentation on snowflakes


TURN = 0.02  # seconds
LAID_ASIDE = 20.0


class Clock:
    """Seconds since 1970; `advance` lets minutes pass at once."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._numbers = itertools.count()

    def now(self) -> float:
        """The moment, in seconds since 1970."""
        return time.time() + self._ahead

    async def run(self) -> None:
        """What has to be done for it to go on: nothing."""

    def advance(self, seconds: float) -> None:
        """Let so much time pass for Discord alone."""
        self._ahead += seconds

    def snowflake(self) -> int:
        """A new id that carries the moment; never the same twice."""
        return (int(self.now() * 1000) - EPOCH_MS) << 22 | (next(self._numbers) & 0x3FFFFF)

    def timestamp(self, moment: float | None = None) -> str:
        """The moment as Discord writes it."""
        return datetime.fromtimestamp(self.now() if moment is None else moment, UTC).isoformat()


class PatientClock(Clock):
    """Counts what the event loop lives through, not what the wall's clock does.

    For a bot in the same process: a machine that stands still for both makes nobody late.
    """

    def __init__(self) -> None:
        super().__init__()
        self._begun = time.time()
        self._lived = 0.0

    def now(self) -> float:
        """The moment, in seconds since 1970; behind the true one by every standstill."""
        return self._begun + self._lived + self._ahead

    async def run(self) -> None:
        """Count until cancelled; a turn that took long counts as two.

        Unless it was so long that the loop was laid aside, while tests without it ran.
        """
        last = time.monotonic()
        while True:
            await asyncio.sleep(TURN)
            now = time.monotonic()
            turn = now - last
            self._lived += turn if turn > LAID_ASIDE else min(turn, 2 * TURN)
            last = now
