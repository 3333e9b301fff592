"""Leases: taking the next job of the line, renewing, and asking a running job to stop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Double, Text, Uuid

from tasks.fairness import AGEING
from tasks.job import JobState, Reason
from tasks.store.jobs import job_of, reason_from_json, reason_to_json
from tasks.store.transitions import Lease, check

# The rules of `tasks.fairness`, written out where the lease is: see migration 0002.
_LEASE = text("""
    SELECT * FROM atelier_lease(:lanes, :profiles, :owner, :token, :seconds, :ageing)
""").bindparams(
    bindparam("lanes", type_=ARRAY(Text)),
    bindparam("profiles", type_=ARRAY(Text)),
    bindparam("owner", type_=Text),
    bindparam("token", type_=Uuid),
    bindparam("seconds", type_=Double),
    bindparam("ageing", type_=Double),
)


def lease(
    connection: Connection,
    owner: str,
    lanes: Sequence[str],
    profiles: Sequence[str],
    seconds: float,
) -> Lease | None:
    """Take the fairest ready job of these lanes that one of the profiles can make.

    One call costs the same whatever waits: a probe of the line's head for each lane and profile.
    """
    check([JobState.QUEUED], JobState.RUNNING)
    token = uuid4()
    row = (
        connection.execute(
            _LEASE,
            {
                "lanes": list(lanes),
                "profiles": list(profiles),
                "owner": owner,
                "token": token,
                "seconds": seconds,
                "ageing": AGEING,
            },
        )
        .mappings()
        .one_or_none()
    )
    return Lease(job_of(row), owner, token, row["lease_until"]) if row else None


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
    UPDATE jobs SET lease_until = now() + make_interval(secs => :seconds)
    WHERE lease_token = ANY(:tokens) AND id = ANY(:ids) AND state = 'running'
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
