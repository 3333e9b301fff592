"""What every process checks at its start: that its servers can work, and belong together.

A server that is unreachable passes: the process waits for it, as it does later.
"""

from __future__ import annotations

from tasks.runtime import redis_check
from tasks.runtime.addresses import broker_of, database_of, redis_of
from tasks.runtime.blobs import Blobs
from tasks.runtime.settings import Settings
from tasks.store import server, storage_pairing
from tasks.store.database import Database


def check_servers(settings: Settings) -> None:
    """Check Postgres, Redis and the broker. Raises MissingServer or UnsuitableServer."""
    server.check(database_of(settings))
    for url in sorted({redis_of(settings), broker_of(settings)}):
        redis_check.check(url)


def check_storage(database: Database, blobs: Blobs) -> None:
    """Check that the blob store is the database's. Raises StoreMismatch."""
    storage_pairing.check_at_start(database, blobs)
