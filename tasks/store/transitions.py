"""Every change of a job's state. All follow `TRANSITIONS`.

Each is one `UPDATE … WHERE state = … AND attempt = …`, whose row count tells whether it happened.
What belongs to it (the ledger's entry, the delivery's row, the next job of the flow) is in the same
transaction. A transition that did not happen changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Executable, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Interval, Text

from tasks.jobs.job import Job, Reason
from tasks.jobs.states import TRANSITIONS, JobState
from tasks.policy.waitlist import INVITATION_LASTS
from tasks.store import flows, message_locks
from tasks.store.jobs import reason_to_json
from tasks.store.sql import load
from tasks.store.waitlist import RESTORE_INVITATION


class ImpossibleTransition(Exception):
    """A transition that `TRANSITIONS` does not have: a bug."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's right to one job: `token` and the job's `attempt` fence off earlier leases."""

    job: Job
    owner: str
    token: UUID
    until: datetime


@dataclass(frozen=True, slots=True)
class NewPicture:
    """A picture that has just been rendered and stored."""

    id: UUID
    index: int
    blob: str
    mime: str
    width: int
    height: int
    seed: int
    request: dict[str, Any]
    flagged: bool = False


def check(states: Iterable[JobState], to: JobState) -> list[str]:
    """The states' values. Raises ImpossibleTransition where `TRANSITIONS` does not allow one."""
    for state in states:
        if to not in TRANSITIONS[state]:
            raise ImpossibleTransition(f"{state} → {to}")
    return [state.value for state in states]


# Jobs are given, and so locked, in the order of their ids, as everywhere: no deadlocks.
_RENDERED = text(load("mark_rendered")).bindparams(bindparam("finished", type_=JSONB))


@dataclass(frozen=True, slots=True)
class Finished:
    """A leased job whose pictures are stored.

    Its delivery is claimed with `claim_token` for `claim_seconds`. `gpu_seconds` is the render's
    share of the device, where that was measured.
    """

    lease: Lease
    pictures: Sequence[NewPicture]
    claim_token: UUID
    claim_seconds: float
    gpu_seconds: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The JSON that the statement reads."""
        return {
            "job": str(self.lease.job.id),
            "attempt": self.lease.job.attempt,
            "token": str(self.lease.token),
            "claim_token": str(self.claim_token),
            "claim_seconds": self.claim_seconds,
            "gpu_seconds": self.gpu_seconds or None,
            "message_lock": message_locks.key(self.lease.job.id),
            "pictures": [
                {name: getattr(picture, name) for name in NewPicture.__slots__}
                | {"id": str(picture.id)}
                for picture in self.pictures
            ],
        }


@dataclass(frozen=True, slots=True)
class Rendered:
    """A job that is delivering now, with its placeholder.

    `unlocked`: no bot is editing the placeholder, nor will one, as bots edit only queued jobs.
    """

    placeholder: Mapping[str, Any]
    unlocked: bool


def mark_rendered(connection: Connection, finished: Sequence[Finished]) -> list[Rendered | None]:
    """running → delivering, for each job; None where its lease is lost."""
    check([JobState.RUNNING], JobState.DELIVERING)
    in_order = sorted(finished, key=lambda one: one.lease.job.id)
    values = {"finished": [one.to_json() for one in in_order]}
    moved = {
        row.token: Rendered(row.placeholder, row.unlocked)
        for row in connection.execute(_RENDERED, values)
    }
    return [moved.get(one.lease.token) for one in finished]


_DELIVERED = text(load("mark_delivered")).bindparams(bindparam("posted", type_=JSONB))


@dataclass(frozen=True, slots=True)
class Posted:
    """A job's result was published as `message` under the claim `token`."""

    job: UUID
    token: UUID
    message: str


def mark_delivered(connection: Connection, posted: Sequence[Posted]) -> list[bool]:
    """Mark deliveries sent; False where the claim was lost and another message was recorded.

    With pictures: delivering → done, and the hold is captured. Repeating it is harmless, as it must
    be where an answer was lost.
    """
    check([JobState.DELIVERING], JobState.DONE)
    values = [
        {"job": str(one.job), "token": str(one.token), "message": one.message}
        for one in sorted(posted, key=lambda one: one.job)
    ]
    sent = set(connection.scalars(_DELIVERED, {"posted": values}))
    return [one.token in sent for one in posted]


