"""Every change of a job's state. All are here, and all follow `TRANSITIONS`.

Each is one `UPDATE … WHERE state = … AND attempt = …` whose row count tells whether it happened;
what must happen with it (the ledger's entry, the delivery's row, the next job of the flow) happens
in the same transaction. A transition that did not happen changes nothing and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Interval, Text

from tasks.job import TRANSITIONS, Job, JobState, Reason
from tasks.store import fences, flows
from tasks.store.jobs import reason_to_json
from tasks.store.waitlist import STANDS_AGAIN
from tasks.waitlist import INVITATION_LASTS


class ImpossibleTransition(Exception):
    """A transition that `TRANSITIONS` does not have: a mistake in the program."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's right to one job: `token` and the `attempt` fence off whoever had it before."""

    job: Job
    owner: str
    token: UUID
    until: datetime


@dataclass(frozen=True, slots=True)
class NewPicture:
    """A picture that has just been made and stored."""

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
    """The states' values, once `TRANSITIONS` is seen to allow each. Raises ImpossibleTransition."""
    for state in states:
        if to not in TRANSITIONS[state]:
            raise ImpossibleTransition(f"{state} → {to}")
    return [state.value for state in states]


# Several at once, each looked up by its key (see migration 0008). They are given in the order of
# their keys, and so locked in it, as everywhere: no two calls get in a knot.
_RENDERED = text("""
    WITH given AS MATERIALIZED (
        SELECT g.* FROM atelier_each(:finished) AS item, jsonb_to_record(item) AS g(
            job uuid, attempt int, token uuid, poster uuid, hold double precision,
            gpu_seconds double precision, fence bigint, pictures jsonb)
    ), moved AS (
        UPDATE jobs SET state = 'delivering', rendered_at = clock_timestamp(), lease_until = NULL,
            cancelling = NULL
        FROM given WHERE jobs.id = given.job AND jobs.state = 'running'
            AND jobs.attempt = given.attempt AND jobs.lease_token = given.token
        RETURNING jobs.id, jobs.attempt, platform, lane, flow, parent, request,
            request ->> 'prompt' AS prompt, cost_seconds, rendered_at, placeholder,
            given.token, given.poster, given.hold, given.gpu_seconds, given.fence, given.pictures
    ), ended AS (
        UPDATE attempts SET ended_at = clock_timestamp(), outcome = 'rendered',
            gpu_seconds = moved.gpu_seconds
        FROM moved WHERE attempts.job = moved.id AND attempts.attempt = moved.attempt
        RETURNING moved.request, moved.gpu_seconds,
            extract(epoch FROM attempts.ended_at - attempts.started_at) AS lasted
    ), learnt AS (
        INSERT INTO cost_samples (request, seconds, job_seconds)
        SELECT request, gpu_seconds, lasted FROM ended WHERE gpu_seconds > 0
    ), told AS (
        UPDATE estimates SET settled_at = rendered_at,
            actual = extract(epoch FROM rendered_at - given_at)
        FROM moved WHERE estimates.job = moved.id AND actual IS NULL
    ), posted AS (
        INSERT INTO deliveries (job, platform, state, owner, owner_until, tries)
        SELECT id, platform, 'pending', poster, now() + make_interval(secs => hold), 1 FROM moved
    ), kept AS (
        INSERT INTO pictures (id, job, index, blob, mime, width, height, seed, parent, instruction,
            request, flagged)
        SELECT p.id, moved.id, p.index, p.blob, p.mime, p.width, p.height, p.seed, moved.parent,
            moved.prompt, p.request, p.flagged
        FROM moved, jsonb_to_recordset(moved.pictures) AS p(id uuid, index int, blob text,
            mime text, width int, height int, seed bigint, request jsonb, flagged boolean)
    ), corrected AS (
        INSERT INTO lane_changes (lane, seconds)
        SELECT lane, sum(gpu_seconds - cost_seconds) FROM moved WHERE gpu_seconds > 0 GROUP BY lane
    )
    SELECT token, placeholder, pg_try_advisory_xact_lock(fence) AS unfenced,
        atelier_leave(lane, flow, coalesce(gpu_seconds - cost_seconds, 0),
            coalesce(gpu_seconds - cost_seconds, 0))
    FROM moved ORDER BY lane, flow
""").bindparams(bindparam("finished", type_=JSONB))


