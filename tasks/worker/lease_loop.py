"""The lease loop: takes jobs for free slots and runs each, as long as there is work.

A ticket calls `serve`. A watch thread calls it too when it finds ready work and a free slot, so a
lost ticket costs a fifth of a second.

While a backlog lasts, there are as many slots as requests share a denoiser call. Work that an idle
worker could take is gone before the watch has seen it `BACKLOG_POLLS` times, because idle workers
watch as often; when the watch finds nothing ready, the additional slots are closed again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event

import structlog
from sqlalchemy.exc import DBAPIError

from tasks.store import leases
from tasks.store.batch_executor import BatchExecutor
from tasks.store.database import Database
from tasks.store.leases import LeaseRequest
from tasks.store.transitions import Lease
from tasks.worker.config import WorkerConfig
from tasks.worker.slots import Slots

log = structlog.get_logger(__name__)

BACKLOG_POLLS = 3
"""So many watches in a row must find ready work before there are more slots."""
SLOT_POLL_SECONDS = 0.2  # between checks whether the worker is shutting down


_Leased = tuple[Lease, bool]
"""A lease, and its slot as `Slots.take` gave it."""


@dataclass(slots=True)
class LeaseLoop:
    """Leases jobs and calls `run_job` for each. `serve` may be called by several threads at once.

    `run_job` records the outcome of its job; what it raises ends the thread that ran it.
    """

    database: Database
    config: WorkerConfig
    slots: Slots
    profiles: Callable[[], Sequence[str]]  # the models that jobs may be leased for now
    run_job: Callable[[Lease], None]
    batch_limit: Callable[[], int] = lambda: 1  # requests that usefully share a denoiser call
    _stopping: Event = field(init=False, default_factory=Event)
    _threads: ThreadPoolExecutor = field(init=False)
    _backlog_polls: int = field(init=False, default=0)
    _leasing: BatchExecutor[Sequence[bool], Sequence[Lease]] = field(init=False)

    def __post_init__(self) -> None:
        self._threads = ThreadPoolExecutor(self.slots.largest, "serve")
        self._leasing = BatchExecutor(self._lease_batch)

    def serve(self, jobs: int = 1) -> None:
        """Work while there is work, on as many threads as there may be `jobs` and are free slots.

        Waits for a free slot first: a full worker takes no more tickets than it has threads, and
        leaves the rest to other workers.
        """
        while not self._stopping.is_set() and not self.slots.wait(SLOT_POLL_SECONDS):
            pass
        leased = self._take(jobs)
        for one in leased[1:]:
            self._threads.submit(self._run_in_pool, one)
        if leased:
            self._run_until_idle(leased[0])

    def jobs_to_take(self) -> int:
        """How many slots to fill now because there is ready work; called by the watch only."""
        wanted = self.batch_limit() - self.slots.ordinary
        if self._stopping.is_set() or (self.slots.full and wanted <= 0):
            self._backlog_polls = 0
            self.slots.allow(0)
            return 0
        self._backlog_polls = self._backlog_polls + 1 if self._work_is_ready() else 0
        self.slots.allow(wanted if self._backlog_polls >= BACKLOG_POLLS else 0)
        if not self._backlog_polls or self.slots.full:
            return 0
        return max(1, self.slots.size - self.slots.taken)

    def _work_is_ready(self) -> bool:
        profiles = self.profiles()
        return bool(profiles) and self.database.read(
            lambda connection: leases.any_ready(connection, self.config.lanes.every, profiles),
            patience=0,
        )

    def stop(self) -> None:
        """Lease no more jobs; those that run go on."""
        self._stopping.set()

    def _run_in_pool(self, leased: _Leased) -> None:
        try:
            self._run_until_idle(leased)
        except Exception:  # nothing reads the result of this thread
            log.exception("serve-failed")

    def _run_until_idle(self, leased: _Leased) -> None:
        """Run a job, then the next, until there is none for a slot."""
        following = [leased]
        while following:
            lease, slot = following[0]
            try:
                with structlog.contextvars.bound_contextvars(job=str(lease.job.id)):
                    self.run_job(lease)
            except DBAPIError as error:
                log.warning("worker-interrupted", error=str(error).strip())
                return
            finally:
                self.slots.release([slot])
            following = self._take(1)

    def _take(self, jobs: int) -> list[_Leased]:
        """Leases for up to `jobs` jobs, as far as there are slots and work; each holds a slot."""
        slots = [] if self._stopping.is_set() else self.slots.take(jobs)
        leased: Sequence[Lease] = ()
        try:
            if slots:
                leased = self._leasing(slots)
        except DBAPIError as error:
            log.warning("worker-interrupted", error=str(error).strip())
        finally:
            self.slots.release(slots[len(leased) :])
        return list(zip(leased, slots, strict=False))

    def _lease_batch(self, wanted: Sequence[Sequence[bool]]) -> list[list[Lease]]:
        """Leases for the slots of several threads; False is a slot for express work only."""
        slots = sorted(
            ((thread, any_work) for thread, part in enumerate(wanted) for any_work in part),
            key=lambda slot: not slot[1],
        )
        express = sum(not any_work for _, any_work in slots)
        lanes, profiles = self.config.lanes, self.profiles()
        if not profiles:
            return [[] for _ in wanted]
        request = LeaseRequest(self.config.name, lanes.every, profiles, lanes.express)
        taken = self.database.read(
            lambda connection: leases.lease_several(
                connection, request, self.config.lease_seconds, len(slots), express
            ),
            patience=0,
        )
        leased: list[list[Lease]] = [[] for _ in wanted]
        for (thread, _), lease in zip(slots, taken, strict=False):
            leased[thread].append(lease)
        return leased
