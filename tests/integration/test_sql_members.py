"""Whose rows a statement reads, erases or removes: those of one member and of nobody else."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, text

from tasks.jobs.members import Member, Place
from tasks.jobs.states import JobState
from tasks.jobs.tiers import Tier
from tasks.store import (
    access,
    erasure,
    job_insert,
    jobs,
    leases,
    members,
    personal_data,
    pictures,
    sweeper_queries,
    transitions,
)
from tasks.store.transitions import Finished, NewPicture, Posted
from tests.integration.set_clock import put_in_state, queue, set_clock
from tests.integration.stack import PLACE, member, order, request

ADA, BO = member("ada"), member("bo")
THERE = Member("test", "another server", "ada")


def delivering(connection: Connection, who: Member, blob: str) -> tuple[UUID, UUID]:
    """A member's job with a stored picture, and the claim of its delivery."""
    job = queue(connection, who, lane="free")
    held = leases.lease(connection, "worker", ["free"], ["blank"], 100)
    assert held is not None
    assert held.job.id == job
    token = uuid4()
    made = NewPicture(uuid4(), 0, blob, "image/png", 64, 64, 1, request().to_json())
    assert transitions.mark_rendered(connection, [Finished(held, [made], token, 100)])[0]
    return job, token


def delivered(connection: Connection, who: Member, blob: str) -> UUID:
    """A member's delivered job with one picture."""
    job, token = delivering(connection, who, blob)
    assert transitions.mark_delivered(connection, [Posted(job, token, f"m-{blob}")]) == [True]
    return job


def blobs(connection: Connection) -> set[str]:
    """The blobs of all pictures that are not deleted."""
    return set(connection.scalars(text("SELECT blob FROM pictures WHERE NOT deleted")))


def states(connection: Connection, *of: UUID) -> list[str]:
    """The jobs' states."""
    query = text("SELECT state FROM jobs WHERE id = :job")
    return [str(connection.scalar(query, {"job": job})) for job in of]


def test_erasing_a_member_leaves_the_others_alone(connection: Connection) -> None:
    delivered(connection, ADA, "hers")
    delivered(connection, BO, "his")
    mine, others = queue(connection, ADA), queue(connection, BO)
    for blob, owners in (("s-hers", (ADA,)), ("s-both", (ADA, BO)), ("s-his", (BO,))):
        for owner in owners:
            sweeper_queries.record_source(connection, blob, owner.key)
    assert sorted(erasure.erase_member(connection, ADA.key)) == ["hers", "s-hers"]
    assert blobs(connection) == {"his"}
    assert states(connection, mine, others) == ["cancelled", "queued"]
    prompts = text("SELECT member_key FROM jobs WHERE request ->> 'prompt' <> ''")
    assert set(connection.scalars(prompts)) == {BO.key}
    left = connection.execute(text("SELECT blob, member_key FROM sources ORDER BY blob")).all()
    assert [tuple(row) for row in left] == [("s-both", BO.key), ("s-his", BO.key)]
    removed = connection.scalars(text("SELECT member_key FROM removals"))
    assert set(removed) == {ADA.key}


def test_jobs_that_have_not_ended_are_not_erased(connection: Connection) -> None:
    running, _ = delivering(connection, ADA, "one")
    put_in_state(connection, running, JobState.RUNNING)
    delivers, token = delivering(connection, BO, "two")
    assert erasure.erase_jobs(connection, [running, delivers]) == []
    assert blobs(connection) == {"one", "two"}
    erasure.erase_member(connection, BO.key)
    assert blobs(connection) == {"one", "two"}
    assert transitions.mark_delivered(connection, [Posted(delivers, token, "m")]) == [True]
    assert erasure.erase_ended(connection) == ["two"]
    assert erasure.erase_ended(connection) == []


def test_deleting_one_jobs_pictures_leaves_others_alone(connection: Connection) -> None:
    first = delivered(connection, ADA, "one")
    delivered(connection, ADA, "two")
    removals = text("SELECT job FROM removals")
    assert erasure.delete_pictures(connection, first) == ["one"]
    assert list(connection.scalars(removals)) == [first]
    assert erasure.delete_pictures(connection, first) == [], "once"
    assert list(connection.scalars(removals)) == [first]
    assert blobs(connection) == {"two"}


