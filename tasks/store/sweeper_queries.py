"""Queries of the sweeper: what crashes leave behind."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, text

from tasks.store.sql import load

_EXHAUSTED = text("""
    SELECT id, attempt FROM jobs
    WHERE state = 'running' AND lease_until < now()
        AND (attempt >= :attempts OR erased_at IS NOT NULL)
""")


def exhausted(connection: Connection, attempts: int) -> list[tuple[UUID, int]]:
    """Jobs with an expired lease that must not begin again: (job, attempt)."""
    return [(row.id, row.attempt) for row in connection.execute(_EXHAUSTED, {"attempts": attempts})]


_TICKET_LOST = text("""
    SELECT EXISTS (
        SELECT FROM jobs WHERE state = 'queued' AND ready
            AND created_at < now() - make_interval(secs => :seconds)
    ) AND NOT EXISTS (SELECT FROM outbox)
""")


def ticket_lost(connection: Connection, after: timedelta) -> bool:
    """Whether a ready job has waited for so long that its ticket may be lost."""
    return bool(connection.scalar(_TICKET_LOST, {"seconds": after.total_seconds()}))


_FLOWS = text(load("inconsistent_flows"))


def inconsistent_flows(connection: Connection) -> list[tuple[str, str]]:
    """Flows (lane, flow) whose counts are not those of their jobs; normally none."""
    return [(row.lane, row.flow) for row in connection.execute(_FLOWS)]


_EXPIRE_SOURCES = text(load("expire_sources"))


def expire_sources(connection: Connection, after: timedelta, limit: int) -> list[str]:
    """Delete up to `limit` rows of uploads older than `after` that no active job uses.

    Returns the blobs that have no owner left; the caller deletes them before the transaction is
    committed.
    """
    values = {"seconds": after.total_seconds(), "limit": limit}
    return list(connection.scalars(_EXPIRE_SOURCES, values))


_DELETE_IDLE = text("""
    DELETE FROM flows WHERE opened = 0 AND behind = 0 AND NOT EXISTS (
        SELECT FROM jobs WHERE jobs.member_key = flows.flow
            AND jobs.created_at > now() - interval '1 day'
    )
""")


def delete_idle_flows(connection: Connection) -> None:
    """Delete the flows of members without an order for a day."""
    connection.execute(_DELETE_IDLE)


_RECORD_SOURCE = text("""
    WITH unlisted AS (DELETE FROM orphans WHERE blob = :blob)
    INSERT INTO sources (blob, member_key) VALUES (:blob, :member)
    ON CONFLICT (blob, member_key) DO UPDATE SET stored_at = now()
""")


def record_source(connection: Connection, blob: str, member_key: str) -> None:
    """Record that a member stores an upload (again). Store the blob after the commit.

    In this order a concurrent deletion of the same blob is over before the blob is stored.
    """
    connection.execute(_RECORD_SOURCE, {"blob": blob, "member": member_key})
