"""The outbox relay: sends Celery tickets for jobs that became ready.

A batch is deleted and published in one transaction. If the process dies in between, the same
tickets are sent again, which is harmless. If the broker is unreachable, the rows stay.
"""

from __future__ import annotations

from threading import Event

import psycopg
import structlog
from celery import Celery
from kombu.exceptions import OperationalError as BrokerError
from sqlalchemy.exc import DBAPIError

from tasks.runtime.celery_app import publish
from tasks.store import outbox
from tasks.store.database import Database

log = structlog.get_logger(__name__)

BATCH = 500
POLL_SECONDS = 1.0  # what a missed notification costs
PAUSE_SECONDS = 0.5  # after an error


class Relay:
    """Runs in the clock process."""

    def __init__(self, database: Database, app: Celery) -> None:
        self._database = database
        self._app = app

    def run(self, stop: Event) -> None:
        """Relay until `stop` is set, through restarts of Postgres and Redis."""
        while not stop.is_set():
            try:
                with self._database.listen(outbox.CHANNEL) as listener:
                    self._relay(listener, stop)
            except (psycopg.Error, DBAPIError, BrokerError) as error:
                log.warning("relay-interrupted", error=str(error).strip())
                stop.wait(PAUSE_SECONDS)

    def _relay(self, listener: psycopg.Connection[tuple[object, ...]], stop: Event) -> None:
        while not stop.is_set():
            while self.relay_batch() == BATCH:
                pass
            for _ in listener.notifies(timeout=POLL_SECONDS, stop_after=1):
                pass

    def relay_batch(self) -> int:
        """Publish up to a batch of what is in the outbox; how many rows it took."""
        with self._database.begin() as connection:
            jobs, workers = outbox.take(connection, BATCH)
            if jobs:
                publish(self._app, jobs, workers)
        return jobs
