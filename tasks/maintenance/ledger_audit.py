"""The ledger audit: looks for jobs whose ledger entries do not add up.

It reads page after page in a thread of its own, at a limited rate: with a million jobs, one query
over all of them would take many seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from threading import Event
from typing import TypeVar
from uuid import UUID

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from tasks.store import ledger
from tasks.store.database import Database

T = TypeVar("T")

log = structlog.get_logger(__name__)

AUDIT_SECONDS = 600.0  # between two audits
PAGE_SECONDS = 0.1  # a pause after each page of 2,000 jobs


class LedgerAudit:
    """Runs in the clock process."""

    def __init__(
        self, database: Database, page_seconds: float = PAGE_SECONDS, page: int = ledger.PAGE
    ) -> None:
        self._database = database
        self._page_seconds = page_seconds
        self._page = page

    def run(self, stop: Event) -> None:
        """Audit until `stop` is set, through restarts of Postgres."""
        while not stop.is_set():
            try:
                self.audit(stop)
            except DBAPIError as error:
                log.warning("ledger-audit-interrupted", error=str(error).strip())
            stop.wait(AUDIT_SECONDS)

    def audit(self, stop: Event) -> None:
        """Log every fault. Raises DBAPIError."""
        job: UUID | None = ledger.FIRST
        while job is not None and not stop.wait(self._page_seconds):
            found, job = self._read(partial(ledger.faults_after, job=job, limit=self._page))
            _report(found)
        entry: int | None = 0
        while entry is not None and not stop.wait(self._page_seconds):
            unknown, entry = self._read(
                partial(ledger.unknown_jobs_after, entry=entry, limit=self._page)
            )
            _report(unknown)

    def _read(self, work: Callable[[Connection], T]) -> T:
        return self._database.read(work, patience=0)


def _report(faults: Iterable[tuple[UUID, str]]) -> None:
    for job, fault in faults:
        log.error("ledger-fault", job=str(job), fault=fault)
