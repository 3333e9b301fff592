"""Claims of deliveries and of removals, statement by statement, with a set clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, insert, text

from tasks.jobs.job import Reason
from tasks.jobs.states import JobState
from tasks.store import deliveries, leases, removals, schema, transitions
from tasks.store.database import Database
from tasks.store.deliveries import Claim
from tasks.store.removals import Removal, RemovalClaim
from tasks.store.transitions import Finished, Posted
from tests.integration.set_clock import EPOCH, queue, set_clock
from tests.integration.stack import PLACE

ADA = "test:server:ada"


def rendered(connection: Connection) -> tuple[UUID, UUID]:
    """A job whose pictures are stored, and the token of its delivery's claim."""
    queue(connection, uuid4().hex)
    held = leases.lease(connection, "worker", ["free"], ["blank"], 100)
    assert held is not None
    token = uuid4()
    assert transitions.mark_rendered(connection, [Finished(held, [], token, 100)])[0]
    connection.execute(text("UPDATE deliveries SET next_try = now()"))  # by the set clock
    return held.job.id, token


def at(seconds: float) -> datetime:
    """A moment so many seconds after the epoch."""
    return datetime.fromtimestamp(EPOCH + seconds, UTC)


def due_delivery(connection: Connection, seconds: float, platform: str = "test") -> UUID:
    """A delivery that is nobody's, and due at this moment."""
    values = {"platform": platform, "state": "pending", "next_try": at(seconds)}
    job = queue(connection, uuid4().hex)
    connection.execute(insert(schema.deliveries).values(job=job, **values))
    return job


def due_removal(connection: Connection, seconds: float, platform: str = "test") -> UUID:
    """A removal that is nobody's, and due at this moment."""
    values = {"platform": platform, "member_key": ADA, "next_try": at(seconds)}
    message = {"place": asdict(PLACE), "message": "m", "placeholder": {}, "memory": {}}
    job = uuid4()
    connection.execute(insert(schema.removals).values(job=job, **values, **message))
    return job


def claim_deliveries(connection: Connection, limit: int = 9) -> list[UUID]:
    """Claim for 100 s; the jobs."""
    return [one.job for one in deliveries.claim(connection, ["test"], 100, limit)]


def claim_removals(connection: Connection, limit: int = 9) -> list[UUID]:
    """Claim for 100 s; the jobs."""
    return [one.removal.job for one in removals.claim(connection, ["test"], 100, limit)]


Due = Callable[..., UUID]
ClaimSome = Callable[..., list[UUID]]
BOTH = pytest.mark.parametrize(
    ("due", "claim"),
    [
        pytest.param(due_delivery, claim_deliveries, id="deliveries"),
        pytest.param(due_removal, claim_removals, id="removals"),
    ],
)


@BOTH
def test_claim_is_one_owners_until_it_expires(
    connection: Connection, due: Due, claim: ClaimSome
) -> None:
    set_clock(connection, 0)
    job = due(connection, 0)
    assert claim(connection) == [job]
    set_clock(connection, 100)
    assert claim(connection) == []
    set_clock(connection, 101)
    assert claim(connection) == [job]


@BOTH
def test_due_are_claimed_oldest_first_up_to_the_limit(
    connection: Connection, due: Due, claim: ClaimSome
) -> None:
    set_clock(connection, 100)
    late, early, between = (due(connection, seconds) for seconds in (30, 10, 20))
    due(connection, 101)
    due(connection, 0, platform="another")
    assert set(claim(connection, 2)) == {early, between}
    assert claim(connection, 2) == [late]
    assert claim(connection, 2) == []
    set_clock(connection, 101)
    assert len(claim(connection, 2)) == 1


@BOTH
def test_row_that_another_claims_is_skipped(database: Database, due: Due, claim: ClaimSome) -> None:
    with database.begin() as setup:
        first, second = (due(setup, seconds) for seconds in (0, 1))
    with database.begin() as one, database.begin() as other:
        assert claim(one, 1) == [first]
        other.execute(text("SET LOCAL lock_timeout = '200ms'"))
        assert claim(other) == [second]


FORMER_OWNER = [
    partial(deliveries.remember, memory={"file": "F1"}),
    partial(deliveries.put_off, after=60.0, error="x"),
    partial(deliveries.fail, error="x"),
]


@pytest.mark.parametrize("change", FORMER_OWNER)
def test_former_owner_cannot_change_a_delivery(
    connection: Connection, change: Callable[..., bool]
) -> None:
    job, token = rendered(connection)
    mine = Claim(job, token, 1, {})
    before = connection.execute(text("SELECT * FROM deliveries")).one()
    assert not change(connection, claimed=replace(mine, token=uuid4()))
    assert not deliveries.is_owner(connection, job, uuid4())
    assert connection.execute(text("SELECT * FROM deliveries")).one() == before
    assert deliveries.is_owner(connection, job, token)
    assert change(connection, claimed=mine)


def removal_of(connection: Connection) -> RemovalClaim:
    """A claimed removal."""
    due_removal(connection, 0)
    [claimed] = removals.claim(connection, ["test"], 100, 1)
    return claimed


