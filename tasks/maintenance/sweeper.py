"""The sweeper: repairs what crashes leave behind. Any number of sweepers may run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import TypeVar
from uuid import UUID

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from tasks.jobs.job import Reason
from tasks.policy.config import Policy
from tasks.runtime.events import Bus, ended
from tasks.store import (
    jobs,
    outbox,
    sweeper_queries,
    transitions,
    workers,
)
from tasks.store.database import Database

T = TypeVar("T")

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 1.0
TIDY_EVERY = 600  # sweeps
TICKET_LOST_AFTER = timedelta(seconds=5)


class Sweeper:
    """Runs in the clock process."""

    def __init__(self, database: Database, bus: Bus, policy: Policy) -> None:
        self._database = database
        self._bus = bus
        self._attempts = policy.limits.attempts

    def run(self, stop: Event) -> None:
        """Sweep every second until `stop` is set, through restarts of Postgres."""
        sweeps = 0
        while not stop.wait(SWEEP_SECONDS):
            try:
                self.sweep()
                if sweeps % TIDY_EVERY == 0:
                    self.tidy()
                sweeps += 1
            except DBAPIError as error:
                log.warning("sweep-interrupted", error=str(error).strip())

    def sweep(self) -> None:
        """Requeue jobs whose lease has expired, or fail them; replace lost tickets."""
        for job, attempt in self._run(lambda c: sweeper_queries.exhausted(c, self._attempts)):
            self._fail_exhausted(job, attempt)
        requeued = self._run(lambda c: transitions.requeue_expired(c, self._attempts))
        if requeued:
            log.warning("lease-expired", jobs=[str(job) for job in requeued])
        if self._run(lambda c: sweeper_queries.ticket_lost(c, TICKET_LOST_AFTER)):
            self._run(outbox.add)

    def tidy(self) -> None:
        """Delete the rows of idle flows and of dead workers."""
        self._run(sweeper_queries.delete_idle_flows)
        self._run(workers.delete_dead)

    def _fail_exhausted(self, job: UUID, attempt: int) -> None:
        reason = Reason("worker-lost", {"attempts": attempt})
        failed = self._run(lambda c: transitions.end_attempt(c, job, attempt, reason))
        if not failed:
            return
        log.error("attempts-exhausted", job=str(job), attempts=attempt)
        row = self._run(lambda c: jobs.read(c, job))
        if row is not None:
            self._bus.publish(ended(row))

    def _run(self, work: Callable[[Connection], T]) -> T:
        return self._database.run(work, patience=0)
