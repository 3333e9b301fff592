"""What admission reads about an order, with values by hand."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from tasks.jobs.members import Member
from tasks.jobs.states import JobState
from tasks.jobs.tiers import Tier
from tasks.store import admission_context, leases, members, transitions, waitlist, workers
from tasks.store.admission_context import AdmissionContext, AdmissionQuery
from tasks.store.database import Database
from tasks.store.transitions import Finished, NewPicture
from tasks.store.workers import WorkerCard
from tests.integration.set_clock import put_in_state, queue, set_clock
from tests.integration.stack import PLACE, member, request

ADA = member("ada")
THERE = Member("test", "another server", "ada")
WINDOWS = (3600.0, 7200.0)


def context(
    connection: Connection,
    who: Member = ADA,
    key: str = "k",
    parent: UUID | None = None,
    person: str | None = None,
) -> AdmissionContext:
    """The context of one order."""
    asked = (who.platform, who.workspace, who.key)
    query = AdmissionQuery(key, asked, WINDOWS, parent, person)
    return admission_context.read(connection, [query])[key]


def test_open_jobs_are_counted_by_state(connection: Connection) -> None:
    states = [JobState.QUEUED] * 3 + [JobState.RUNNING] * 2 + [JobState.DELIVERING, JobState.DONE]
    for state in states:
        put_in_state(connection, queue(connection, ADA), state)
        put_in_state(connection, queue(connection, "bo"), state)
    found = context(connection)
    assert (found.queued, found.running) == (3, 2)
    assert (found.standing.held, found.known) == (6.0, True)
    nobody = context(connection, member("nobody"))
    assert (nobody.queued, nobody.running, nobody.known) == (0, 0, False)


def test_unpaid_jobs_of_other_servers_count_for_a_person(connection: Connection) -> None:
    members.upsert(connection, [ADA, THERE])
    for who, tier in ((ADA, Tier.FREE), (ADA, Tier.PLUS), (THERE, Tier.FREE), (THERE, Tier.PLUS)):
        queue(connection, who, tier=tier)
        put_in_state(connection, queue(connection, who, tier=tier), JobState.RUNNING)
    alone, person = context(connection), context(connection, person="ada")
    assert (alone.queued, alone.running, alone.standing.held) == (2, 2, 4.0)
    assert (person.queued, person.running, person.standing.held) == (3, 3, 6.0)


def test_existing_key_is_found(connection: Connection) -> None:
    job = queue(connection, ADA)
    key = connection.scalar(text("SELECT key FROM jobs"))
    assert key is not None
    assert context(connection, key=key).existing == job
    assert context(connection, key="another").existing is None


def test_only_an_open_invitation_admits(connection: Connection) -> None:
    set_clock(connection, 0)
    waitlist.join(connection, ADA, PLACE)
    assert not context(connection).invited
    waitlist.invite(connection, Tier.FREE, 1, timedelta(hours=1))
    set_clock(connection, 3599)
    assert context(connection).invited
    assert not context(connection, member("bo")).invited
    set_clock(connection, 3600)
    assert not context(connection).invited


def test_deleted_picture_is_no_parent(connection: Connection) -> None:
    queue(connection, ADA)
    held = leases.lease(connection, "worker", ["free"], ["blank"], 100)
    assert held is not None
    picture = NewPicture(uuid4(), 0, "blob", "image/png", 64, 64, 1, request().to_json())
    assert transitions.mark_rendered(connection, [Finished(held, [picture], uuid4(), 100)])[0]
    assert context(connection).parent_exists
    assert context(connection, parent=picture.id).parent_exists
    assert not context(connection, parent=uuid4()).parent_exists
    connection.execute(text("UPDATE pictures SET deleted = true"))
    assert not context(connection, parent=picture.id).parent_exists


def test_doors_of_the_server_and_of_the_operator_apply(connection: Connection) -> None:
    for platform, workspace, subject, state in (
        ("*", "*", "free", "waitlist"),
        ("test", "server", "pro", "closed"),
        ("test", "another server", "plus", "closed"),
    ):
        values = {"platform": platform, "workspace": workspace, "subject": subject, "state": state}
        query = "INSERT INTO doors VALUES (:platform, :workspace, :subject, :state)"
        connection.execute(text(query), values)
    found = context(connection).doors
    assert {subject.value: state.value for subject, state in found.everywhere.items()} == {
        "free": "waitlist"
    }
    assert {subject.value: state.value for subject, state in found.here.items()} == {
        "pro": "closed"
    }


def test_models_are_those_of_the_last_day_and_their_state_of_the_last_minute(
    connection: Connection,
) -> None:
    set_clock(connection, 0)
    fault = {"code": "model-failed"}
    for name, seen in (("now", -1), ("silent", -61), ("gone", -86_401)):
        card = WorkerCard(
            name=name,
            token=uuid4(),
            device="none",
            profiles={f"{name}-model": {"steps": 4}},
            slots=1,
            running=0,
            rates={},
            model_faults={f"{name}-faulty": fault},
            pending_models=[f"{name}-pending"],
        )
        workers.register(connection, card)
        query = "UPDATE workers SET seen_at = now() + :seen * interval '1 s' WHERE name = :name"
        connection.execute(text(query), {"name": name, "seen": seen})
    workers.register(connection, WorkerCard("plain", uuid4(), "none", {}, 1, 0, {}))
    found = context(connection)
    assert found.models == {"now-model": {"steps": 4}, "silent-model": {"steps": 4}}
    assert found.pending_models == {"now-pending"}
    assert found.faulty_models == {"now-faulty"}


def test_orders_of_a_member_are_admitted_one_after_another(database: Database) -> None:
    """Else two of them would both see the last credit."""
    with database.begin() as setup:
        members.upsert(setup, [ADA, member("bo")])
    with database.begin() as one, database.begin() as other:
        members.upsert(one, [ADA])
        other.execute(text("SET LOCAL lock_timeout = '100ms'"))
        members.upsert(other, [member("bo")])
        with pytest.raises(OperationalError, match="lock timeout"):
            members.upsert(other, [ADA])
        other.rollback()


@pytest.mark.parametrize("analyzed", [False, True])
def test_only_the_members_own_entries_are_read(connection: Connection, *, analyzed: bool) -> None:
    connection.execute(
        text("""
            INSERT INTO ledger (job, kind, member_key, credits, relaxed)
            SELECT gen_random_uuid(), kind, 'test:server:' || number % 100, 1, false
            FROM generate_series(1, 3000) AS number, unnest(ARRAY['hold', 'capture']) AS kind
        """)
    )
    if analyzed:
        connection.execute(text("ANALYZE ledger"))
    before = index_entries_read(connection)
    found = context(connection, Member("test", "server", "7"), person="7")
    assert found.standing.spent == 30.0
    assert index_entries_read(connection) - before < 200  # it has 60


def index_entries_read(connection: Connection) -> int:
    """Entries of the ledger's indexes that this transaction has read."""
    query = """
        SELECT sum(pg_stat_get_xact_tuples_returned(indexrelid)) FROM pg_index
        WHERE indrelid = 'ledger'::regclass
    """
    return int(connection.scalar(text(query)) or 0)
