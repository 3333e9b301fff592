"""What counts in a quota and in a pool, with a set clock and sums by hand."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from tasks.jobs.members import Member
from tasks.jobs.states import JobState
from tasks.jobs.tiers import Tier
from tasks.policy.quota import QuotaUsage
from tasks.store import ledger
from tasks.store.database import Database
from tests.integration.set_clock import EPOCH, put_in_state, queue, set_clock

ADA = "test:server:ada"
HOUR = 3600.0
HERE, THERE = Member("test", "server", "ada"), Member("test", "another server", "ada")


def entry(
    connection: Connection, kind: str, credits: float, seconds: float = 0.0, **more: Any
) -> None:
    """A row of the ledger, `seconds` after the epoch; `more`: `member_key`, `job`, `pool`, …"""
    values = {"job": uuid4(), "member_key": ADA, "pool": None, "relaxed": False, **more}
    query = """
        INSERT INTO ledger (job, kind, member_key, pool, credits, relaxed, at)
        VALUES (:job, :kind, :member_key, :pool, :credits, :relaxed, to_timestamp(:at))
    """
    connection.execute(
        text(query), {**values, "kind": kind, "credits": credits, "at": EPOCH + seconds}
    )


def open_job(
    connection: Connection, state: JobState, cost: float, who: Member = HERE, **more: Any
) -> UUID:
    """A job with its hold, in this state."""
    job = queue(connection, who, cost, **more)
    put_in_state(connection, job, state)
    return job


def test_window_passes(connection: Connection) -> None:
    for seconds, credits in ((0.0, 1.0), (10.0, 2.0), (20.0, 4.0)):
        entry(connection, "capture", credits, seconds, pool="team")
    for seconds, left in ((HOUR - 1, 7.0), (HOUR, 6.0), (HOUR + 10, 4.0), (HOUR + 20, 0.0)):
        set_clock(connection, seconds)
        assert ledger.standing(connection, ADA, HOUR) == QuotaUsage(left, 0.0), seconds
        assert ledger.pool_standing(connection, "team", HOUR) == QuotaUsage(left, 0.0), seconds
        assert sum(one.credits for one in ledger.entries(connection, ADA, HOUR)) == left
        assert sum(one.credits for one in ledger.pool_entries(connection, "team", HOUR)) == left


def test_returns_are_listed_oldest_first(connection: Connection) -> None:
    for seconds, kind, credits in ((30, "capture", 4.0), (10, "grant", 2.0), (20, "capture", 1.0)):
        entry(connection, kind, credits, seconds)
    set_clock(connection, 60)
    listed = ledger.entries(connection, ADA, HOUR)
    assert [(one.at.timestamp() - EPOCH, one.credits) for one in listed] == [
        (10.0, -2.0),
        (20.0, 1.0),
        (30.0, 4.0),
    ]


def test_each_kind_of_entry_counts_as_it_should(connection: Connection) -> None:
    for kind, credits in (
        ("hold", 1.0),
        ("capture", 2.0),
        ("void", 4.0),
        ("grant", 8.0),
        ("correction", 16.0),
    ):
        entry(connection, kind, credits, pool="team")
    entry(connection, "capture", 32.0, pool="team", relaxed=True)
    entry(connection, "capture", 64.0, pool="other team", member_key="test:server:bo")
    set_clock(connection, 1)
    assert ledger.standing(connection, ADA, HOUR) == QuotaUsage(2.0 - 8.0 + 16.0, 0.0)
    assert ledger.pool_standing(connection, "team", HOUR) == QuotaUsage(10.0, 0.0)


def test_holds_count_until_a_job_has_ended(connection: Connection) -> None:
    costs = {
        JobState.QUEUED: 1.0,
        JobState.RUNNING: 2.0,
        JobState.DELIVERING: 4.0,
        JobState.DONE: 8.0,
        JobState.FAILED: 16.0,
        JobState.CANCELLED: 32.0,
        JobState.REFUSED: 64.0,
    }
    for state, cost in costs.items():
        open_job(connection, state, cost, pool="team")
        open_job(connection, state, 1000 * cost, relaxed=True, lane="relaxed", pool="team")
        open_job(connection, state, 100 * cost, Member("test", "server", "bo"), pool="other")
    assert ledger.standing(connection, ADA, HOUR) == QuotaUsage(0.0, 7.0)
    assert ledger.pool_standing(connection, "team", HOUR) == QuotaUsage(0.0, 7.0)


def test_unpaid_work_counts_in_every_server_of_a_person(connection: Connection) -> None:
    """What was paid for elsewhere does not count, nor do grants of another server."""
    set_clock(connection, 0)
    open_job(connection, JobState.QUEUED, 1.0)
    open_job(connection, JobState.QUEUED, 2.0, THERE)
    open_job(connection, JobState.QUEUED, 4.0, THERE, tier=Tier.PLUS)
    for tier, credits in ((Tier.FREE, 8.0), (Tier.PLUS, 16.0)):
        job = open_job(connection, JobState.DONE, credits, THERE, tier=tier)
        entry(connection, "capture", credits, member_key=THERE.key, job=job)
    entry(connection, "grant", 32.0, member_key=THERE.key)
    assert ledger.standing(connection, HERE.key, HOUR) == QuotaUsage(0.0, 1.0)
    assert ledger.standing(connection, HERE.key, HOUR, [THERE.key]) == QuotaUsage(8.0, 3.0)
    assert ledger.standing(connection, THERE.key, HOUR, [HERE.key]) == QuotaUsage(-8.0, 7.0)
    assert [one.credits for one in ledger.entries(connection, HERE.key, HOUR, [THERE.key])] == [8]


def test_pool_is_locked_until_the_transaction_ends(
    connection: Connection, shared_database: Database
) -> None:
    """So that two transactions do not both give away its last credit."""
    ledger.hold_shared(connection, {"one", "two"})
    with shared_database.begin() as other:
        other.execute(text("SET LOCAL lock_timeout = '50ms'"))
        ledger.hold_shared(other, {"three"})
        with pytest.raises(OperationalError, match="lock timeout"):
            ledger.hold_shared(other, {"two", "three"})
        other.rollback()
