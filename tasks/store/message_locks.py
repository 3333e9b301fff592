"""The lock on a job's placeholder: whoever edits the message has it, so edits never cross.

An advisory lock of the transaction: it is released when the transaction or its connection ends.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, text

_ACQUIRE = text("SELECT pg_advisory_xact_lock(:key)")


def key(job: UUID) -> int:
    """The advisory lock key of a job."""
    return int.from_bytes(job.bytes[:8], "big", signed=True)


def acquire(connection: Connection, job: UUID) -> None:
    """Take the lock until the transaction ends. Raises OperationalError after `lock_timeout`."""
    connection.execute(_ACQUIRE, {"key": key(job)})
