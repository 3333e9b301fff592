"""The outbox: tickets still to be published. A row says only that there is new work."""

from __future__ import annotations

from sqlalchemy import Connection, text

CHANNEL = "atelier_outbox"

_TAKE = text("""
    DELETE FROM outbox WHERE id IN (
        SELECT id FROM outbox ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
    )
""")

_ADD = text("""
    WITH ticket AS (INSERT INTO outbox DEFAULT VALUES) SELECT pg_notify('atelier_outbox', '')
""")


def take(connection: Connection, limit: int) -> int:
    """Take up to `limit` tickets away; they are back if the transaction is undone."""
    return connection.execute(_TAKE, {"limit": limit}).rowcount


def add(connection: Connection) -> None:
    """Ask for one more ticket."""
    connection.execute(_ADD)