@dataclass(frozen=True, slots=True)
class Finished:
    """A leased job whose pictures are stored: `poster` may post them for `hold` seconds.

    `gpu_seconds` is what the render took of a device, where that was measured.
    """

    lease: Lease
    made: Sequence[NewPicture]
    poster: UUID
    hold: float
    gpu_seconds: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As the statement reads it."""
        return {
            "job": str(self.lease.job.id),
            "attempt": self.lease.job.attempt,
            "token": str(self.lease.token),
            "poster": str(self.poster),
            "hold": self.hold,
            "gpu_seconds": self.gpu_seconds or None,
            "fence": fences.key(self.lease.job.id),
            "pictures": [
                {name: getattr(picture, name) for name in NewPicture.__slots__}
                | {"id": str(picture.id)}
                for picture in self.made
            ],
        }


@dataclass(frozen=True, slots=True)
class Rendered:
    """A job that has just turned to delivering.

    `placeholder` is as the bot had stored it by then. `unfenced` tells that no bot was editing it,
    nor will any more: they do so only while a job is queued.
    """

    placeholder: Mapping[str, Any]
    unfenced: bool


def rendered(connection: Connection, finished: Sequence[Finished]) -> list[Rendered | None]:
    """running → delivering, for each; None where the lease was somebody else's by then."""
    check([JobState.RUNNING], JobState.DELIVERING)
    in_order = sorted(finished, key=lambda one: one.lease.job.id)
    values = {"finished": [one.to_json() for one in in_order]}
    moved = {
        row.token: Rendered(row.placeholder, row.unfenced)
        for row in connection.execute(_RENDERED, values)
    }
    return [moved.get(one.lease.token) for one in finished]


_DELIVERED = text("""
    WITH given AS MATERIALIZED (
        SELECT g.* FROM atelier_each(:posted) AS item,
            jsonb_to_record(item) AS g(job uuid, poster uuid, message text)
    ), sent AS (
        UPDATE deliveries SET state = 'sent', sent_at = clock_timestamp(), message = given.message,
            owner = NULL, owner_until = NULL, error = NULL
        FROM given
        WHERE deliveries.job = given.job AND state = 'pending' AND owner = given.poster
        RETURNING deliveries.job, given.poster
    ), moved AS (
        UPDATE jobs SET state = 'done', ended_at = clock_timestamp()
        FROM sent WHERE jobs.id = sent.job AND jobs.state = 'delivering'
        RETURNING jobs.id
    ), captured AS (
        INSERT INTO ledger (job, kind, member_key, pool, credits, relaxed)
        SELECT ledger.job, 'capture', ledger.member_key, ledger.pool, ledger.credits, ledger.relaxed
        FROM moved JOIN ledger ON ledger.job = moved.id AND ledger.kind = 'hold'
    )
    SELECT poster FROM sent
    UNION ALL
    SELECT poster FROM given JOIN deliveries ON deliveries.job = given.job
    WHERE deliveries.state = 'sent' AND deliveries.message = given.message
""").bindparams(bindparam("posted", type_=JSONB))


@dataclass(frozen=True, slots=True)
class Posted:
    """A job's result stands in the chat, as `message`; `poster` had the right to post it."""

    job: UUID
    poster: UUID
    message: str


def delivered(connection: Connection, posted: Sequence[Posted]) -> list[bool]:
    """Whether each delivery is sent as this message; not, where its poster had lost the right.

    With pictures: delivering → done, and the hold is captured with it. Saying it again is harmless,
    as it must be where the answer was lost.
    """
    check([JobState.DELIVERING], JobState.DONE)
    values = [
        {"job": str(one.job), "poster": str(one.poster), "message": one.message}
        for one in sorted(posted, key=lambda one: one.job)
    ]
    sent = set(connection.scalars(_DELIVERED, {"posted": values}))
    return [one.poster in sent for one in posted]


