"""A cached answer of Slack that many members wait for: one call at a time, failures remembered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import structlog

from bots.slack.transport import RateLimited, SlackError

T = TypeVar("T")

FAILURE_SECONDS = 5.0  # before Slack is asked again after a failure


@dataclass(slots=True)
class Lookup(Generic[T]):
    """The latest answer to one question. `clock` counts seconds."""

    fetch: Callable[[], Awaitable[T]]
    clock: Callable[[], float] = time.monotonic
    _answer: tuple[float, T] | None = None
    _retry_at: float = field(default=float("-inf"))
    _refresh: asyncio.Task[None] | None = None

    async def fresh(self, max_age: float, max_wait: float | None = None) -> T | None:
        """An answer at most `max_age` seconds old, or None.

        It is None where Slack does not answer within `max_wait` seconds, or failed a moment ago.
        The call goes on after `max_wait`, and its answer serves later callers.
        """
        if (answer := self.latest(max_age)) is not None:
            return answer
        if self._refresh is None and self.clock() >= self._retry_at:
            self._refresh = asyncio.create_task(self._fetch())
        if self._refresh is not None:
            await asyncio.wait({self._refresh}, timeout=max_wait)
        return self.latest(max_age)

    def latest(self, max_age: float) -> T | None:
        """The latest answer if it is at most `max_age` seconds old; never asks Slack."""
        if self._answer is None or self._answer[0] <= self.clock() - max_age:
            return None
        return self._answer[1]

    async def _fetch(self) -> None:
        try:
            answer = await self.fetch()
        except SlackError as error:
            pause = error.after if isinstance(error, RateLimited) else FAILURE_SECONDS
            self._retry_at = self.clock() + pause
            structlog.get_logger().warning("member-lookup-failed", reason=str(error))
        else:
            self._answer = (self.clock(), answer)
        finally:
            self._refresh = None
