"""Progress updates: shows the newest progress of each running job, as fast as the platform allows.

The last update before a quiet time is shown too, as soon as the rate limit allows: a job that is
paused must not look as if it were running.

All of it runs on the dispatcher's event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

import structlog

from imaging.request import Progress
from tasks.delivery.publisher import Publisher
from tasks.jobs.job import Job

log = structlog.get_logger(__name__)


class ProgressUpdates:
    """Publishes progress. `lock_message` waits until no bot edits the job's placeholder."""

    def __init__(
        self,
        publishers: Mapping[str, Publisher],
        lock_message: Callable[[UUID], Awaitable[None]],
    ) -> None:
        self._publishers = publishers
        self._lock_message = lock_message
        self._newest: dict[UUID, Progress] = {}
        self._tasks: dict[UUID, asyncio.Task[None]] = {}
        self._ended: dict[UUID, asyncio.Event] = {}
        self._locks: dict[UUID, asyncio.Future[None]] = {}

    def show(self, job: Job, progress: Progress) -> None:
        """Publish this progress, unless newer progress arrives first."""
        self._newest[job.id] = progress
        if job.id not in self._tasks:
            self._ended[job.id] = asyncio.Event()
            self._tasks[job.id] = asyncio.ensure_future(self._publish_newest(job))

    def forget(self, job: UUID) -> None:
        """Publish nothing more of a job."""
        self._end(job)
        self._locks.pop(job, None)

    async def finish(self, job: UUID, patience: float) -> None:
        """Let the update in progress end, so that the result is published after it."""
        self._end(job)
        if task := self._tasks.get(job):
            await asyncio.wait([task], timeout=patience)

    async def close(self) -> None:
        """Cancel all updates."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _end(self, job: UUID) -> None:
        """Drop what is not shown yet; an update that waits for the rate limit ends at once."""
        self._newest.pop(job, None)
        if ended := self._ended.get(job):
            ended.set()

    async def _publish_newest(self, job: Job) -> None:
        """Publish the newest progress until there is none: a slow platform skips some."""
        ended = self._ended[job.id]
        publisher = self._publishers.get(job.order.place.platform)
        try:
            if publisher is not None:
                await self._lock_once(job.id)
                while (progress := self._newest.pop(job.id, None)) is not None:
                    pause = await publisher.progress(job, progress)
                    if pause > 0 and not ended.is_set():
                        self._newest.setdefault(job.id, progress)
                        await _sleep_unless(ended, pause)
        except Exception as error:  # noqa: BLE001  progress may be lost; the result may not
            log.warning("progress-lost", job=str(job.id), error=f"{type(error).__name__}: {error}")
        finally:
            self._newest.pop(job.id, None)
            self._ended.pop(job.id, None)
            self._tasks.pop(job.id, None)

    async def _lock_once(self, job: UUID) -> None:
        """Wait, once per job, until the bot's own edit of the placeholder is over."""
        if job not in self._locks:
            self._locks[job] = asyncio.ensure_future(self._lock_message(job))
        await asyncio.shield(self._locks[job])


async def _sleep_unless(ended: asyncio.Event, seconds: float) -> None:
    """Sleep, or wake as soon as the event is set."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await ended.wait()
