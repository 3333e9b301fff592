"""Deduplicates Slack's deliveries and acknowledges them in time.

Slack wants an acknowledgement within 3 s and delivers again without one. A delivery is acknowledged
once its command is stored, or after `GRACE` seconds, whichever is sooner. Before that a crash loses
nothing: Slack delivers again, and the order's idempotency key makes the repetition harmless.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog
from cachetools import LRUCache

GRACE = 2.0  # seconds; Slack's own deadline is 3
CACHE_SIZE = 4096  # finished keys; Slack retries for some minutes


class Accepted(asyncio.Event):
    """Set once the command is stored."""


Work = Callable[[Accepted], Awaitable[None]]
Run = tuple[asyncio.Task[None], Accepted]


@dataclass(slots=True)
class Deduplicator:
    """Runs work by key: a repeated key waits for the first run instead of starting another."""

    grace: float = GRACE
    _running: dict[str, Run] = field(default_factory=dict)
    _finished: LRUCache[str, Run] = field(default_factory=lambda: LRUCache(CACHE_SIZE))

    async def run(self, key: str, work: Work) -> None:
        """Start the work unless its key has run; return when it may be acknowledged.

        Raises what the work raised before it was accepted. It must not be acknowledged then, and
        the same key may run again. Later exceptions are logged.
        """
        run = self._running.get(key) or self._finished.get(key)
        if run is None or _failed(run[0]):
            run = self._start(key, work)
        task, accepted = run
        waiter = asyncio.ensure_future(accepted.wait())
        await asyncio.wait({task, waiter}, timeout=self.grace, return_when=asyncio.FIRST_COMPLETED)
        waiter.cancel()
        if task.done() and not accepted.is_set():
            await asyncio.shield(task)

    async def close(self) -> None:
        """Let running work finish within the grace, then cancel it."""
        running = [task for task, _ in self._running.values()]
        if running:
            _, late = await asyncio.wait(running, timeout=self.grace)
            for task in late:
                task.cancel()

    def _start(self, key: str, work: Work) -> Run:
        accepted = Accepted()
        task = asyncio.get_running_loop().create_task(_run(key, work, accepted))
        self._running[key] = run = (task, accepted)
        task.add_done_callback(lambda _: self._finish(key, run))
        return run

    def _finish(self, key: str, run: Run) -> None:
        self._finished[key] = run
        if self._running.get(key) is run:  # a failed run may have been started again
            del self._running[key]


async def _run(key: str, work: Work, accepted: Accepted) -> None:
    try:
        await work(accepted)
    except Exception:
        structlog.get_logger().exception("event-failed", key=key)
        raise


def _failed(task: asyncio.Task[None]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
