"""The connection to Postgres: a pool, transactions that survive a server restart, and LISTEN.

A transaction that fails because the server was lost is run again from its start, for as long as its
caller's patience. Its COMMIT may have succeeded without an answer, so every transaction must be
idempotent: each change is guarded by a key, a state or a token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

import psycopg
import stamina
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier
from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tasks.store.call_deadlines import CallDeadlines

T = TypeVar("T")

PATIENCE = 8.0  # seconds that a call waits for a server that is being restarted

STATEMENT_SECONDS = 60  # one statement, on the server
CALL_SECONDS = 120.0  # one transaction of `run` or `read`, on the client

NETWORK = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,  # an idle connection whose peer is gone ends within 25 s
    "tcp_user_timeout": 20_000,  # ms: so does one whose data is not acknowledged
}
"""libpq's own limits; all but the first apply to TCP only."""

SESSION = {
    "plan_cache_mode": "force_generic_plan",  # planning costs more than running
    "lock_timeout": "15s",
    "idle_in_transaction_session_timeout": "60s",  # a bot that hangs releases its locks
}


class Database:
    """A pool of connections. Build it in an entry point; it connects when it is first used."""

    def __init__(
        self,
        url: str,
        size: int = 5,
        statement_seconds: int = STATEMENT_SECONDS,
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        parts = make_url(url)
        self._plain = parts.set(drivername="postgresql").render_as_string(hide_password=False)
        session = {**SESSION, "statement_timeout": f"{statement_seconds}s"}
        self._deadlines = CallDeadlines(call_seconds)
        self.engine: Engine = create_engine(
            parts.set(drivername="postgresql+psycopg"),
            pool_size=size,
            max_overflow=size,
            pool_timeout=PATIENCE,
            pool_recycle=1800,
            hide_parameters=True,  # errors are logged, and the values are prompts and tokens
            connect_args={
                **NETWORK,
                "prepare_threshold": 2,
                "options": " ".join(f"-c {name}={value}" for name, value in session.items()),
            },
        )
        self._autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back on an exception."""
        with self.engine.begin() as connection:
            yield connection

    def run(self, work: Callable[[Connection], T], patience: float = PATIENCE) -> T:
        """Run `work` in one transaction; retry for `patience` seconds where the server was lost.

        Raises what `work` raises, and OperationalError once the patience is over.
        """
        return self._retry(self.engine.begin, work, patience)

    def read(self, work: Callable[[Connection], T], patience: float = PATIENCE) -> T:
        """Run `work` as `run` does, but each statement is a transaction of its own.

        For reads, and for changes in a single statement: saves two round trips.
        """
        return self._retry(self._autocommit.connect, work, patience)

    def _retry(
        self,
        begin: Callable[[], AbstractContextManager[Connection]],
        work: Callable[[Connection], T],
        patience: float,
    ) -> T:
        # The first try nearly always succeeds: it skips the set-up of the retries.
        try:
            with self._deadlines.call() as call, begin() as connection:
                call.connection = connection
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
            with attempt, self._deadlines.call() as call, begin() as connection:
                call.connection = connection
                return work(connection)
        raise AssertionError("stamina ends by returning or raising")

    def listen(self, *channels: str) -> psycopg.Connection[tuple[object, ...]]:
        """A separate connection that LISTENs on these channels. Close it after use.

        Raises psycopg.OperationalError where the server cannot be reached.
        """
        address = make_conninfo(self._plain, **NETWORK)
        connection = psycopg.connect(address, autocommit=True)
        with self._deadlines.call() as call:
            call.connection = connection
            for channel in channels:
                connection.execute(SQL("LISTEN {}").format(Identifier(channel)))
        return connection

    def close(self) -> None:
        """Close the pool."""
        self._deadlines.close()
        self.engine.dispose()


def server_was_lost(error: Exception) -> bool:
    """Whether a retry may help: the connection was lost, or a deadlock was broken."""
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    return error.connection_invalidated or isinstance(error, (OperationalError, InterfaceError))
