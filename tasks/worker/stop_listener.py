"""Listens for cancellations of running jobs and for operators who drain the worker.

A cancelled job then leaves the device within a step.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

import psycopg
import structlog

from tasks.store.database import Database

log = structlog.get_logger(__name__)


class StopListener:
    """Calls `react` with the payload of each notification on a channel of Postgres."""

    def __init__(self, database: Database, channel: str, react: Callable[[str], None]) -> None:
        self._database = database
        self._channel = channel
        self._react = react
        self._stop = Event()
        self._thread = Thread(target=self._run, name=f"{channel}-listener", daemon=True)

    def start(self) -> None:
        """Start listening."""
        self._thread.start()

    def stop(self) -> None:
        """Stop within a second."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._database.listen(self._channel) as connection:
                    while not self._stop.is_set():
                        for notice in connection.notifies(timeout=1.0, stop_after=1):
                            self._react(notice.payload)
            except (
                psycopg.Error
            ) as error:  # cancellations also reach the heartbeat; drains are repeated
                log.warning(
                    "stop-listener-interrupted", channel=self._channel, error=str(error).strip()
                )
                self._stop.wait(1.0)
