"""Client-side deadlines: a call to a server that does not answer ends with an error.

Postgres ends long statements and the kernel ends dead TCP connections. Neither helps where the
server or a proxy accepts data and answers nothing. A watchdog thread shuts such connections down;
the call then fails as it does when the server is lost, and is retried.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Any, Self

import psycopg
import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import InvalidRequestError

log = structlog.get_logger(__name__)


class Call:
    """One call in progress, a context manager; `connection` is set once the call has one."""

    __slots__ = ("_calls", "connection", "deadline")

    def __init__(self, calls: set[Call], deadline: float) -> None:
        self._calls = calls
        self.deadline = deadline  # by time.monotonic
        self.connection: Connection | psycopg.Connection[Any] | None = None

    def __enter__(self) -> Self:
        self._calls.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._calls.discard(self)


@dataclass(slots=True)
class CallDeadlines:
    """Watches calls; each may take `seconds`. The thread runs from the first call on."""

    seconds: float
    _calls: set[Call] = field(init=False, default_factory=set)
    _thread: Thread | None = field(init=False, default=None)
    _stop: Event = field(init=False, default_factory=Event)
    _lock: Lock = field(init=False, default_factory=Lock)

    def call(self) -> Call:
        """A call, from before it gets its connection until its transaction has ended."""
        if self._thread is None:
            self._start()
        return Call(self._calls, time.monotonic() + self.seconds)

    def close(self) -> None:
        """Stop watching; a later call starts the thread again."""
        self._stop.set()
        with self._lock:
            self._thread = None

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._stop = Event()
                self._thread = Thread(
                    target=self._run, args=[self._stop], name="call-deadlines", daemon=True
                )
                self._thread.start()

    def _run(self, stop: Event) -> None:
        while not stop.wait(min(1.0, self.seconds / 4)):
            now = time.monotonic()
            for call in list(self._calls):
                if call.deadline < now and call.connection is not None:
                    self._calls.discard(call)
                    log.warning("database-call-timed-out", seconds=self.seconds)
                    _shut_down(call.connection)


def _shut_down(connection: Connection | psycopg.Connection[Any]) -> None:
    """Shut the socket down: whoever waits for it gets an error at once."""
    with contextlib.suppress(OSError, psycopg.OperationalError, InvalidRequestError):  # it ended
        driver: Any = connection
        if isinstance(connection, Connection):
            driver = connection.connection.driver_connection
        duplicate = os.dup(driver.fileno())
        with socket.socket(fileno=duplicate) as one:
            one.shutdown(socket.SHUT_RDWR)
