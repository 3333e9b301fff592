"""The outbox: jobs of which no worker has been told. A row says only that there is one more."""

from __future__ import annotations

from sqlalchemy import Connection, text

from tasks.store.workers import ALIVE_SECONDS

CHANNEL = "atelier_outbox"

_TAKE = text("""
    WITH taken AS (
        DELETE FROM outbox WHERE id IN (
            SELECT id FROM outbox ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
        ) RETURNING id
    )
    SELECT count(*) AS jobs, (
        SELECT count(*) FROM workers WHERE seen_at > now() - make_interval(secs => :seconds)
    ) AS workers FROM taken
""")

_ADD = text("""
    WITH ticket AS (INSERT INTO outbox DEFAULT VALUES) SELECT pg_notify('atelier_outbox', '')
""")


def take(connection: Connection, limit: int) -> tuple[int, int]:
    """Take up to `limit` rows away; they are back if the transaction is undone.

    How many they were, and how many workers there are to be told.
    """
    row = connection.execute(_TAKE, {"limit": limit, "seconds": ALIVE_SECONDS}).one()
    return row.jobs, row.workers


def add(connection: Connection) -> None:
    """Have workers told of one more job."""
    connection.execute(_ADD)
