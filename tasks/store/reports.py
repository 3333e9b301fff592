"""Reports of pictures: made by members, decided by moderators or the operator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, text

from tasks.jobs.job import Job
from tasks.jobs.members import Member
from tasks.store import jobs
from tasks.store.schema import reports


class Outcome(StrEnum):
    """What was decided about a report."""

    KEPT = "kept"
    REMOVED = "removed"
    BLOCKED = "blocked"  # removed, and the owner blocked in the server


@dataclass(frozen=True, slots=True)
class OpenReport:
    """All open reports of one job; `reasons` are the members' words, the first report first."""

    job: Job
    reasons: tuple[str, ...]
    reported_at: datetime


@dataclass(frozen=True, slots=True)
class PostedReport:
    """An open report that is to be posted in the channel that the server's moderators chose."""

    report: OpenReport
    channel: str


_REPEAT = text("""
    UPDATE reports SET words = CASE WHEN :words = '' THEN words ELSE :words END
    WHERE job = :job AND by_member = :by AND outcome IS NULL
""")


def add(connection: Connection, job: UUID, by: Member, words: str) -> None:
    """Record a member's report of a job's pictures.

    A repeated one replaces the words of the first, and is not posted again.
    """
    values = {"job": job, "by": by.key, "words": words}
    if connection.execute(_REPEAT, values).rowcount == 0:
        connection.execute(insert(reports).values(job=job, by_member=by.key, words=words))


_OPEN = """
    SELECT reports.job, array_agg(reports.words ORDER BY reports.id) AS reasons,
        min(reports.at) AS reported_at
    FROM reports JOIN jobs ON jobs.id = reports.job
    WHERE outcome IS NULL {where}
    GROUP BY reports.job ORDER BY min(reports.id) LIMIT :limit
"""
_ALL = text(_OPEN.format(where=""))
_IN_SERVER = text(
    _OPEN.format(where="AND jobs.platform = :platform AND jobs.workspace = :workspace")
)


def open_in(
    connection: Connection, platform: str, workspace: str, limit: int
) -> Sequence[OpenReport]:
    """A server's open reports, oldest first."""
    values = {"platform": platform, "workspace": workspace, "limit": limit}
    return _reports(connection, connection.execute(_IN_SERVER, values))


def every_open(connection: Connection, limit: int) -> Sequence[OpenReport]:
    """The open reports of all servers, oldest first."""
    return _reports(connection, connection.execute(_ALL, {"limit": limit}))


_IS_OPEN = text("SELECT EXISTS (SELECT FROM reports WHERE job = :job AND outcome IS NULL)")


def is_open(connection: Connection, job: UUID) -> bool:
    """Whether a job has a report that nobody has decided."""
    return bool(connection.scalar(_IS_OPEN, {"job": job}))


_DECIDE = text("""
    UPDATE reports SET outcome = :outcome, decided_by = :by, decided_at = now()
    WHERE job = :job AND outcome IS NULL
""")


def decide(connection: Connection, job: UUID, outcome: Outcome, by: str) -> bool:
    """Close a job's open reports; whether there were any."""
    values = {"job": job, "outcome": outcome.value, "by": by}
    return connection.execute(_DECIDE, values).rowcount > 0


_CLAIM_UNPOSTED = text("""
    WITH unposted AS (
        SELECT DISTINCT reports.job, workspaces.settings ->> 'reports_channel' AS channel
        FROM reports JOIN jobs ON jobs.id = reports.job
        JOIN workspaces USING (platform, workspace)
        WHERE outcome IS NULL AND posted_at IS NULL AND jobs.platform = :platform
            AND workspaces.settings ->> 'reports_channel' IS NOT NULL
        LIMIT :limit
    ), claimed AS (
        UPDATE reports SET posted_at = now() FROM unposted
        WHERE reports.job = unposted.job AND posted_at IS NULL
        RETURNING reports.job, reports.id, words, at, channel
    )
    SELECT job, channel, array_agg(words ORDER BY id) AS reasons, min(at) AS reported_at
    FROM claimed GROUP BY job, channel
""")


def claim_unposted(connection: Connection, platform: str, limit: int) -> Sequence[PostedReport]:
    """Reports that no process has posted yet, in servers with a channel for them."""
    rows = connection.execute(_CLAIM_UNPOSTED, {"platform": platform, "limit": limit}).all()
    found = {report.job.id: report for report in _reports(connection, rows)}
    return [PostedReport(found[row.job], row.channel) for row in rows if row.job in found]


def release_unposted(connection: Connection, job: UUID) -> None:
    """Let a job's reports be posted again, after a failure."""
    query = text("UPDATE reports SET posted_at = NULL WHERE job = :job AND outcome IS NULL")
    connection.execute(query, {"job": job})


_CLAIM_REMOVED = text("""
    UPDATE reports SET owner_notified_at = now() FROM jobs
    WHERE jobs.id = reports.job AND jobs.platform = :platform AND owner_notified_at IS NULL
        AND outcome IN ('removed', 'blocked')
    RETURNING reports.job
""")


def claim_removed(connection: Connection, platform: str) -> Sequence[Job]:
    """Jobs whose pictures were removed and whose owners were not notified yet."""
    claimed = set(connection.scalars(_CLAIM_REMOVED, {"platform": platform}))
    found = (jobs.read(connection, job) for job in claimed)
    return [job for job in found if job is not None]


def release_removed(connection: Connection, job: UUID) -> None:
    """Let a removed job's owner be notified again, after a failure."""
    query = text("UPDATE reports SET owner_notified_at = NULL WHERE job = :job")
    connection.execute(query, {"job": job})


def _reports(connection: Connection, rows: Iterable[Any]) -> list[OpenReport]:
    found = ((jobs.read(connection, row.job), row) for row in rows)
    return [
        OpenReport(job, tuple(row.reasons), row.reported_at)
        for job, row in found
        if job is not None
    ]
