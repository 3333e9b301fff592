"""The database for coroutines: every transaction is a blocking call in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tasks.store.database import Database

T = TypeVar("T")

MAX_CALLS = 10
"""Calls at the same time; each takes a thread and a connection."""


class Unavailable(Exception):
    """The database cannot be reached, also after retries; nothing was accepted or charged."""


@contextmanager
def unavailable_on_error() -> Iterator[None]:
    """Raises Unavailable instead of the database's own connection errors."""
    try:
        yield
    except (DBAPIError, PoolTimeout) as error:
        raise Unavailable("The database cannot be reached at the moment.") from error


@dataclass(frozen=True, slots=True)
class AsyncDatabase:
    """Both methods raise Unavailable where the database cannot be reached for some seconds."""

    database: Database
    _limiter: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(MAX_CALLS))

    async def call(self, work: Callable[[], T]) -> T:
        """`work` in a thread."""
        with unavailable_on_error():
            return await anyio.to_thread.run_sync(work, limiter=self._limiter)

    async def run(self, work: Callable[[Connection], T]) -> T:
        """`work` in a thread and a transaction."""
        return await self.call(lambda: self.database.run(work))
