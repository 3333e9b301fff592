"""What the sweeper and other clean-up find and delete, with a set clock: no more and no sooner."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Connection, insert, text

from tasks.jobs.states import JobState
from tasks.store import leases, orphans, outbox, schema, sweeper_queries, workers
from tasks.store.workers import WorkerCard
from tests.integration.set_clock import EPOCH, put_in_state, queue, set_clock
from tests.integration.stack import member, request

DAY = 24 * 3600.0
AFTER = timedelta(seconds=5)


def now(connection: Connection, table: str, column: str) -> None:
    """Set a column of all rows to the set clock."""
    connection.execute(text(f"UPDATE {table} SET {column} = now()"))


def test_lost_ticket_is_one_of_a_ready_job_that_has_waited(connection: Connection) -> None:
    set_clock(connection, 0)
    queue(connection, "ada")
    set_clock(connection, 6)
    assert not sweeper_queries.ticket_lost(connection, AFTER), "its row is in the outbox"
    assert outbox.take(connection, 9) == (1, 0)
    set_clock(connection, 5)
    assert not sweeper_queries.ticket_lost(connection, AFTER), "not for long"
    set_clock(connection, 6)
    assert sweeper_queries.ticket_lost(connection, AFTER)
    assert leases.lease(connection, "worker", ["free"], ["blank"], 100)
    queue(connection, "ada")
    connection.execute(text("DELETE FROM outbox"))
    set_clock(connection, 60)
    assert not sweeper_queries.ticket_lost(connection, AFTER), "the other job is not ready"


def test_tickets_are_taken_once_with_the_live_workers(connection: Connection) -> None:
    set_clock(connection, 0)
    for name in ("ada", "bo", "cy"):
        queue(connection, name)
    for name, seen in (("w1", -14), ("w2", -16)):
        register(connection, name, seen)
    assert outbox.take(connection, 2) == (2, 1)
    assert outbox.take(connection, 2) == (1, 1)
    assert outbox.take(connection, 2) == (0, 1)


def test_taking_tickets_waits_for_no_disk(connection: Connection) -> None:
    outbox.take(connection, 1)
    assert connection.scalar(text("SHOW synchronous_commit")) == "off"


def register(connection: Connection, name: str, seen: float) -> None:
    """A worker that was last seen at this moment."""
    workers.register(connection, WorkerCard(name, uuid4(), "none", {}, 2, 0, {}))
    values = {"name": name, "at": EPOCH + seen}
    query = "UPDATE workers SET seen_at = to_timestamp(:at) WHERE name = :name"
    connection.execute(text(query), values)


def test_workers_are_dead_after_seconds_and_forgotten_after_a_day(connection: Connection) -> None:
    for name, seen in (("alive", DAY - 14), ("away", DAY - 16), ("old", 1), ("dead", -1)):
        register(connection, name, seen)
    set_clock(connection, DAY)
    assert [seen.card.name for seen in workers.alive(connection)] == ["alive"]
    workers.delete_dead(connection)
    names = connection.scalars(text("SELECT name FROM workers ORDER BY name"))
    assert list(names) == ["alive", "away", "old"]


def test_flows_are_deleted_once_they_are_idle_for_a_day(connection: Connection) -> None:
    set_clock(connection, 0)
    queue(connection, "opened")
    done = queue(connection, "done")
    put_in_state(connection, done, JobState.DONE)
    set_flow(connection, "done", "opened = 0")
    for _ in range(2):
        queue(connection, "behind")
    set_flow(connection, "behind", "opened = 0")
    flows = text("SELECT split_part(flow, chr(58), 3) FROM flows ORDER BY 1")
    set_clock(connection, DAY - 1)
    sweeper_queries.delete_idle_flows(connection)
    assert list(connection.scalars(flows)) == ["behind", "done", "opened"]
    set_clock(connection, DAY)
    sweeper_queries.delete_idle_flows(connection)
    assert list(connection.scalars(flows)) == ["behind", "opened"]


def set_flow(connection: Connection, name: str, change: str) -> None:
    """Change the flow of a member."""
    query = f"UPDATE flows SET {change} WHERE flow = :key"
    connection.execute(text(query), {"key": member(name).key})


@pytest.mark.parametrize("column", ["opened", "behind"])
def test_wrong_count_of_a_flow_is_found(connection: Connection, column: str) -> None:
    for name in ("ada", "ada", "bo", "bo"):
        queue(connection, name)
    assert leases.lease(connection, "worker", ["free"], ["blank"], 100)
    assert sweeper_queries.inconsistent_flows(connection) == []
    set_flow(connection, "bo", f"{column} = {column} + 1")
    assert sweeper_queries.inconsistent_flows(connection) == [("free", "test:server:bo")]


MONTH = timedelta(days=30)


def upload(connection: Connection, blob: str, *owners: str) -> None:
    """An upload of these members, at the set clock."""
    for owner in owners:
        sweeper_queries.record_source(connection, blob, owner)
    values = {"blob": blob}
    connection.execute(text("UPDATE sources SET stored_at = now() WHERE blob = :blob"), values)


@pytest.mark.parametrize(
    ("state", "kept"),
    [
        (JobState.QUEUED, True),
        (JobState.RUNNING, True),
        (JobState.DELIVERING, False),
        (JobState.DONE, False),
    ],
)
@pytest.mark.parametrize("part", ["sources", "mask"])
def test_upload_is_kept_while_a_job_needs_it(
    connection: Connection, state: JobState, part: str, *, kept: bool
) -> None:
    set_clock(connection, 0)
    upload(connection, "used", "ada")
    job = queue(connection, "ada")
    asked = request(**{"sources": ("used",)} if part == "sources" else {"mask": "used"})
    connection.execute(
        schema.jobs.update().where(schema.jobs.c.id == job).values(request=asked.to_json())
    )
    put_in_state(connection, job, state)
    set_clock(connection, 31 * DAY)
    assert sweeper_queries.expire_sources(connection, MONTH, 9) == ([] if kept else ["used"])


def test_uploads_expire_after_the_time_and_with_their_last_owner(connection: Connection) -> None:
    set_clock(connection, 0)
    upload(connection, "shared", "ada", "bo")
    upload(connection, "hers", "ada")
    set_clock(connection, 10 * DAY)
    upload(connection, "later", "ada")
    sweeper_queries.record_source(connection, "shared", "bo")
    again = "UPDATE sources SET stored_at = now() WHERE blob = 'shared' AND member_key = 'bo'"
    connection.execute(text(again))
    set_clock(connection, 30 * DAY)
    assert sweeper_queries.expire_sources(connection, MONTH, 9) == []
    set_clock(connection, 30 * DAY + 1)
    assert sweeper_queries.expire_sources(connection, MONTH, 9) == ["hers"]
    left = connection.execute(text("SELECT blob, member_key FROM sources ORDER BY blob")).all()
    assert [tuple(row) for row in left] == [("later", "ada"), ("shared", "bo")]
    set_clock(connection, 40 * DAY + 1)
    assert set(sweeper_queries.expire_sources(connection, MONTH, 9)) == {"later", "shared"}


def test_orphans_are_marked_and_deleted_after_their_times(connection: Connection) -> None:
    set_clock(connection, 0)
    assert orphans.list_new(connection, ["b", "a"]) == 2
    assert orphans.list_new(connection, ["b", "a"]) == 0
    now(connection, "orphans", "listed_at")
    day, week = timedelta(days=1), timedelta(days=7)
    set_clock(connection, DAY)
    assert orphans.mark(connection, day) == 0
    set_clock(connection, DAY + 1)
    assert orphans.mark(connection, day) == 2
    set_clock(connection, 8 * DAY)
    assert orphans.mark(connection, day) == 0, "marked once"
    assert orphans.take_due(connection, week, 9) == []
    set_clock(connection, 8 * DAY + 2)
    upload(connection, "a", "ada")  # unlists it
    connection.execute(insert(schema.orphans).values(blob="a", marked_at=text("to_timestamp(0)")))
    assert orphans.take_due(connection, week, 9) == ["b"]
    assert orphans.unlist_referenced(connection) == 1
    assert orphans.count(connection) == 0


def test_young_or_known_uploads_are_no_orphans(connection: Connection) -> None:
    upload(connection, "known", "ada")
    assert orphans.list_new(connection, ["known", "unknown"]) == 1
    assert [one.blob for one in orphans.read(connection, 9)] == ["unknown"]
