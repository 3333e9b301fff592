"""The fence around a job's placeholder: whoever edits it holds a lock, so edits never cross.

An advisory lock of the transaction: it goes with its connection, whatever happens to its holder.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, text

_HOLD = text("SELECT pg_advisory_xact_lock(:key)")


def key(job: UUID) -> int:
    """The number of a job's lock."""
    return int.from_bytes(job.bytes[:8], "big", signed=True)


def hold(connection: Connection, job: UUID) -> None:
    """Hold the fence until the transaction ends. Raises OperationalError if it takes too long."""
    connection.execute(_HOLD, {"key": key(job)})
