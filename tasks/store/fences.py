"""The fence around a job's placeholder: whoever edits it holds a lock, so edits never cross.

An advisory lock of the transaction: it goes with its connection, whatever happens to its holder.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, text

_HOLD = text("SELECT pg_advisory_xact_lock(:key)")
_PATIENCE = text("SET LOCAL lock_timeout = '10s'")


def hold(connection: Connection, job: UUID) -> None:
    """Hold the fence until the transaction ends. Raises OperationalError after ten seconds."""
    connection.execute(_PATIENCE)
    connection.execute(_HOLD, {"key": int.from_bytes(job.bytes[:8], "big", signed=True)})
