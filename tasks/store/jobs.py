"""Jobs: reading them, and conversion between rows and dataclasses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Select, exists, select, text, update

from imaging.request import ImageRequest
from tasks.jobs.job import Job, Order, Picture, Reason
from tasks.jobs.members import Member, Place
from tasks.jobs.states import ENDED, JobState
from tasks.jobs.tiers import Tier
from tasks.store.schema import deliveries, jobs, pictures

_MEMBER_FIELDS = tuple(one.name for one in fields(Member))
WITH_PICTURES = frozenset({JobState.DELIVERING, JobState.DONE})


_LATE_CANCELLATIONS = text("""
    SELECT count(*) FROM jobs
    WHERE member_key = :key AND state = 'cancelled' AND started_at IS NOT NULL
        AND created_at > now() - interval '1 day' AND ended_at > now() - interval '1 hour'
""")


def late_cancellations(connection: Connection, member_key: str) -> int:
    """How many of a member's orders were cancelled within the last hour after they had started."""
    return int(connection.execute(_LATE_CANCELLATIONS, {"key": member_key}).scalar_one())


def member_to_json(member: Member) -> dict[str, Any]:
    """A member as plain JSON."""
    values = {name: getattr(member, name) for name in _MEMBER_FIELDS}
    return values | {"roles": sorted(member.roles)}


def member_from_json(values: Mapping[str, Any]) -> Member:
    """The member that `member_to_json` wrote."""
    return Member(**{**values, "roles": frozenset(values["roles"])})


def reason_to_json(reason: Reason) -> dict[str, Any]:
    """A reason as plain JSON; times become ISO strings."""
    details = {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in reason.details.items()
    }
    return {"code": reason.code, "details": details}


def reason_from_json(values: Mapping[str, Any] | None) -> Reason | None:
    """The reason that `reason_to_json` wrote."""
    return Reason(values["code"], values["details"]) if values else None


def order_of(row: RowMapping) -> Order:
    """The order of a row of `jobs`."""
    return Order(
        key=row["key"],
        command=row["command"],
        member=member_from_json(row["member"]),
        place=Place(row["platform"], row["workspace"], row["channel"], row["thread"]),
        request=ImageRequest.from_json(row["request"]),
        parent=row["parent"],
        private=row["private"],
        reply_to=row["reply_to"],
    )


JOB_COLUMN_NAMES = """
    id, key, command, member, platform, workspace, channel, thread, request, parent, private,
    reply_to, tier, state, attempt, cost, created_at, started_at, ended_at, reason, placeholder,
    degraded, invitation
"""
"""The columns that `job_of` reads; each further column costs time in the client."""

JOB_COLUMNS = tuple(jobs.c[name.strip()] for name in JOB_COLUMN_NAMES.split(","))
"""The same for `columns` of a text statement: SQLAlchemy then prepares for its rows only once."""


