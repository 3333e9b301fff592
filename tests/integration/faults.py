"""A database that fails on purpose: at a statement, before a commit, or right after one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, event

from tasks.store.database import Database


class Crash(Exception):
    """The simulated death of the process: nothing after it is executed."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Where to crash: before statement number `statement`, or `before` or `after` the commit."""

    statement: int | None = None
    commit: str | None = None


class FaultyDatabase(Database):
    """A database with one injected fault at a time."""

    def __init__(self, url: str) -> None:
        super().__init__(url, size=2)
        self._fault: Fault | None = None
        self._statements = 0
        self.crashed = False  # whether the last `crashing` reached its fault
        self.crashed_between = False  # whether some of its statements had run, and not all
        self.committed = False  # whether that crash came right after the commit
        event.listen(self.engine, "before_cursor_execute", self._before_statement)
        event.listen(self.engine, "commit", self._at_commit)

    @contextmanager
    def crashing(self, fault: Fault | None) -> Iterator[None]:
        """Crash at this fault, if it is reached; catches the crash."""
        self._fault, self._statements = fault, 0
        self.crashed = self.crashed_between = self.committed = False
        try:
            yield
        except Crash:
            self.crashed = True
        finally:
            self._fault = None

    def _before_statement(self, *_: Any) -> None:
        self._statements += 1
        if self._fault is not None and self._fault.statement == self._statements:
            self.crashed_between = self._statements > 1
            raise Crash

    def _at_commit(self, connection: Connection) -> None:
        if self._fault is None or self._fault.commit is None:
            return
        if self._fault.commit == "after":
            driver: Any = connection.connection.driver_connection
            driver.commit()
            self.committed = True
        raise Crash
