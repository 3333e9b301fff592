"""The orphan check: finds blobs that no row refers to, and deletes them days later.

It runs in a thread of its own, at a limited rate, so that a large or slow blob store delays nothing
else. Before each batch of deletions it checks that the database and the blob store belong together.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event
from typing import Protocol, TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from tasks.runtime.blobs import FOLDERS, Blobs
from tasks.store import orphans, storage_pairing, sweeper_queries
from tasks.store.database import Database
from tasks.store.storage_pairing import StoreMismatch

T = TypeVar("T")


class PageComparison(Protocol):
    """Compares a page of blobs' names with the database; how many are unknown to it."""

    def __call__(self, connection: Connection, names: Collection[str]) -> int: ...


log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OrphanPolicy:
    """When blobs without a row are listed, marked and deleted, and how fast."""

    source_retention: timedelta = timedelta(days=30)
    list_after: timedelta = timedelta(hours=6)  # longer than any render
    mark_after: timedelta = timedelta(days=1)
    delete_after: timedelta = timedelta(days=7)  # after it was marked
    interval: timedelta = timedelta(hours=1)
    page: int = 500  # names compared with the database in one query
    page_seconds: float = 0.25  # a pause after each page: at most 2,000 names a second
    batch: int = 100  # blobs deleted together
    batch_seconds: float = 5.0


class OrphanCheck:
    """Runs in the clock process."""

    def __init__(
        self, database: Database, blobs: Blobs, policy: OrphanPolicy = OrphanPolicy()
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._policy = policy

    def run(self, stop: Event) -> None:
        """Check at every interval until `stop` is set, through outages of both servers."""
        while not stop.is_set():
            try:
                self.check(stop)
            except StoreMismatch as error:
                log.error("blob-store-mismatch", error=str(error))  # noqa: TRY400
            except (DBAPIError, OSError) as error:
                log.warning("orphan-check-interrupted", error=str(error).strip())
            stop.wait(self._policy.interval.total_seconds())

    def check(self, stop: Event) -> None:
        """One check, unless another clock process has begun one within the interval.

        Raises StoreMismatch, DBAPIError or OSError; then nothing more is deleted.
        """
        storage_pairing.check(self._database, self._blobs)
        if storage_pairing.is_shared(self._database, self._blobs) and (
            unknown := self._each_page(orphans.unknown, stop)
        ):
            raise storage_pairing.shared_store(self._blobs, unknown)
        if stop.is_set():
            return
        recent = self._policy.interval.total_seconds() * 0.9
        if storage_pairing.advance(self._database, self._blobs, recent) is None:
            return
        listed = self._each_page(orphans.list_new, stop)
        self._run(orphans.unlist_referenced)
        marked = self._run(partial(orphans.mark, after=self._policy.mark_after))
        total = self._run(orphans.count)
        if total:
            log.info("orphans-found", new=listed, newly_marked=marked, total=total)
        self._delete(self._expire_sources, "expired uploads", stop)
        self._delete(self._delete_due, "orphans", stop)

    def _each_page(self, compare: PageComparison, stop: Event) -> int:
        """Compare every old blob with the database, page by page; how many orphans are new."""
        moment = datetime.now(UTC) - self._policy.list_after
        found = 0
        for folder in FOLDERS:
            for page in self._blobs.pages_older_than(folder, moment, self._policy.page):
                found += self._run(partial(compare, names=page))
                if stop.wait(self._policy.page_seconds):
                    return found
        return found

    def _delete(self, batch: Callable[[Connection], list[str]], kind: str, stop: Event) -> None:
        """Delete batch after batch until there is none, and log each."""
        while not stop.is_set():
            storage_pairing.check(self._database, self._blobs)
            deleted = self._run(batch)
            if not deleted:
                return
            log.warning("blobs-deleted", kind=kind, count=len(deleted), blobs=deleted)
            stop.wait(self._policy.batch_seconds)

    def _expire_sources(self, connection: Connection) -> list[str]:
        """Delete a batch of uploads at the end of their retention."""
        policy = self._policy
        names = sweeper_queries.expire_sources(connection, policy.source_retention, policy.batch)
        return self._delete_blobs(names)

    def _delete_due(self, connection: Connection) -> list[str]:
        """Delete a batch of orphans that were marked long enough ago."""
        due = orphans.take_due(connection, self._policy.delete_after, self._policy.batch)
        return self._delete_blobs(due)

    def _delete_blobs(self, names: list[str]) -> list[str]:
        """Delete blobs; where the store fails, the caller's transaction is rolled back."""
        for name in names:
            self._blobs.delete(name)
        return names

    def _run(self, work: Callable[[Connection], T]) -> T:
        return self._database.run(work, patience=0)