_GUARD = "AND attempt = :attempt"
_END_JOB, _END_LEASED, _END_EXPIRED = (
    text(load("end_job", guard=guard, restore_invitation=RESTORE_INVITATION)).bindparams(
        bindparam("reason", type_=JSONB),
        bindparam("states", type_=ARRAY(Text)),
        bindparam("invitation_lasts", type_=Interval),
    )
    for guard in ("", f"{_GUARD} AND lease_token = :token", _GUARD)
)


def end(
    connection: Connection, job: UUID, states: Sequence[JobState], to: JobState, reason: Reason
) -> bool:
    """End a job that is in one of `states` without a result; whether it was.

    Its hold is voided, its member is notified by a delivery, and an invitation that admitted it is
    open again, for as long as a new one.
    """
    return _end(connection, _END_JOB, job, states, to, reason)


def end_leased(connection: Connection, lease: Lease, to: JobState, reason: Reason) -> bool:
    """End a running job as `end` does; False where the lease is lost."""
    guard = {"attempt": lease.job.attempt, "token": lease.token}
    states = [JobState.RUNNING]
    return _end(connection, _END_LEASED, lease.job.id, states, to, reason, guard)


def end_attempt(connection: Connection, job: UUID, attempt: int, reason: Reason) -> bool:
    """Fail a running job as `end` does; False where it is in another attempt by now."""
    states, guard = [JobState.RUNNING], {"attempt": attempt}
    return _end(connection, _END_EXPIRED, job, states, JobState.FAILED, reason, guard)


def end_undeliverable(connection: Connection, job: UUID, reason: Reason) -> bool:
    """Fail a delivering job whose platform takes no message: no delivery is queued for it."""
    states = [JobState.DELIVERING]
    outcome = {"delivery_state": "failed"}
    return _end(connection, _END_JOB, job, states, JobState.FAILED, reason, outcome)


def _end(
    connection: Connection,
    statement: Executable,
    job: UUID,
    states: Sequence[JobState],
    to: JobState,
    reason: Reason,
    more: Mapping[str, Any] | None = None,
) -> bool:
    values = {
        "job": job,
        "states": check(states, to),
        "to": to.value,
        "reason": reason_to_json(reason),
        "delivery_state": "pending",
        "invitation_lasts": INVITATION_LASTS,
    }
    moved = connection.execute(statement, {**values, **(more or {})}).one_or_none()
    if moved is None:
        return False
    if moved.before == JobState.QUEUED:
        flows.leave(connection, moved.lane, moved.flow, moved.cost_seconds, moved.ready)
    elif moved.before == JobState.RUNNING:
        flows.settle(connection, moved.lane, moved.flow)
    return True


_REQUEUE_LEASED, _REQUEUE_OWNED, _REQUEUE_EXPIRED = (
    text(load("requeue", which=which)).bindparams(bindparam("reason", type_=JSONB))
    for which in (
        "id = :job AND lease_token = :token",
        "lease_owner = :owner",
        "lease_until < now()",
    )
)
UNLIMITED_ATTEMPTS = 2**31 - 1


def requeue_leased(
    connection: Connection, lease: Lease, attempts: int, reason: Reason | None = None
) -> bool:
    """running → queued; False where the lease is lost or the job has begun `attempts` times."""
    values = {"job": lease.job.id, "token": lease.token}
    return bool(_requeue(connection, _REQUEUE_LEASED, values, attempts, "requeued", reason))


def requeue_owned(connection: Connection, owner: str, attempts: int) -> list[UUID]:
    """running → queued for every job of a worker, except those that began `attempts` times."""
    return _requeue(connection, _REQUEUE_OWNED, {"owner": owner}, attempts, "lost")


def requeue_expired(connection: Connection, attempts: int) -> list[UUID]:
    """running → queued for every expired lease, except jobs that began `attempts` times."""
    return _requeue(connection, _REQUEUE_EXPIRED, {}, attempts, "lost")


def _requeue(
    connection: Connection,
    statement: Executable,
    values: Mapping[str, Any],
    attempts: int,
    outcome: str,
    reason: Reason | None = None,
) -> list[UUID]:
    check([JobState.RUNNING], JobState.QUEUED)
    details = reason_to_json(reason) if reason else None
    more = {"attempts": attempts, "outcome": outcome, "reason": details}
    return [row.id for row in connection.execute(statement, {**values, **more})]
