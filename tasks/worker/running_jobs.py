"""The jobs that this worker is rendering."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import RLock
from uuid import UUID

from imaging.engine.render_handle import RenderHandle
from tasks.jobs.job import Reason
from tasks.store.transitions import Lease


@dataclass(eq=False, slots=True)
class RunningJob:
    """A job under lease, while the engine renders it."""

    lease: Lease
    render: RenderHandle
    stop_reason: Reason | None = None  # set once the job is asked to stop
    lease_lost: bool = False  # another worker has the job by now

    @property
    def is_wanted(self) -> bool:
        """Whether this worker still has the job, and nobody asked to stop it."""
        return self.stop_reason is None and not self.lease_lost

    def stop(self, reason: Reason) -> None:
        """Cancel the render. The first reason counts."""
        if self.stop_reason is None:
            self.stop_reason = reason
        self.render.cancel(self.stop_reason.code)


@dataclass(slots=True)
class RunningJobs:
    """The running jobs by id. Every method may be called from any thread."""

    _jobs: dict[UUID, RunningJob] = field(init=False, default_factory=dict)
    # Reentrant: a signal handler asks for the jobs on the thread that waits for their end.
    _lock: RLock = field(init=False, default_factory=RLock)

    def add(self, running: RunningJob) -> None:
        """Register a job."""
        with self._lock:
            self._jobs[running.lease.job.id] = running

    def remove(self, running: RunningJob) -> None:
        """Unregister a job."""
        with self._lock:
            self._jobs.pop(running.lease.job.id, None)

    def get(self, job: UUID) -> RunningJob | None:
        """The running job of this id."""
        with self._lock:
            return self._jobs.get(job)

    def all(self) -> list[RunningJob]:
        """A copy of the list."""
        with self._lock:
            return list(self._jobs.values())

    def __len__(self) -> int:
        with self._lock:
            return len(self._jobs)