_END = text(f"""
    WITH found AS (
        SELECT id, ready, state FROM jobs
        WHERE id = :job AND state = ANY(:states) AND (:attempt = -1 OR attempt = :attempt)
            AND (CAST(:token AS uuid) IS NULL OR lease_token = :token)
        FOR UPDATE
    ), moved AS (
        UPDATE jobs SET state = :to, reason = :reason, ended_at = clock_timestamp(),
            lease_until = NULL, cancelling = NULL
        FROM found WHERE jobs.id = found.id
        RETURNING jobs.id, jobs.platform, jobs.lane, jobs.flow, jobs.attempt, jobs.cost_seconds,
            jobs.invitation, found.ready, found.state AS before
    ), voided AS (
        INSERT INTO ledger (job, kind, member_key, pool, credits, relaxed)
        SELECT ledger.job, 'void', ledger.member_key, ledger.pool, ledger.credits, ledger.relaxed
        FROM moved JOIN ledger ON ledger.job = moved.id AND ledger.kind = 'hold'
    ), ended AS (
        UPDATE attempts SET ended_at = clock_timestamp(), outcome = :to, details = :reason
        FROM moved WHERE attempts.job = moved.id AND attempts.attempt = moved.attempt
            AND attempts.ended_at IS NULL
    ), told AS (
        INSERT INTO deliveries (job, platform, state)
        SELECT id, platform, 'pending' FROM moved
        ON CONFLICT (job) DO UPDATE SET state = :posted, owner = NULL, owner_until = NULL
    ), invited AS ({STANDS_AGAIN})
    SELECT lane, flow, cost_seconds, ready, before FROM moved
""").bindparams(
    bindparam("reason", type_=JSONB),
    bindparam("states", type_=ARRAY(Text)),
    bindparam("invitation_lasts", type_=Interval),
)


def end(
    connection: Connection,
    job: UUID,
    states: Sequence[JobState],
    to: JobState,
    reason: Reason,
    *,
    attempt: int = -1,
    token: UUID | None = None,
    told: bool = False,
) -> bool:
    """End a job without a result: its hold is voided and, unless `told`, its member will be told.

    An invitation that let the member in stands again, for as long as a new one.

    Guarded by the states and, where they are given, by the attempt and the lease's token.
    """
    moved = connection.execute(
        _END,
        {
            "job": job,
            "states": check(states, to),
            "to": to.value,
            "reason": reason_to_json(reason),
            "attempt": attempt,
            "token": token,
            "posted": "failed" if told else "pending",
            "invitation_lasts": INVITATION_LASTS,
        },
    ).one_or_none()
    if moved is None:
        return False
    if moved.before == JobState.QUEUED:
        flows.leave(connection, moved.lane, moved.flow, moved.cost_seconds, moved.ready)
    elif moved.before == JobState.RUNNING:
        flows.settle(connection, moved.lane, moved.flow)
    return True


_REQUEUE = text("""
    WITH found AS (
        SELECT id FROM jobs
        WHERE state = 'running' AND (CAST(:job AS uuid) IS NULL OR id = :job)
            AND (CAST(:token AS uuid) IS NULL OR lease_token = :token)
            AND (CAST(:owner AS text) IS NULL OR lease_owner = :owner)
            AND (NOT :expired OR lease_until < now())
            AND (attempt < :attempts)
        FOR UPDATE SKIP LOCKED
    ), moved AS (
        UPDATE jobs SET state = 'queued', ready = true, lease_until = NULL, lease_owner = NULL,
            lease_token = NULL
        FROM found WHERE jobs.id = found.id
        RETURNING jobs.id, jobs.attempt, jobs.lane, jobs.cost_seconds
    ), refunded AS (
        INSERT INTO lane_changes (lane, seconds) SELECT lane, -cost_seconds FROM moved
    ), ended AS (
        UPDATE attempts SET ended_at = clock_timestamp(), outcome = :outcome, details = :reason
        FROM moved WHERE attempts.job = moved.id AND attempts.attempt = moved.attempt
    ), ticket AS (
        INSERT INTO outbox (created_at) SELECT now() FROM moved
    )
    SELECT id, pg_notify('atelier_outbox', '') FROM moved
""").bindparams(bindparam("reason", type_=JSONB))


def requeue(
    connection: Connection,
    *,
    attempts: int,
    outcome: str,
    reason: Reason | None = None,
    lease: Lease | None = None,
    owner: str | None = None,
    expired: bool = False,
) -> list[UUID]:
    """running → queued for a lease, for an owner's every job, or for all expired ones.

    Only jobs that have begun fewer than `attempts` times; the others are for `end`.
    """
    check([JobState.RUNNING], JobState.QUEUED)
    if lease is None and owner is None and not expired:
        raise ValueError("Say which running jobs go back: a lease's, an owner's or the expired.")
    moved = connection.execute(
        _REQUEUE,
        {
            "job": lease.job.id if lease else None,
            "token": lease.token if lease else None,
            "owner": owner,
            "expired": expired,
            "attempts": attempts,
            "outcome": outcome,
            "reason": reason_to_json(reason) if reason else None,
        },
    )
    return [row.id for row in moved]
