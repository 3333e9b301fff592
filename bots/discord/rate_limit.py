"""How often a message that shows progress may be edited."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from cachetools import LRUCache, TTLCache

MIN_INTERVAL = 2.0  # seconds between two edits of one message
PER_JOB = 0.25  # seconds that each running job adds to the interval: four edits a second in all
RECENT = 15.0  # seconds; a job without progress for so long no longer counts as running here
JOBS = 4096


class EditRateLimit:
    """Limits the edits of each job's message. `clock` returns monotonic seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._running: TTLCache[UUID, None] = TTLCache(JOBS, RECENT, timer=clock)
        self._edited: LRUCache[UUID, float] = LRUCache(JOBS)

    def pause(self, job: UUID) -> float:
        """Seconds until the job's message may be edited; 0 allows it now and counts as an edit."""
        now = self._clock()
        self._running[job] = None
        interval = max(MIN_INTERVAL, PER_JOB * len(self._running))
        left = self._edited.get(job, float("-inf")) + interval - now
        if left > 0:
            return left
        self._edited[job] = now
        return 0.0

    def forget(self, job: UUID) -> None:
        """Stop counting a job that has ended."""
        self._running.pop(job, None)
        self._edited.pop(job, None)
