"""Discord's clock: real time that a test can advance. Snowflakes contain it."""

from __future__ import annotations

import asyncio
import itertools
import time
from datetime import UTC, datetime

EPOCH_MS = 1_420_070_400_000  # the first second of 2015; Discord's documentation on snowflakes


TICK = 0.02  # seconds
SUSPENDED = 20.0  # seconds


class Clock:
    """Seconds since 1970; `advance` skips time."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._numbers = itertools.count()

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() + self._ahead

    async def run(self) -> None:
        """Keep the clock running; this one needs nothing."""

    def advance(self, seconds: float) -> None:
        """Skip seconds, for Discord only."""
        self._ahead += seconds

    def snowflake(self) -> int:
        """A new, unique id that contains the present time."""
        return (int(self.now() * 1000) - EPOCH_MS) << 22 | (next(self._numbers) & 0x3FFFFF)

    def timestamp(self, moment: float | None = None) -> str:
        """The time in Discord's format."""
        return datetime.fromtimestamp(self.now() if moment is None else moment, UTC).isoformat()


class PatientClock(Clock):
    """Counts the event loop's ticks instead of wall-clock time.

    For a bot in the same process: if the machine stalls, no response is late.
    """

    def __init__(self) -> None:
        super().__init__()
        self._started = time.time()
        self._elapsed = 0.0

    def now(self) -> float:
        """Seconds since 1970, less the time of every stall."""
        return self._started + self._elapsed + self._ahead

    async def run(self) -> None:
        """Count until cancelled; a slow tick counts as two.

        A tick of many seconds counts in full: the loop was suspended while other tests ran.
        """
        last = time.monotonic()
        while True:
            await asyncio.sleep(TICK)
            now = time.monotonic()
            tick = now - last
            self._elapsed += tick if tick > SUSPENDED else min(tick, 2 * TICK)
            last = now
