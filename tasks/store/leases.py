"""Leases: taking the next job of the line, renewing, and asking a running job to stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Double, Text, Uuid

from tasks.fairness import AGEING
from tasks.job import JobState, Reason
from tasks.store.jobs import JOB_COLUMNS, job_of, reason_from_json, reason_to_json
from tasks.store.transitions import Lease, check

# The rules of `tasks.fairness`, written out where the lease is: see migrations 0002 and 0008.
_LEASE = text(f"""
    SELECT {JOB_COLUMNS}, lease_token, lease_until FROM atelier_lease_several(
        :lanes, :express_lanes, :profiles, :owner, :tokens, :express, :seconds, :ageing)
""").bindparams(
    bindparam("lanes", type_=ARRAY(Text)),
    bindparam("express_lanes", type_=ARRAY(Text)),
    bindparam("profiles", type_=ARRAY(Text)),
    bindparam("owner", type_=Text),
    bindparam("tokens", type_=ARRAY(Uuid)),
    bindparam("seconds", type_=Double),
    bindparam("ageing", type_=Double),
)


@dataclass(frozen=True, slots=True)
class Taker:
    """Who takes leases: its name, the lanes it takes from, and the profiles that it can make.

    `express` are those of its lanes that places kept for pressing work take from.
    """

    owner: str
    lanes: Sequence[str]
    profiles: Sequence[str]
    express: Sequence[str] = ()


def lease_several(
    connection: Connection, taker: Taker, seconds: float, count: int, express: int = 0
) -> list[Lease]:
    """Take up to `count` of the fairest ready jobs, in their order; the last `express` of them,
    where there are so many, come from the express lanes.

    Each costs the same whatever waits: a probe of the line's head for each lane and profile.
    """
    check([JobState.QUEUED], JobState.RUNNING)
    rows = connection.execute(
        _LEASE,
        {
            "lanes": list(taker.lanes),
            "express_lanes": list(taker.express),
            "profiles": list(taker.profiles),
            "owner": taker.owner,
            "tokens": [uuid4() for _ in range(count)],
            "express": express,
            "seconds": seconds,
            "ageing": AGEING,
        },
    ).mappings()
    return [Lease(job_of(row), taker.owner, row["lease_token"], row["lease_until"]) for row in rows]


def lease(
    connection: Connection,
    owner: str,
    lanes: Sequence[str],
    profiles: Sequence[str],
    seconds: float,
) -> Lease | None:
    """Take the fairest ready job of these lanes that one of the profiles can make."""
    return next(iter(lease_several(connection, Taker(owner, lanes, profiles), seconds, 1)), None)


_READY = text("""
    SELECT EXISTS (
        SELECT FROM unnest(:lanes) AS lane(name), unnest(:profiles) AS wanted(profile),
            LATERAL (
                SELECT FROM jobs WHERE lane = lane.name AND profile = wanted.profile
                    AND state = 'queued' AND ready
                ORDER BY start_tag, created_at LIMIT 1
            ) AS head
    )
""").bindparams(bindparam("lanes", type_=ARRAY(Text)), bindparam("profiles", type_=ARRAY(Text)))


def any_ready(connection: Connection, lanes: Sequence[str], profiles: Sequence[str]) -> bool:
    """Whether a lease could be taken now."""
    return bool(connection.scalar(_READY, {"lanes": list(lanes), "profiles": list(profiles)}))


_RENEW = text("""
    WITH held AS (
        SELECT id FROM jobs
        WHERE lease_token = ANY(:tokens) AND id = ANY(:ids) AND state = 'running'
        ORDER BY id FOR UPDATE
    )
    UPDATE jobs SET lease_until = now() + make_interval(secs => :seconds)
    FROM held WHERE jobs.id = held.id
    RETURNING lease_token, cancelling
""").bindparams(bindparam("tokens", type_=ARRAY(Uuid)), bindparam("ids", type_=ARRAY(Uuid)))


def renew(
    connection: Connection, leases: Sequence[Lease], seconds: float
) -> dict[UUID, Reason | None]:
    """Hold the leases longer. Those that are still ours, by token, with a wish to stop if any."""
    if not leases:
        return {}
    values: dict[str, Any] = {
        "ids": [held.job.id for held in leases],
        "tokens": [held.token for held in leases],
        "seconds": seconds,
    }
    rows = connection.execute(_RENEW, values)
    return {row.lease_token: reason_from_json(row.cancelling) for row in rows}


_ASK_TO_STOP = text("""
    WITH asked AS (
        UPDATE jobs SET cancelling = :reason
        WHERE id = :job AND state = 'running' RETURNING id
    )
    SELECT pg_notify('atelier_stop', CAST(id AS text)) FROM asked
""").bindparams(bindparam("reason", type_=JSONB))


def ask_to_stop(connection: Connection, job: UUID, reason: Reason) -> bool:
    """Ask the worker that runs a job to stop it; whether it is running."""
    values = {"job": job, "reason": reason_to_json(reason)}
    return connection.execute(_ASK_TO_STOP, values).one_or_none() is not None
