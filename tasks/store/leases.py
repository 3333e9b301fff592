"""Leases: taking the next job of the queue, renewing, and asking a running job to stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Double, Text, Uuid

from tasks.jobs.job import Reason
from tasks.jobs.states import JobState
from tasks.queue.fairness import AGEING
from tasks.store.jobs import (
    JOB_COLUMN_NAMES,
    JOB_COLUMNS,
    job_of,
    reason_from_json,
    reason_to_json,
)
from tasks.store.schema import jobs as job_rows
from tasks.store.sql import load
from tasks.store.transitions import Lease, check

# The function is in `tasks/store/sql/lease.sql`; its rules are those of `tasks.queue.fairness`.
_LEASE = (
    text(f"""
        SELECT {JOB_COLUMN_NAMES}, lease_token, lease_until FROM atelier_lease_several(
            :lanes, :express_lanes, :profiles, :owner, :tokens, :express, :seconds, :ageing)
    """)
    .bindparams(
        bindparam("lanes", type_=ARRAY(Text)),
        bindparam("express_lanes", type_=ARRAY(Text)),
        bindparam("profiles", type_=ARRAY(Text)),
        bindparam("owner", type_=Text),
        bindparam("tokens", type_=ARRAY(Uuid)),
        bindparam("seconds", type_=Double),
        bindparam("ageing", type_=Double),
    )
    .columns(*JOB_COLUMNS, job_rows.c.lease_token, job_rows.c.lease_until)
)


STOP_CHANNEL = "atelier_stop"


@dataclass(frozen=True, slots=True)
class LeaseRequest:
    """A worker's name, the lanes it leases from, and the profiles that it can render.

    `express` are the lanes that slots reserved for express work lease from.
    """

    owner: str
    lanes: Sequence[str]
    profiles: Sequence[str]
    express: Sequence[str] = ()


def lease_several(
    connection: Connection, request: LeaseRequest, seconds: float, count: int, express: int = 0
) -> list[Lease]:
    """Lease up to `count` of the fairest ready jobs, in their order.

    The last `express` of `count` come from the express lanes. The cost does not depend on the
    length of the queue: one index probe for each lane and profile.
    """
    check([JobState.QUEUED], JobState.RUNNING)
    rows = connection.execute(
        _LEASE,
        {
            "lanes": list(request.lanes),
            "express_lanes": list(request.express),
            "profiles": list(request.profiles),
            "owner": request.owner,
            "tokens": [uuid4() for _ in range(count)],
            "express": express,
            "seconds": seconds,
            "ageing": AGEING,
        },
    ).mappings()
    return [
        Lease(job_of(row), request.owner, row["lease_token"], row["lease_until"]) for row in rows
    ]


def lease(
    connection: Connection,
    owner: str,
    lanes: Sequence[str],
    profiles: Sequence[str],
    seconds: float,
) -> Lease | None:
    """Lease the fairest ready job of these lanes and profiles."""
    return next(
        iter(lease_several(connection, LeaseRequest(owner, lanes, profiles), seconds, 1)), None
    )


_READY = text(load("any_ready")).bindparams(
    bindparam("lanes", type_=ARRAY(Text)), bindparam("profiles", type_=ARRAY(Text))
)


def any_ready(connection: Connection, lanes: Sequence[str], profiles: Sequence[str]) -> bool:
    """Whether a lease could be taken now."""
    return bool(connection.scalar(_READY, {"lanes": list(lanes), "profiles": list(profiles)}))


_RENEW = text(load("renew_leases")).bindparams(
    bindparam("tokens", type_=ARRAY(Uuid)), bindparam("ids", type_=ARRAY(Uuid))
)


def renew(
    connection: Connection, leases: Sequence[Lease], seconds: float
) -> dict[UUID, Reason | None]:
    """Extend leases. Those still held, by token, each with a request to stop if there is one."""
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
