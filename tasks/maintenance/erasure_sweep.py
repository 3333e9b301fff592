"""The erasure sweep: erases jobs with a tombstone once they have ended, and departed servers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from threading import Event

import structlog
from sqlalchemy.exc import DBAPIError

from tasks.runtime.blobs import Blobs
from tasks.store import erasure
from tasks.store.database import Database

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 1.0
GRACE = timedelta(days=30)  # between a server's removal of the bot and the erasure of its data


class ErasureSweep:
    """Runs in the clock process."""

    def __init__(self, database: Database, blobs: Blobs, grace: timedelta = GRACE) -> None:
        self._database = database
        self._blobs = blobs
        self._grace = grace

    def run(self, stop: Event) -> None:
        """Sweep every second until `stop` is set, through outages of both servers."""
        while not stop.wait(SWEEP_SECONDS):
            try:
                self.sweep()
            except (DBAPIError, OSError) as error:
                log.warning("erasure-interrupted", error=str(error).strip())

    def sweep(self) -> None:
        """Erase what is due. Raises DBAPIError or OSError; the rest is erased later."""
        self._delete(self._database.run(erasure.erase_ended, patience=0))
        while departed := self._database.run(
            partial(erasure.erase_departed, grace=self._grace), patience=0
        ):
            server, blobs = departed
            log.warning("server-erased", server=server, pictures=len(blobs))
            self._delete(blobs)

    def _delete(self, names: Sequence[str]) -> None:
        """Delete blobs now; those that remain are orphans that are due."""
        for name in names:
            self._blobs.delete(name)
        if names:
            self._database.run(partial(erasure.deleted, blobs=names))
