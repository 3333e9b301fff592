"""Each thing once, and acknowledged in time.

Slack wants an acknowledgement within 3 s and delivers again where none came. So what it tells is
acknowledged as soon as it is in the record, or after `GRACE` seconds, whichever is sooner; until
then a crash of ours costs nothing: Slack tells it again, and the order's key makes that harmless.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

GRACE = 2.0  # seconds; Slack's own deadline is 3
REMEMBERED = 4096  # things; those of some minutes, as Slack's retries are


class Accepted(asyncio.Event):
    """Set once what was told is safe in the record."""


Work = Callable[[Accepted], Awaitable[None]]


@dataclass(slots=True)
class Once:
    """Runs work by key: the same key again waits for the first run instead of starting another."""

    grace: float = GRACE
    _known: OrderedDict[str, tuple[asyncio.Task[None], Accepted]] = field(
        default_factory=OrderedDict
    )

    async def run(self, key: str, work: Work) -> None:
        """Start the work unless it runs or ran already; return when it may be acknowledged.

        Raises what the work raised before it was accepted: then it must not be acknowledged, and
        the same key may be tried again. What it raises later is logged.
        """
        known = self._known.get(key)
        if known is None or _failed(known[0]):
            known = self._begin(key, work)
        task, accepted = known
        waiter = asyncio.ensure_future(accepted.wait())
        await asyncio.wait({task, waiter}, timeout=self.grace, return_when=asyncio.FIRST_COMPLETED)
        waiter.cancel()
        if task.done() and not accepted.is_set():
            await asyncio.shield(task)

    async def close(self) -> None:
        """Let what runs come to its end for a moment, then stop it."""
        running = [task for task, _ in self._known.values() if not task.done()]
        if running:
            _, late = await asyncio.wait(running, timeout=self.grace)
            for task in late:
                task.cancel()

    def _begin(self, key: str, work: Work) -> tuple[asyncio.Task[None], Accepted]:
        accepted = Accepted()
        task = asyncio.get_running_loop().create_task(_run(key, work, accepted))
        self._known[key] = (task, accepted)
        while len(self._known) > REMEMBERED and next(iter(self._known.values()))[0].done():
            self._known.popitem(last=False)
        return task, accepted


async def _run(key: str, work: Work, accepted: Accepted) -> None:
    try:
        await work(accepted)
    except Exception:
        structlog.get_logger().exception("something Slack told could not be carried out", key=key)
        raise


def _failed(task: asyncio.Task[None]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
