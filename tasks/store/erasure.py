"""Erasure of a member's data, of a server's, or of one job's pictures.

Active jobs get a tombstone, `erased_at`: queued ones are cancelled, running ones are asked to stop,
and what they still produce is erased once they have ended. Messages on the platform are queued for
removal (`tasks.store.removals`). Blobs are listed as orphans that are due, so that a failure of the
blob store only delays their deletion.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Boolean, Text, Uuid

from tasks.jobs.job import Reason
from tasks.jobs.states import JobState
from tasks.store import leases, transitions
from tasks.store.sql import load

BATCH = 500

_MARK = text("""
    UPDATE jobs SET erased_at = now() WHERE member_key = :key AND erased_at IS NULL
    RETURNING id, state
""")


def erase_member(connection: Connection, key: str) -> list[str]:
    """Erase all that can be erased now; the blobs to delete. Blocks and the ledger stay."""
    for job in connection.execute(_MARK, {"key": key}).all():
        _stop(connection, job.id, JobState(job.state))
    for statement in _ERASE_MEMBER:
        connection.execute(statement, {"key": key})
    sources = list(connection.scalars(_DISOWN, {"key": key}))
    _list_due(connection, sources)
    return [*erase_ended(connection, key), *sources]


_ERASE_MEMBER = (
    text("DELETE FROM reports WHERE by_member = :key"),
    text("DELETE FROM waitlist WHERE member_key = :key"),
    text("UPDATE members SET name = '', preferences = '{}' WHERE key = :key"),
)

_DISOWN = text("""
    WITH disowned AS (DELETE FROM sources WHERE member_key = :key RETURNING blob)
    SELECT blob FROM disowned WHERE NOT EXISTS (
        SELECT FROM sources WHERE sources.blob = disowned.blob AND member_key <> :key
    )
""")


def _stop(connection: Connection, job: UUID, state: JobState) -> None:
    reason = Reason("cancelled")
    if state is JobState.QUEUED:
        transitions.end(connection, job, [JobState.QUEUED], JobState.CANCELLED, reason)
    elif state is JobState.RUNNING:
        leases.ask_to_stop(connection, job, reason)


_ENDED = text("""
    SELECT id FROM jobs
    WHERE erased_at IS NOT NULL AND state NOT IN ('queued', 'running', 'delivering')
        AND (CAST(:key AS text) IS NULL OR member_key = :key)
    ORDER BY id LIMIT :limit
""")


def erase_ended(connection: Connection, key: str | None = None) -> list[str]:
    """Erase jobs with a tombstone that have ended, of one member or of all; their blobs."""
    erased: list[str] = []
    while jobs := list(connection.scalars(_ENDED, {"key": key, "limit": BATCH})):
        erased += erase_jobs(connection, jobs)
    return erased


_ERASE_JOBS = text(load("erase_jobs")).bindparams(
    bindparam("jobs", type_=ARRAY(Uuid)), bindparam("remove_messages", type_=Boolean)
)


def erase_jobs(
    connection: Connection, jobs: Collection[UUID], remove_messages: bool = True
) -> list[str]:
    """Erase ended jobs; the blobs to delete. Jobs that have not ended are left alone."""
    values = {"jobs": sorted(jobs), "remove_messages": remove_messages}
    blobs = list(connection.scalars(_ERASE_JOBS, values))
    _list_due(connection, blobs)
    return blobs


_DETACH = text(load("detach_sources")).bindparams(bindparam("blobs", type_=ARRAY(Text)))
_LIST_DUE = text("""
    INSERT INTO orphans (blob, marked_at) SELECT blob, '-infinity' FROM unnest(:blobs) AS blob
    ON CONFLICT (blob) DO UPDATE SET marked_at = '-infinity'
