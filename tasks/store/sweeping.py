"""What a crash can leave behind, found in the record."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, text

_WORN_OUT = text("""
    SELECT id, attempt FROM jobs
    WHERE state = 'running' AND lease_until < now() AND attempt >= :attempts
""")


def worn_out(connection: Connection, attempts: int) -> list[tuple[UUID, int]]:
    """Jobs whose lease has ended and that may not begin once more: (job, attempt)."""
    return [(row.id, row.attempt) for row in connection.execute(_WORN_OUT, {"attempts": attempts})]


_FORGOTTEN = text("""
    SELECT EXISTS (
        SELECT FROM jobs WHERE state = 'queued' AND ready
            AND created_at < now() - make_interval(secs => :seconds)
    ) AND NOT EXISTS (SELECT FROM outbox)
""")


def forgotten(connection: Connection, after: timedelta) -> bool:
    """Whether a ready job has waited so long that its ticket may be lost."""
    return bool(connection.scalar(_FORGOTTEN, {"seconds": after.total_seconds()}))


_FLOWS = text("""
    WITH counted AS (
        SELECT lane, flow,
            count(*) FILTER (WHERE state = 'running' OR ready) AS opened,
            count(*) FILTER (WHERE state = 'queued' AND NOT ready) AS behind
        FROM jobs WHERE state IN ('queued', 'running') GROUP BY lane, flow
    )
    SELECT flows.lane, flows.flow FROM flows LEFT JOIN counted USING (lane, flow)
    WHERE (flows.opened, flows.behind) <> (coalesce(counted.opened, 0), coalesce(counted.behind, 0))
""")


def crooked_flows(connection: Connection) -> list[tuple[str, str]]:
    """Flows whose counts are not those of their jobs; there are none while all is well."""
    return [(row.lane, row.flow) for row in connection.execute(_FLOWS)]


_UNUSED = text("""
    DELETE FROM sources WHERE stored_at < now() - make_interval(secs => :seconds)
        AND NOT EXISTS (
            SELECT FROM jobs WHERE state IN ('queued', 'running')
                AND (request -> 'sources' ? sources.blob OR request ->> 'mask' = sources.blob)
        )
    RETURNING blob
""")


def unused_sources(connection: Connection, after: timedelta) -> list[str]:
    """Forget uploads older than `after` that no job still waits for; the blobs that can go."""
    return list(connection.scalars(_UNUSED, {"seconds": after.total_seconds()}))


_TIDY = text("""
    DELETE FROM flows WHERE opened = 0 AND behind = 0 AND NOT EXISTS (
        SELECT FROM jobs WHERE jobs.member_key = flows.flow
            AND jobs.created_at > now() - interval '1 day'
    )
""")


def tidy_flows(connection: Connection) -> None:
    """Drop the flows of members who have not ordered for a day: the same as newcomers'."""
    connection.execute(_TIDY)


_KEEP_SOURCE = text("""
    INSERT INTO sources (blob) VALUES (:blob) ON CONFLICT (blob) DO UPDATE SET stored_at = now()
""")


def keep_source(connection: Connection, blob: str) -> None:
    """Remember when an upload was stored (again)."""
    connection.execute(_KEEP_SOURCE, {"blob": blob})
