"""A database that fails on purpose: at a statement, before a commit, or right after one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, event

from tasks.store.database import Database


class Crash(Exception):
    """The process has died here: nothing after this was carried out."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Where to crash: before statement number `statement`, or `before` or `after` the commit."""

    statement: int | None = None
    commit: str | None = None


class FaultyDatabase(Database):
    """The real thing, with one fault at a time."""

    def __init__(self, url: str) -> None:
        super().__init__(url, size=2)
        self._fault: Fault | None = None
        self._statements = 0
        event.listen(self.engine, "before_cursor_execute", self._before_statement)
        event.listen(self.engine, "commit", self._at_commit)

    @contextmanager
    def crashing(self, fault: Fault | None) -> Iterator[None]:
        """Crash at this fault inside, if it is reached; swallows the crash."""
        self._fault, self._statements = fault, 0
        try:
            yield
        except Crash:
            pass
        finally:
            self._fault = None

    def _before_statement(self, *_: Any) -> None:
        self._statements += 1
        if self._fault is not None and self._fault.statement == self._statements:
            raise Crash

    def _at_commit(self, connection: Connection) -> None:
        if self._fault is None or self._fault.commit is None:
            return
        if self._fault.commit == "after":
            driver: Any = connection.connection.driver_connection
            driver.commit()
        raise Crash
