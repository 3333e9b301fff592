"""The outbox: one row for each ready job whose ticket has not been sent."""

from __future__ import annotations

from sqlalchemy import Connection, text

from tasks.store.sql import load
from tasks.store.workers import ALIVE_SECONDS

CHANNEL = "atelier_outbox"

_TAKE = text(load("take_outbox"))

_ADD = text("""
    WITH ticket AS (INSERT INTO outbox DEFAULT VALUES) SELECT pg_notify('atelier_outbox', '')
""")


def take(connection: Connection, limit: int) -> tuple[int, int]:
    """Delete up to `limit` rows: (rows deleted, live workers to notify)."""
    row = connection.execute(_TAKE, {"limit": limit, "seconds": ALIVE_SECONDS}).one()
    return row.jobs, row.workers


def add(connection: Connection) -> None:
    """Add one row, and wake the relay."""
    connection.execute(_ADD)
