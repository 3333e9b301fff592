"""The relay: takes what is new out of the outbox and sends tickets for it with Celery.

A batch is deleted and published in one transaction. If the process dies between the two, the same
tickets go out once more, which is harmless; if the broker is away, they stay where they are.
"""

from __future__ import annotations

from threading import Event

import psycopg
import structlog
from celery import Celery
from kombu.exceptions import OperationalError as BrokerError
from sqlalchemy.exc import DBAPIError

from tasks.app import publish
from tasks.store import outbox
from tasks.store.database import Database

log = structlog.get_logger(__name__)

BATCH = 500

LOOK_SECONDS = 1.0  # a notification that was missed costs this much
PAUSE_SECONDS = 0.5  # after a server was away


class Relay:
    """Runs in the clock process."""

    def __init__(self, database: Database, app: Celery) -> None:
        self._database = database
        self._app = app

    def run(self, stop: Event) -> None:
        """Relay until `stop` is set, through restarts of Postgres and Redis."""
        while not stop.is_set():
            try:
                with self._database.listen(outbox.CHANNEL) as ears:
                    self._relay(ears, stop)
            except (psycopg.Error, DBAPIError, BrokerError) as error:
                log.warning("relay-interrupted", error=str(error).strip())
                stop.wait(PAUSE_SECONDS)

    def _relay(self, ears: psycopg.Connection[tuple[object, ...]], stop: Event) -> None:
        while not stop.is_set():
            while self.relay_batch() == BATCH:
                pass
            for _ in ears.notifies(timeout=LOOK_SECONDS, stop_after=1):
                pass

    def relay_batch(self) -> int:
        """Publish what is there, up to a batch; how many were taken out."""
        with self._database.begin() as connection:
            jobs, workers = outbox.take(connection, BATCH)
            if jobs:
                publish(self._app, jobs, workers)
        return jobs
