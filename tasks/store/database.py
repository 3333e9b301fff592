"""The connection to Postgres: a pool, transactions that outlive a restart of the server, and ears.

A transaction that fails because the server went away is run again from its start for as long as
its caller is patient. Its COMMIT may have been carried out without an answer, so whatever is run
here must be harmless when repeated: every change is guarded by a key, a state or a token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

import psycopg
import stamina
from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

T = TypeVar("T")

PATIENCE = 8.0  # seconds that a call waits for a server that is being restarted

_SESSION = {
    "plan_cache_mode": "force_generic_plan",  # planning costs more than what is planned
    "lock_timeout": "15s",
    "idle_in_transaction_session_timeout": "60s",  # a bot that hangs lets go of what it holds
}


class Database:
    """A pool of connections. Build it in an entry point; it connects when it is first used."""

    def __init__(self, url: str, size: int = 5) -> None:
        parts = make_url(url)
        self._plain = parts.set(drivername="postgresql").render_as_string(hide_password=False)
        self.engine: Engine = create_engine(
            parts.set(drivername="postgresql+psycopg"),
            pool_size=size,
            max_overflow=size,
            pool_timeout=PATIENCE,
            pool_recycle=1800,
            connect_args={
                "connect_timeout": 5,
                "prepare_threshold": 2,
                "options": " ".join(f"-c {name}={value}" for name, value in _SESSION.items()),
            },
        )
        self._single = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction: committed at the end, undone by an exception."""
        with self.engine.begin() as connection:
            yield connection

    def run(self, work: Callable[[Connection], T], patience: float = PATIENCE) -> T:
        """`work` in one transaction; again, for `patience` seconds, where the server was lost.

        Raises what `work` raises, and OperationalError once patience is over.
        """
        return self._again(self.engine.begin, work, patience)

    def read(self, work: Callable[[Connection], T], patience: float = PATIENCE) -> T:
        """`work` as `run` does it, but each statement is a transaction of its own.

        For reading, and for what changes the record in a single statement: two round trips less.
        """
        return self._again(self._single.connect, work, patience)

    def _again(
        self,
        begin: Callable[[], AbstractContextManager[Connection]],
        work: Callable[[Connection], T],
        patience: float,
    ) -> T:
        # Nearly always the first try is the last: it goes without the preparations for others.
        try:
            with begin() as connection:
                return work(connection)
        except Exception as error:
            if patience <= 0 or not server_was_lost(error):
                raise
        for attempt in stamina.retry_context(
            on=server_was_lost,
            attempts=None,
            timeout=patience,
            wait_initial=0.05,
            wait_max=0.5,
            wait_jitter=0.05,
        ):
            with attempt, begin() as connection:
                return work(connection)
        raise AssertionError("stamina ends by returning or raising")

    def listen(self, *channels: str) -> psycopg.Connection[tuple[object, ...]]:
        """A connection of its own that hears NOTIFY on these channels. Close it after use.

        Raises psycopg.OperationalError where the server cannot be reached.
        """
        connection = psycopg.connect(self._plain, autocommit=True, connect_timeout=5)
        for channel in channels:
            connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))
        return connection

    def close(self) -> None:
        """Let go of the connections."""
        self.engine.dispose()


def server_was_lost(error: Exception) -> bool:
    """Whether running it again may help: the server went away, or two calls got in a knot."""
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or isinstance(error, (OperationalError, InterfaceError))
