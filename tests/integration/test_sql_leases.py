"""Leases and the entry into the queue, statement by statement, with values by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, text

from tasks.jobs.job import Reason
from tasks.jobs.states import JobState
from tasks.jobs.tiers import Tier
from tasks.queue.fairness import RELAXED
from tasks.store import flows, leases, sweeper_queries, transitions
from tasks.store.database import Database
from tasks.store.leases import LeaseRequest
from tasks.store.transitions import Finished, Lease
from tests.integration.set_clock import EPOCH, queue, set_clock

LANES = ["pro", "team", "plus", "free", RELAXED]


def lease(connection: Connection, lanes: list[str] | None = None, owner: str = "worker") -> Lease:
    """The next job."""
    taken = leases.lease(connection, owner, lanes or LANES, ["blank"], 100)
    assert taken is not None
    return taken


def leased(connection: Connection, count: int, lanes: list[str] | None = None) -> list[UUID]:
    """The next jobs, each by a lease of its own."""
    return [lease(connection, lanes).job.id for _ in range(count)]


def states(connection: Connection, *jobs: UUID) -> list[str]:
    """The jobs' states."""
    query = text("SELECT state FROM jobs WHERE id = :job")
    return [str(connection.scalar(query, {"job": job})) for job in jobs]


# -- the right to a job -------------------------------------------------------------------------


def other_token(held: Lease) -> Lease:
    """A lease that differs in its token."""
    return replace(held, token=uuid4())


def other_attempt(held: Lease) -> Lease:
    """A lease that differs in the attempt."""
    return replace(held, job=replace(held.job, attempt=held.job.attempt + 1))


def other_job(held: Lease) -> Lease:
    """A lease that differs in the job."""
    return replace(held, job=replace(held.job, id=uuid4()))


@pytest.mark.parametrize("forge", [other_token, other_attempt, other_job])
def test_lease_must_be_the_jobs_own_to_end_it(
    connection: Connection, forge: Callable[[Lease], Lease]
) -> None:
    job = queue(connection, "ada")
    held = lease(connection)
    forged = forge(held)
    failed = Reason("out-of-memory")
    assert transitions.mark_rendered(connection, [Finished(forged, [], uuid4(), 100)]) == [None]
    assert not transitions.end_leased(connection, forged, JobState.FAILED, failed)
    assert states(connection, job) == ["running"]
    assert transitions.end_leased(connection, held, JobState.FAILED, failed)
    assert states(connection, job) == ["failed"]


@pytest.mark.parametrize("forge", [other_token, other_job])
def test_lease_must_be_the_jobs_own_to_return_or_renew_it(
    connection: Connection, forge: Callable[[Lease], Lease]
) -> None:
    job = queue(connection, "ada")
    held = lease(connection)
    forged = forge(held)
    assert leases.renew(connection, [forged], 100) == {}
    assert not transitions.requeue_leased(connection, forged, 9)
    assert states(connection, job) == ["running"]
    assert leases.renew(connection, [held], 100) == {held.token: None}
    assert transitions.requeue_leased(connection, held, 9)
    assert states(connection, job) == ["queued"]
    assert leases.renew(connection, [held], 100) == {}, "it was given back"


def test_attempt_that_was_lost_does_not_fail_the_next_one(connection: Connection) -> None:
    job = queue(connection, "ada")
    lease(connection)
    transitions.requeue_owned(connection, "worker", 9)
    lease(connection)
    assert not transitions.end_attempt(connection, job, 1, Reason("worker-lost"))
    assert transitions.end_attempt(connection, job, 2, Reason("worker-lost"))
    assert states(connection, job) == ["failed"]


def test_renewed_lease_lasts_from_now(connection: Connection) -> None:
    queue(connection, "ada")
    set_clock(connection, 0)
    held = lease(connection)
    assert held.until.timestamp() == EPOCH + 100
    set_clock(connection, 90)
    leases.renew(connection, [held], 100)
    until = connection.scalar(text("SELECT extract(epoch FROM lease_until) FROM jobs"))
    assert float(until or 0) == EPOCH + 190


def test_request_to_stop_reaches_the_lease(connection: Connection) -> None:
    running, queued = queue(connection, "ada"), queue(connection, "bo")
    held = lease(connection)
    assert held.job.id == running
    assert leases.ask_to_stop(connection, running, Reason("cancelled"))
    assert not leases.ask_to_stop(connection, queued, Reason("cancelled"))
    assert leases.renew(connection, [held], 100) == {held.token: Reason("cancelled")}


# -- leases that expire -------------------------------------------------------------------------


def test_only_expired_leases_are_returned(connection: Connection) -> None:
    first, second = queue(connection, "ada"), queue(connection, "bo")
    set_clock(connection, 0)
    assert lease(connection).job.id == first
    set_clock(connection, 50)
    assert lease(connection).job.id == second
    set_clock(connection, 100)
    assert transitions.requeue_expired(connection, 9) == []
    set_clock(connection, 101)
    assert transitions.requeue_expired(connection, 9) == [first]
    assert states(connection, first, second) == ["queued", "running"]
    set_clock(connection, 151)
    assert transitions.requeue_expired(connection, 9) == [second]


def test_jobs_begin_a_limited_number_of_times(connection: Connection) -> None:
    job = queue(connection, "ada")
    for attempt in (1, 2, 3):
        set_clock(connection, 1000 * attempt)
        assert lease(connection).job.attempt == attempt
        set_clock(connection, 1000 * attempt + 100)
        assert sweeper_queries.exhausted(connection, 1) == [], "not expired"
        set_clock(connection, 1000 * attempt + 101)
        exhausted = attempt == 3
        assert sweeper_queries.exhausted(connection, 3) == ([(job, 3)] if exhausted else [])
        assert transitions.requeue_expired(connection, 3) == ([] if exhausted else [job])
    assert states(connection, job) == ["running"]