def test_departed_server_is_erased_after_the_time_and_alone(connection: Connection) -> None:
    month = timedelta(days=30)
    set_clock(connection, 0)
    delivered(connection, ADA, "here")
    there, token = delivering(connection, THERE, "there")
    change = "UPDATE jobs SET workspace = 'another server' WHERE id = :job"
    connection.execute(text(change), {"job": there})
    assert transitions.mark_delivered(connection, [Posted(there, token, "m")]) == [True]
    members.upsert(connection, [ADA, THERE])
    erasure.record_departure(connection, "test", "server")
    connection.execute(text("UPDATE departures SET left_at = now()"))
    set_clock(connection, 30 * 86400)
    assert erasure.erase_departed(connection, month) is None
    set_clock(connection, 30 * 86400 + 1)
    assert erasure.erase_departed(connection, month) == ("test:server", ["here"])
    assert erasure.erase_departed(connection, month) is None
    assert blobs(connection) == {"there"}
    assert set(connection.scalars(text("SELECT key FROM members"))) == {THERE.key}


def test_history_has_a_members_delivered_pictures_only(connection: Connection) -> None:
    delivered(connection, ADA, "hers")
    delivered(connection, BO, "his")
    gone = delivered(connection, ADA, "deleted")
    erasure.delete_pictures(connection, gone)
    delivering(connection, ADA, "not yet")
    found = pictures.of_member(connection, ADA.key, 9, None)
    assert [one.blob for one in found] == ["hers"]


@pytest.mark.parametrize(
    "other",
    [
        replace(PLACE, platform="another"),
        replace(PLACE, workspace="another"),
        replace(PLACE, channel="another"),
    ],
)
def test_picture_is_found_in_its_own_place_only(connection: Connection, other: Place) -> None:
    delivered(connection, ADA, "one")
    found = pictures.of_message(connection, PLACE, "m-one")
    assert found is not None
    assert found.blob == "one"
    assert pictures.of_message(connection, other, "m-one") is None
    assert pictures.last_in(connection, other) is None
    erasure.delete_pictures(connection, found.job)
    assert pictures.of_message(connection, PLACE, "m-one") is None
    assert pictures.last_in(connection, PLACE) is None


def test_short_name_finds_a_members_own_job_only(connection: Connection) -> None:
    job = queue(connection, ADA)
    found = jobs.by_short(connection, ADA.key, str(job)[-6:])
    assert found is not None
    assert found.id == job
    assert jobs.by_short(connection, BO.key, str(job)[-6:]) is None


def test_export_has_a_members_own_rows_only(connection: Connection) -> None:
    own = delivered(connection, ADA, "hers")
    delivered(connection, BO, "his")
    for blob, owner in (("s-hers", ADA), ("s-his", BO)):
        sweeper_queries.record_source(connection, blob, owner.key)
    assert sorted(personal_data.blobs(connection, ADA.key)) == ["hers", "s-hers"]
    file = BytesIO()
    personal_data.write_rows(connection, ADA.key, file)
    rows = json.loads(file.getvalue())
    assert [row["id"] for row in rows["jobs"]] == [str(own)]
    assert [row["blob"] for row in rows["pictures"]] == ["hers"]
    assert {row["job"] for row in rows["ledger"]} == {str(own)}


def test_private_order_makes_a_private_job(connection: Connection) -> None:
    made = [
        job_insert.NewJob(
            uuid4(), order(who, private=private), Tier.FREE, "free", 1, 1.0, 1.0, False, None
        )
        for who, private in ((ADA, True), (BO, False))
    ]
    entered = job_insert.enter(connection, made)
    assert [job.order.private for job in entered] == [True, False]
    again = [jobs.read(connection, one.id) for one in made]
    assert [job and job.order.private for job in again] == [True, False]


def test_active_jobs_of_a_server_and_of_members(connection: Connection) -> None:
    """Those that a ban ends: neither of others, nor ended."""
    mine, ended, others = queue(connection, ADA), queue(connection, ADA), queue(connection, BO)
    put_in_state(connection, ended, JobState.DONE)
    put_in_state(connection, others, JobState.RUNNING)
    assert access.active_of_members(connection, [ADA.key]) == [mine]
    assert set(access.active_in_server(connection, "test", "server")) == {mine, others}
    assert access.active_in_server(connection, "test", "another server") == []