""").bindparams(bindparam("blobs", type_=ARRAY(Text)))


def _list_due(connection: Connection, blobs: Sequence[str]) -> None:
    """Detach other jobs from erased blobs, and list the blobs for immediate deletion."""
    if blobs:
        connection.execute(_DETACH, {"blobs": blobs})
        connection.execute(_LIST_DUE, {"blobs": blobs})


_UNLIST = text("DELETE FROM orphans WHERE blob = ANY(:blobs)").bindparams(
    bindparam("blobs", type_=ARRAY(Text))
)


def deleted(connection: Connection, blobs: Sequence[str]) -> None:
    """The blobs have been deleted."""
    connection.execute(_UNLIST, {"blobs": list(blobs)})


_DELETE_PICTURES = text("""
    WITH marked AS (
        UPDATE pictures SET deleted = true WHERE job = :job AND NOT deleted RETURNING blob
    ), queued AS (
        INSERT INTO removals (job, member_key, platform, place, message, placeholder, memory)
        SELECT jobs.id, member_key, jobs.platform, jsonb_build_object('platform', jobs.platform,
                'workspace', workspace, 'channel', channel, 'thread', thread),
            message, placeholder, coalesce(memory, '{}')
        FROM jobs LEFT JOIN deliveries ON deliveries.job = jobs.id
        WHERE jobs.id = :job AND EXISTS (SELECT FROM marked)
        ON CONFLICT (job) DO NOTHING
    )
    SELECT blob FROM marked
""")


def delete_pictures(connection: Connection, job: UUID) -> list[str]:
    """Delete a job's pictures and queue its message for removal; the blobs to delete."""
    blobs = list(connection.scalars(_DELETE_PICTURES, {"job": job}))
    _list_due(connection, blobs)
    return blobs


_LEAVE = text("""
    INSERT INTO departures (platform, workspace) VALUES (:platform, :workspace)
    ON CONFLICT (platform, workspace) DO NOTHING
""")
_RETURN = text("DELETE FROM departures WHERE platform = :platform AND workspace = :workspace")


def record_departure(connection: Connection, platform: str, workspace: str) -> None:
    """A server has removed the bot: its data is erased after the grace period."""
    connection.execute(_LEAVE, {"platform": platform, "workspace": workspace})


def record_return(connection: Connection, platform: str, workspace: str) -> None:
    """A server has added the bot again: nothing of it is erased."""
    connection.execute(_RETURN, {"platform": platform, "workspace": workspace})


_DEPARTED = text("""
    SELECT platform, workspace FROM departures
    WHERE left_at < now() - make_interval(secs => :seconds)
        AND NOT EXISTS (  -- the bot is in use there again
            SELECT FROM jobs WHERE jobs.platform = departures.platform
                AND jobs.workspace = departures.workspace AND jobs.created_at > left_at
        )
    ORDER BY left_at LIMIT 1 FOR UPDATE SKIP LOCKED
""")
_MEMBERS = text("""
    SELECT key FROM members WHERE platform = :platform AND workspace = :workspace
    UNION SELECT member_key FROM waitlist
    WHERE place ->> 'platform' = :platform AND place ->> 'workspace' = :workspace
""")
_ERASE_SERVER = tuple(
    text(f"DELETE FROM {table} WHERE platform = :platform AND workspace = :workspace")
    for table in ("tier_map", "workspaces", "doors", "installs", "audit", "members", "departures")
)


def erase_departed(connection: Connection, grace: timedelta) -> tuple[str, list[str]] | None:
    """Erase one server that left longer than `grace` ago: its name, and the blobs to delete.

    Its messages stay: the bot is not there to remove them. The ledger's sums stay.
    """
    server = connection.execute(_DEPARTED, {"seconds": grace.total_seconds()}).one_or_none()
    if server is None:
        return None
    where = {"platform": server.platform, "workspace": server.workspace}
    blobs: list[str] = []
    for key in connection.scalars(_MEMBERS, where).all():
        blobs += erase_member(connection, key)
    for statement in (*_ERASE_SERVER, _FORGET_REMOVALS):
        connection.execute(statement, where)
    return f"{server.platform}:{server.workspace}", blobs


_FORGET_REMOVALS = text("""
    DELETE FROM removals WHERE platform = :platform AND place ->> 'workspace' = :workspace
""")
