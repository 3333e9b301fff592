"""The sweeper: puts right what a crash has left. Any number of them may run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event
from typing import TypeVar
from uuid import UUID

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from tasks.blobs import Blobs
from tasks.bus import Bus, ended
from tasks.job import JobState, Reason
from tasks.policy import Policy
from tasks.store import jobs, ledger, outbox, pictures, sweeping, transitions, workers
from tasks.store.database import Database

T = TypeVar("T")

log = structlog.get_logger(__name__)

EVERY_SECONDS = 1.0
TIDY_EVERY = 600  # sweeps
TICKET_LOST_AFTER = timedelta(seconds=5)
ORPHAN_AFTER = timedelta(hours=6)  # longer than any render
SOURCE_KEPT = timedelta(days=30)
BATCH = 500


class Sweeper:
    """Runs in the clock process."""

    def __init__(self, database: Database, blobs: Blobs, bus: Bus, policy: Policy) -> None:
        self._database = database
        self._blobs = blobs
        self._bus = bus
        self._attempts = policy.limits.attempts

    def run(self, stop: Event) -> None:
        """Sweep every second until `stop` is set, through restarts of Postgres."""
        sweeps = 0
        while not stop.wait(EVERY_SECONDS):
            try:
                self.sweep()
                if sweeps % TIDY_EVERY == 0:
                    self.tidy()
                sweeps += 1
            except (DBAPIError, OSError) as error:
                log.warning("sweep-interrupted", error=str(error).strip())

    def sweep(self) -> None:
        """Expired leases go back to the line, or fail for good; a lost ticket is written again."""
        for job, attempt in self._run(lambda c: sweeping.worn_out(c, self._attempts)):
            self._give_up(job, attempt)
        freed = self._run(
            lambda c: transitions.requeue(c, attempts=self._attempts, outcome="lost", expired=True)
        )
        if freed:
            log.warning("leases-expired", jobs=[str(job) for job in freed])
        if self._run(lambda c: sweeping.forgotten(c, TICKET_LOST_AFTER)):
            self._run(outbox.add)

    def tidy(self) -> None:
        """Blobs that no row stands for, old uploads, dead workers; and check that the sums hold."""
        moment = datetime.now(UTC) - ORPHAN_AFTER
        names = list(self._blobs.older_than("pictures", moment))
        for start in range(0, len(names), BATCH):
            batch = names[start : start + BATCH]
            known = self._run(partial(pictures.known_blobs, blobs=batch))
            for name in set(batch) - known:
                self._blobs.delete(name)
        for name in self._run(lambda c: sweeping.unused_sources(c, SOURCE_KEPT)):
            self._blobs.delete(name)
        self._run(sweeping.tidy_flows)
        self._run(workers.forget_dead)
        for job, fault in self._run(ledger.faults):
            log.error("ledger-fault", job=str(job), fault=fault)

    def _give_up(self, job: UUID, attempt: int) -> None:
        reason = Reason("worker-lost", {"attempts": attempt})
        gone = self._run(
            lambda c: transitions.end(
                c, job, [JobState.RUNNING], JobState.FAILED, reason, attempt=attempt
            )
        )
        if not gone:
            return
        log.error("job-given-up", job=str(job), attempts=attempt)
        row = self._run(lambda c: jobs.read(c, job))
        if row is not None:
            self._bus.publish(ended(row))

    def _run(self, work: Callable[[Connection], T]) -> T:
        return self._database.run(work, patience=0)
