"""Step 3 of admission: write the accepted jobs, and turn every decision into its outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from sqlalchemy import Connection

from tasks.admission.decision import Decision, Enter, Refuse, Repeat
from tasks.admission.load import LoadedRequest
from tasks.admission.rules import when_affordable
from tasks.jobs.job import Accepted, Job, QueuePosition, Reason, Refused
from tasks.store import access, estimates, job_insert, ledger, metrics, queue_position, waitlist
from tasks.store.load_snapshot import LoadSnapshot


def enter(
    connection: Connection, group: Sequence[LoadedRequest], decisions: Sequence[Decision]
) -> list[Accepted | Refused]:
    """The outcomes of a group, in its order. The group is not empty."""
    new = [_with_invitation(connection, one) for one in decisions if isinstance(one, Enter)]
    entered = iter(_insert(connection, new, group[0].snapshot))
    outcomes: list[Accepted | Refused] = []
    metrics.count_refusals(
        connection,
        [
            (loaded.request.entitlement.tier, decision.reason.code)
            for loaded, decision in zip(group, decisions, strict=True)
            if isinstance(decision, Refuse)
        ],
    )
    for loaded, decision in zip(group, decisions, strict=True):
        match decision:
            case Enter():
                outcomes.append(Accepted(next(entered)))
            case Repeat(job):
                position = position_of(connection, job, loaded.snapshot)
                outcomes.append(Accepted(replace(job, line=position), repeated=True))
            case Refuse(reason):
                outcomes.append(Refused(_with_return_time(connection, loaded, reason)))
            case never:
                assert_never(never)
    return outcomes


def position_of(connection: Connection, job: Job, snapshot: LoadSnapshot) -> QueuePosition | None:
    """Queue position and estimate of a queued job; None once it has started."""
    ahead = queue_position.ahead(connection, [job.id]).get(job.id)
    return None if ahead is None else snapshot.line(ahead)[0]


def _with_invitation(connection: Connection, decision: Enter) -> job_insert.NewJob:
    """The job, with the invitation that it uses up recorded in it."""
    if not decision.invited:
        return decision.job
    invitation = waitlist.enter(connection, decision.job.order.member.key)
    return replace(decision.job, invitation=invitation)


def _insert(
    connection: Connection, new: Sequence[job_insert.NewJob], snapshot: LoadSnapshot
) -> list[Job]:
    """The inserted jobs with their positions; the estimates that members see are recorded."""
    if not new:
        return []
    inserted = job_insert.enter(connection, new)
    ahead = queue_position.ahead(connection, (job.id for job in inserted))
    jobs: list[Job] = []
    given: list[estimates.Given] = []
    for job in inserted:
        before = ahead.get(job.id)
        if before is None:
            jobs.append(job)
            continue
        position, model = snapshot.line(before)
        jobs.append(replace(job, line=position))
        if position.estimate is not None:
            age = snapshot.demand.surge_age()
            given.append(
                estimates.Given(job.id, job.tier, before.lane, model, position.estimate, age)
            )
    if given:
        estimates.give(connection, given)
    return jobs


def _with_return_time(connection: Connection, loaded: LoadedRequest, reason: Reason) -> Reason:
    """A spent quota's reason with the moment from which this order fits."""
    if reason.code not in ("quota-spent", "pool-spent"):
        return reason
    request, context = loaded.request, loaded.context
    policy = request.entitlement.policy
    seconds = policy.quota.window.total_seconds()
    member = request.order.member
    keys = access.keys_of_person(connection, member) if request.shared_account else ()
    own = ledger.entries(connection, member.key, seconds, keys)
    pool = None
    if policy.pool and request.pool:
        length = policy.pool.window.total_seconds()
        pool = (ledger.pool_entries(connection, request.pool, length), context.pool)
    cost = float(reason.details["cost"])
    moment = when_affordable(policy, (own, context.standing), pool, cost, context.now)
    return Reason(reason.code, {**reason.details, "returns_at": moment})
