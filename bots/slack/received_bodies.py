"""Bounds the memory of request bodies while they are received, before their signature is known.

A sender that is slow costs only what it has sent, so it keeps nobody out. Where all bodies together
exceed the limit, the one that began first is given up: a body of Slack's takes milliseconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class ReceivedBodies:
    """The bodies in progress on one event loop: `most` bytes together, `seconds` for each."""

    most: int
    seconds: float
    _held: int = field(init=False, default=0)
    _sizes: dict[asyncio.Timeout, int] = field(init=False, default_factory=dict)

    @asynccontextmanager
    async def body(self) -> AsyncIterator[ReceivedBody]:
        """One body. Raises TimeoutError where it takes too long, or is given up for others."""
        async with asyncio.timeout(self.seconds) as deadline:
            self._sizes[deadline] = 0  # the oldest is the first
            try:
                yield ReceivedBody(self, deadline)
            finally:
                self._forget(deadline)

    def _grow(self, deadline: asyncio.Timeout, size: int) -> None:
        if deadline not in self._sizes:
            return  # it was given up, and ends at its next wait
        self._sizes[deadline] += size
        self._held += size
        while self._held > self.most:
            oldest = next(iter(self._sizes))
            self._forget(oldest)
            oldest.reschedule(asyncio.get_running_loop().time())

    def _forget(self, deadline: asyncio.Timeout) -> None:
        self._held -= self._sizes.pop(deadline, 0)


@dataclass(frozen=True, slots=True)
class ReceivedBody:
    """One of the bodies in progress."""

    bodies: ReceivedBodies
    deadline: asyncio.Timeout

    def grow(self, size: int) -> None:
        """Count bytes that arrived."""
        self.bodies._grow(self.deadline, size)