def job_of(row: RowMapping, of_job: Sequence[Picture] = ()) -> Job:
    """A row of `jobs` as a Job, without its queue position."""
    return Job(
        id=row["id"],
        order=order_of(row),
        tier=Tier(row["tier"]),
        state=JobState(row["state"]),
        attempt=row["attempt"],
        cost=row["cost"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        reason=reason_from_json(row["reason"]),
        pictures=tuple(of_job),
        placeholder=row["placeholder"],
        degraded=row["degraded"],
        invited=row["invitation"] is not None,
    )


def picture_of(row: RowMapping) -> Picture:
    """A row of `pictures` as a Picture."""
    return Picture(
        id=row["id"],
        job=row["job"],
        index=row["index"],
        blob=row["blob"],
        mime=row["mime"],
        width=row["width"],
        height=row["height"],
        seed=row["seed"],
        parent=row["parent"],
        instruction=row["instruction"],
        request=ImageRequest.from_json(row["request"]),
        created_at=row["created_at"],
        deleted=row["deleted"],
        flagged=row["flagged"],
    )


def read(connection: Connection, job: UUID) -> Job | None:
    """One job with its pictures."""
    found = read_all(connection, select(jobs).where(jobs.c.id == job))
    return found[0] if found else None


def by_key(connection: Connection, key: str) -> Job | None:
    """The job that was accepted under this idempotency key."""
    found = read_all(connection, select(jobs).where(jobs.c.key == key))
    return found[0] if found else None


def read_all(connection: Connection, query: Select[Any]) -> list[Job]:
    """The jobs of a query over `jobs`, with their pictures, in the query's order."""
    rows = connection.execute(query).mappings().all()
    wanted = [row["id"] for row in rows if row["state"] in WITH_PICTURES]
    by_job: dict[UUID, list[Picture]] = {}
    if wanted:
        inside = select(pictures).where(pictures.c.job.in_(wanted)).order_by(pictures.c.index)
        for row in connection.execute(inside).mappings():
            by_job.setdefault(row["job"], []).append(picture_of(row))
    return [job_of(row, by_job.get(row["id"], ())) for row in rows]


def any_of(connection: Connection, member_key: str) -> bool:
    """Whether a member has ever had a job."""
    return bool(connection.scalar(select(exists().where(jobs.c.member_key == member_key))))


def active(connection: Connection, member_key: str) -> list[Job]:
    """A member's jobs that have not ended, oldest first."""
    states = [state.value for state in JobState if state not in ENDED]
    query = select(jobs).where(jobs.c.member_key == member_key, jobs.c.state.in_(states))
    return read_all(connection, query.order_by(jobs.c.created_at))


def waiting_on(connection: Connection, platform: str) -> list[Job]:
    """Every queued job of a platform, oldest first."""
    query = select(jobs).where(jobs.c.platform == platform, jobs.c.state == JobState.QUEUED.value)
    return read_all(connection, query.order_by(jobs.c.created_at))


def in_place(connection: Connection, place: Place, limit: int) -> list[Job]:
    """The newest jobs of a place, oldest first."""
    query = select(jobs).where(
        jobs.c.platform == place.platform,
        jobs.c.workspace == place.workspace,
        jobs.c.channel == place.channel,
    )
    if place.thread is not None:
        query = query.where(jobs.c.thread == place.thread)
    newest = read_all(connection, query.order_by(jobs.c.created_at.desc()).limit(limit))
    return newest[::-1]


def by_short(connection: Connection, member_key: str, short: str) -> Job | None:
    """The newest of a member's jobs whose id ends in `short`."""
    ending = jobs.c.id.cast(jobs.c.key.type).endswith(short.lower(), autoescape=True)
    query = select(jobs).where(jobs.c.member_key == member_key, ending)
    found = read_all(connection, query.order_by(jobs.c.created_at.desc()).limit(1))
    return found[0] if found else None


def set_placeholder(connection: Connection, job: UUID, placeholder: Mapping[str, Any]) -> None:
    """Record the message that will become the job's result."""
    connection.execute(update(jobs).where(jobs.c.id == job).values(placeholder=dict(placeholder)))


_CLAIM_PLACEHOLDER = text(
    """
    UPDATE jobs SET placeholder = CASE placeholder WHEN '{}' THEN CAST(:mine AS jsonb)
                                  ELSE placeholder END
    WHERE id = :job RETURNING placeholder
    """
)


def claim_placeholder(
    connection: Connection, job: UUID, placeholder: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Record the job's placeholder unless it has one; the recorded placeholder.

    Of several processes that posted one concurrently, the first wins.
    """
    values = {"job": job, "mine": json.dumps(dict(placeholder))}
    found: Mapping[str, Any] | None = connection.scalar(_CLAIM_PLACEHOLDER, values)
    return placeholder if found is None else found


def delivered_message(connection: Connection, job: UUID) -> str | None:
    """The message of a job's delivery."""
    return connection.scalar(select(deliveries.c.message).where(deliveries.c.job == job))