def test_erased_job_is_not_begun_again(connection: Connection) -> None:
    job = queue(connection, "ada")
    set_clock(connection, 0)
    held = lease(connection)
    connection.execute(text("UPDATE jobs SET erased_at = now()"))
    set_clock(connection, 101)
    assert transitions.requeue_expired(connection, 9) == []
    assert transitions.mark_rendered(connection, [Finished(held, [], uuid4(), 100)]) == [None]
    assert sweeper_queries.exhausted(connection, 9) == [(job, 1)]


def test_returned_job_is_refunded_and_announced(connection: Connection) -> None:
    job = queue(connection, "ada", 7.0)
    connection.execute(text("DELETE FROM outbox"))
    lease(connection)
    lease_of_others = queue(connection, "bo", 5.0)
    assert lease(connection, owner="another").job.id == lease_of_others
    connection.execute(text("DELETE FROM outbox"))
    assert transitions.requeue_owned(connection, "worker", 9) == [job]
    [refund] = connection.execute(text("SELECT lane, seconds FROM lane_changes")).all()
    assert tuple(refund) == ("free", -7.0)
    [attempt] = connection.execute(text("SELECT * FROM attempts WHERE outcome IS NOT NULL")).all()
    assert (attempt.job, attempt.attempt, attempt.outcome) == (job, 1, "lost")
    assert connection.scalar(text("SELECT count(*) FROM outbox")) == 1


# -- which job is next --------------------------------------------------------------------------


def test_job_that_somebody_changes_is_skipped(connection: Connection, database: Database) -> None:
    """A lease neither waits for a row that is locked nor takes it."""
    with database.begin() as setup:
        first, second = queue(setup, "ada"), queue(setup, "bo")
    with database.begin() as cancels, database.begin() as leasing:
        cancels.execute(text("SELECT FROM jobs WHERE id = :job FOR UPDATE"), {"job": first})
        leasing.execute(text("SET LOCAL lock_timeout = '200ms'"))
        assert lease(leasing).job.id == second


def test_lanes_are_served_by_weight(connection: Connection) -> None:
    """Pro weighs 8 and Free 1: of nine jobs of 8 GPU seconds one is Free's."""
    flows.set_weights(connection, {"pro": 8.0, "free": 1.0})
    pro = [queue(connection, f"pro{n}", 8.0, Tier.PRO) for n in range(17)]
    free = [queue(connection, f"free{n}", 8.0) for n in range(3)]
    expected = [pro[0], free[0], *pro[1:9], free[1], *pro[9:17], free[2]]
    assert leased(connection, 20, ["pro", "free"]) == expected


def test_idle_lane_saves_no_time(connection: Connection) -> None:
    """Free works alone for a while; then Plus does not make up for what it did not ask for."""
    flows.set_weights(connection, {"plus": 1.0, "free": 1.0})
    for n in range(4):
        queue(connection, f"early{n}", 10.0)
    leased(connection, 4)
    plus = [queue(connection, f"plus{n}", 10.0, Tier.PLUS) for n in range(3)]
    free = [queue(connection, f"free{n}", 10.0) for n in range(3)]
    assert leased(connection, 3) == [plus[0], free[0], plus[1]]


def test_member_has_a_limited_number_of_open_jobs(connection: Connection) -> None:
    """The others wait behind them, and come in the order they were submitted."""
    moments = iter(range(100))
    jobs = []
    for _ in range(4):
        set_clock(connection, next(moments))
        jobs.append(queue(connection, "ada", at_once=2))
    assert leased(connection, 2) == jobs[:2]
    assert leases.lease(connection, "worker", LANES, ["blank"], 100) is None
    assert not leases.any_ready(connection, LANES, ["blank"])
    assert transitions.end_attempt(connection, jobs[1], 1, Reason("x"))
    assert lease(connection).job.id == jobs[2]
    assert leases.lease(connection, "worker", LANES, ["blank"], 100) is None
    assert sweeper_queries.inconsistent_flows(connection) == []
    assert connection.scalar(text("SELECT count(*) FROM outbox")) == 3, "one for each ready job"


def test_further_jobs_of_a_member_are_tagged_one_after_another(connection: Connection) -> None:
    connection.execute(text("UPDATE lanes SET virtual = 2, virtual_at = 'infinity'"))
    jobs = [queue(connection, "ada", cost) for cost in (5.0, 3.0, 1.0)]
    query = text("SELECT start_tag FROM jobs WHERE id = :job")
    assert [connection.scalar(query, {"job": job}) for job in jobs] == [2.0, 7.0, 10.0]
    connection.execute(text("UPDATE lanes SET virtual = 50"))
    later = queue(connection, "ada")
    assert connection.scalar(query, {"job": later}) == 50.0, "an idle member saves no time"


def test_express_places_take_express_work_only(connection: Connection) -> None:
    free = [queue(connection, f"free{n}") for n in range(3)]
    pro = queue(connection, "payer", tier=Tier.PRO)
    wish = LeaseRequest("worker", LANES, ["blank"], ["pro"])
    taken = leases.lease_several(connection, wish, 100, count=3, express=1)
    assert {one.job.id for one in taken} == {pro, free[0]}


def test_other_models_jobs_are_left_alone(connection: Connection) -> None:
    job = queue(connection, "ada")
    assert leases.lease(connection, "worker", LANES, ["other"], 100) is None
    assert not leases.any_ready(connection, LANES, ["other"])
    assert leases.any_ready(connection, LANES, ["other", "blank"])
    assert lease(connection).job.id == job
