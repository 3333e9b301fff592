"""The Postgres server itself: its clock, its locks, and whether Atelier can work on it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

import psycopg
from psycopg import Connection as DriverConnection
from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, make_url, text

from tasks.runtime.addresses import UnsuitableServer
from tasks.store.database import NETWORK, SESSION

_NOW = text("SELECT extract(epoch FROM clock_timestamp())")
_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtext(:name))")
OLDEST_VERSION = 130000  # `server_version_num`
PROBES = 5
NAME = "The server at ATELIER_DATABASE_URL"


def now(connection: Connection) -> float:
    """The server's clock in Unix seconds: the one clock that all processes share."""
    return float(connection.scalar(_NOW) or 0.0)


def try_lock(connection: Connection, name: str) -> bool:
    """Take the advisory lock `name` until the transaction ends; False where it is taken."""
    return bool(connection.scalar(_TRY_LOCK, {"name": name}))


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """A server's version (`server_version_num`) and the schema revision of the database."""

    version: int
    revision: str | None


def inspect(url: str, timeout: int) -> ServerInfo:
    """Connect within `timeout` seconds and read what there is.

    Raises psycopg.Error where it cannot be reached, UnsuitableServer where it cannot work.
    """
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    options = " ".join(
        f"-c {name}={value}" for name, value in {**SESSION, "statement_timeout": "5s"}.items()
    )
    address = make_conninfo(plain, **{**NETWORK, "connect_timeout": timeout}, options=options)
    with (
        psycopg.connect(address, autocommit=True) as one,
        psycopg.connect(address, autocommit=True) as other,
    ):
        _check_sessions(one, other)
        _check_writable(one)
        return ServerInfo(one.info.server_version, _revision(one))


def check(url: str, timeout: int = 5) -> None:
    """Raise UnsuitableServer for a server that cannot work; pass where it is unreachable."""
    try:
        version = inspect(url, timeout).version
    except psycopg.OperationalError as error:
        if "startup parameter" in str(error):
            raise UnsuitableServer(_POOLER_OPTIONS) from None
        return
    if version < OLDEST_VERSION:
        raise UnsuitableServer(f"{NAME} is Postgres {version // 10000}; Atelier needs 13 or newer.")


_POOLER = (
    f"{NAME} is a connection pooler that shares sessions between clients (PgBouncer's transaction "
    "or statement mode): prepared statements, locks and LISTEN do not work on it. Give the address "
    "of Postgres itself, or use session mode."
)
_POOLER_OPTIONS = (
    f"{NAME} is a connection pooler that does not pass `options` on, so that Atelier's settings "
    "and time limits are missing. Give the address of Postgres itself."
)


def _check_sessions(one: DriverConnection, other: DriverConnection) -> None:
    """Each connection must keep a session of its own. Raises UnsuitableServer."""
    setting = "SELECT current_setting('plan_cache_mode')"
    if one.execute(setting).fetchone() != (SESSION["plan_cache_mode"],):
        raise UnsuitableServer(_POOLER_OPTIONS)
    read = "SELECT coalesce(current_setting('atelier.probe', true), '')"
    for _ in range(PROBES):
        mine, theirs = uuid4().hex, uuid4().hex
        for connection, value in ((one, mine), (other, theirs)):
            connection.execute("SELECT set_config('atelier.probe', %s, false)", [value])
        seen = [connection.execute(read).fetchone() for connection in (one, other)]
        if seen == [(mine,), (theirs,)]:
            with other.transaction():  # a pooler has to serve `one` by another session now
                seen = [connection.execute(read).fetchone() for connection in (one, other)]
        if seen != [(mine,), (theirs,)]:
            raise UnsuitableServer(_POOLER)


def _check_writable(connection: DriverConnection) -> None:
    row = connection.execute(
        "SELECT pg_is_in_recovery(), current_setting('transaction_read_only')"
    ).fetchone()
    if row is not None and (row[0] or row[1] == "on"):
        raise UnsuitableServer(
            f"{NAME} is read-only (a standby, or default_transaction_read_only is on). Give the "
            "address of the primary."
        )


def _revision(connection: DriverConnection) -> str | None:
    table = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
    if not table or not table[0]:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return row[0] if row else None