@pytest.mark.parametrize(
    ("change", "state"),
    [
        (removals.done, "done"),
        (partial(removals.put_off, after=60.0, error="x"), "pending"),
        (partial(removals.fail, code="x"), "failed"),
    ],
)
def test_former_owner_cannot_change_a_removal(
    connection: Connection, change: Callable[..., None], state: str
) -> None:
    mine = removal_of(connection)
    rows = text("SELECT state, owner FROM removals")
    change(connection, claimed=replace(mine, token=uuid4()))
    assert tuple(connection.execute(rows).one()) == ("pending", mine.token)
    change(connection, claimed=mine)
    assert tuple(connection.execute(rows).one()) == (state, None)


def test_delivery_that_was_put_off_waits(connection: Connection) -> None:
    set_clock(connection, 0)
    job, token = rendered(connection)
    assert deliveries.put_off(connection, Claim(job, token, 1, {}), 60.0, "rate limited")
    set_clock(connection, 59)
    assert claim_deliveries(connection) == []
    set_clock(connection, 60)
    [again] = deliveries.claim(connection, ["test"], 100, 9)
    assert (again.job, again.tries) == (job, 2)


def test_renewed_claim_lasts_from_now(connection: Connection) -> None:
    set_clock(connection, 0)
    job, token = rendered(connection)
    set_clock(connection, 90)
    deliveries.renew_claims(connection, [token, uuid4()], 100)
    set_clock(connection, 190)
    assert claim_deliveries(connection) == []
    set_clock(connection, 191)
    assert claim_deliveries(connection) == [job]


def kinds(connection: Connection, job: UUID) -> list[str]:
    """The kinds of a job's ledger entries, in order."""
    query = text("SELECT kind FROM ledger WHERE job = :job ORDER BY id")
    return list(connection.scalars(query, {"job": job}))


def state(connection: Connection, job: UUID) -> str:
    """A job's state."""
    query = text("SELECT state FROM jobs WHERE id = :job")
    return str(connection.scalar(query, {"job": job}))


def test_result_is_charged_once_by_the_owner_of_its_claim(connection: Connection) -> None:
    job, token = rendered(connection)
    mark = transitions.mark_delivered
    assert mark(connection, [Posted(job, uuid4(), "of another")]) == [False]
    assert (state(connection, job), kinds(connection, job)) == ("delivering", ["hold"])
    assert mark(connection, [Posted(job, token, "mine")]) == [True]
    assert (state(connection, job), kinds(connection, job)) == ("done", ["hold", "capture"])
    assert mark(connection, [Posted(job, token, "mine")]) == [True], "the answer was lost"
    assert mark(connection, [Posted(job, token, "another")]) == [False]
    assert kinds(connection, job) == ["hold", "capture"]


@pytest.mark.parametrize("relaxed", [True, False])
def test_capture_and_void_repeat_their_hold(connection: Connection, *, relaxed: bool) -> None:
    """Whether it counts in the quota, for which pool, and how much it is."""
    for _ in range(2):
        queue(connection, uuid4().hex, 2.0, relaxed=relaxed, pool="team")
    held = leases.lease(connection, "worker", ["free"], ["blank"], 100)
    assert held is not None
    token, states = uuid4(), [JobState.QUEUED]
    assert transitions.mark_rendered(connection, [Finished(held, [], token, 100)])[0]
    assert transitions.mark_delivered(connection, [Posted(held.job.id, token, "m")]) == [True]
    other = connection.scalar(text("SELECT id FROM jobs WHERE state = 'queued'"))
    assert other is not None
    assert transitions.end(connection, other, states, JobState.CANCELLED, Reason("cancelled"))
    query = "SELECT kind, member_key, credits, relaxed, pool FROM ledger WHERE kind <> 'hold'"
    settled = {tuple(row) for row in connection.execute(text(query))}
    keys = {row.id: row.member_key for row in connection.execute(text("SELECT * FROM jobs"))}
    assert settled == {
        ("capture", keys[held.job.id], 2.0, relaxed, "team"),
        ("void", keys[other], 2.0, relaxed, "team"),
    }


def test_message_about_a_failure_is_not_charged(connection: Connection) -> None:
    job, _ = rendered(connection)
    ended = [JobState.DELIVERING]
    assert transitions.end(connection, job, ended, JobState.FAILED, Reason("pictures-lost"))
    [claimed] = deliveries.claim(connection, ["test"], 100, 9)
    assert transitions.mark_delivered(connection, [Posted(job, claimed.token, "sorry")]) == [True]
    assert (state(connection, job), kinds(connection, job)) == ("failed", ["hold", "void"])


def test_members_see_their_own_unremoved_messages(connection: Connection) -> None:
    own = due_removal(connection, 0)
    due_removal(connection, 0)
    connection.execute(
        text("UPDATE removals SET member_key = 'test:server:bo' WHERE job <> :own"), {"own": own}
    )
    found: list[Any] = removals.unremoved(connection, ADA)
    assert [one.job for one in found] == [own]
    mine = RemovalClaim(Removal(own, PLACE, "m", {}, {}), uuid4(), 1)
    connection.execute(
        text("UPDATE removals SET owner = :token WHERE job = :job"),
        {"token": mine.token, "job": own},
    )
    removals.done(connection, mine)
    assert removals.unremoved(connection, ADA) == []
