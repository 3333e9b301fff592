"""The waitlist's statements with a set clock: who is invited, when it lapses, who is told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection, text

from tasks.jobs.members import Place
from tasks.jobs.tiers import Tier
from tasks.store import waitlist
from tasks.store.database import Database
from tests.integration.set_clock import set_clock
from tests.integration.stack import PLACE, member

HOUR = timedelta(hours=1)
FREE = Tier.FREE


def join(connection: Connection, *names: str, tier: Tier = FREE, place: Place = PLACE) -> None:
    """These members join, one after another."""
    for name in names:
        waitlist.join(connection, member(name), place, tier)


def invited(connection: Connection) -> set[str]:
    """The names of members with an invitation, open or not."""
    query = text("SELECT member ->> 'id' FROM waitlist WHERE invited_at IS NOT NULL")
    return set(connection.scalars(query))


def position(connection: Connection, name: str) -> int | None:
    """A member's position."""
    return waitlist.place_of(connection, member(name).key).position


def test_first_who_joined_are_invited_first_and_once(connection: Connection) -> None:
    set_clock(connection, 0)
    join(connection, "ada", "bo", "cy", "dee")
    assert waitlist.invite(connection, FREE, 2, HOUR) == 2
    assert invited(connection) == {"ada", "bo"}
    set_clock(connection, 10)
    assert waitlist.invite(connection, FREE, 1, HOUR) == 1
    assert invited(connection) == {"ada", "bo", "cy"}
    assert waitlist.invite(connection, FREE, 9, HOUR) == 1
    assert waitlist.invite(connection, FREE, 9, HOUR) == 0
    set_clock(connection, 3600)
    assert waitlist.lapse(connection, FREE) == 2, "a second invitation does not renew the first"


def test_members_of_another_tier_are_not_invited(connection: Connection) -> None:
    join(connection, "payer", tier=Tier.PRO)
    join(connection, "ada")
    assert waitlist.waiting(connection, FREE) == 1
    assert waitlist.invite(connection, FREE, 9, HOUR) == 1
    assert invited(connection) == {"ada"}
    assert position(connection, "payer") == 1


def test_invitation_lapses_when_it_ends_and_not_before(connection: Connection) -> None:
    set_clock(connection, 0)
    join(connection, "ada", "payer")
    waitlist.invite(connection, FREE, 1, HOUR)
    set_clock(connection, 3599)
    assert waitlist.lapse(connection, FREE) == 0
    assert waitlist.place_of(connection, member("ada").key).invited_until is not None
    set_clock(connection, 3600)
    assert waitlist.lapse(connection, Tier.PRO) == 0
    assert waitlist.lapse(connection, FREE) == 1
    assert waitlist.lapse(connection, FREE) == 0
    assert invited(connection) == set()


def test_who_let_an_invitation_lapse_comes_after_those_who_did_not(connection: Connection) -> None:
    set_clock(connection, 0)
    join(connection, "ada", "bo")
    waitlist.invite(connection, FREE, 1, HOUR)
    set_clock(connection, 3601)
    assert (position(connection, "bo"), position(connection, "ada")) == (1, 2)
    waitlist.lapse(connection, FREE)
    join(connection, "cy")
    assert waitlist.waiting(connection, FREE) == 2, "those who were never invited"
    assert [position(connection, name) for name in ("bo", "cy", "ada")] == [1, 2, 3]
    assert waitlist.invite(connection, FREE, 2, HOUR) == 2
    assert invited(connection) == {"bo", "cy"}


def test_open_invitation_is_used_once_and_an_expired_one_not(connection: Connection) -> None:
    set_clock(connection, 0)
    join(connection, "ada", "bo", "cy")
    waitlist.invite(connection, FREE, 2, HOUR)
    ada, bo, cy = (member(name).key for name in ("ada", "bo", "cy"))
    set_clock(connection, 3599)
    assert waitlist.enter(connection, ada) is not None
    assert waitlist.enter(connection, ada) is None
    assert waitlist.enter(connection, cy) is None
    set_clock(connection, 3600)
    assert waitlist.enter(connection, bo) is None


def test_invitation_is_told_once(connection: Connection) -> None:
    """A claim that nothing came of is free again after five minutes, until it is told."""
    set_clock(connection, 0)
    join(connection, "ada", "bo")
    waitlist.invite(connection, FREE, 1, HOUR)
    assert waitlist.claim_unnotified(connection, ["another"], 9) == []
    [claimed] = waitlist.claim_unnotified(connection, ["test"], 9)
    assert (claimed.member.id, claimed.until.timestamp() % 3600) == ("ada", 1_700_000_000 % 3600)
    set_clock(connection, 300)
    assert waitlist.claim_unnotified(connection, ["test"], 9) == []
    set_clock(connection, 301)
    assert len(waitlist.claim_unnotified(connection, ["test"], 9)) == 1
    waitlist.release_claim(connection, claimed.member.key)
    assert len(waitlist.claim_unnotified(connection, ["test"], 9)) == 1
    waitlist.mark_notified(connection, claimed.member.key)
    set_clock(connection, 1000)
    assert waitlist.claim_unnotified(connection, ["test"], 9) == []


def test_expired_invitation_is_not_told(connection: Connection) -> None:
    set_clock(connection, 0)
    join(connection, "ada")
    waitlist.invite(connection, FREE, 1, HOUR)
    set_clock(connection, 3600)
    assert waitlist.claim_unnotified(connection, ["test"], 9) == []


def test_two_who_tell_take_different_invitations(database: Database) -> None:
    with database.begin() as setup:
        join(setup, "ada", "bo")
        waitlist.invite(setup, FREE, 2, HOUR)
    with database.begin() as one, database.begin() as other:
        other.execute(text("SET LOCAL lock_timeout = '200ms'"))
        first = waitlist.claim_unnotified(one, ["test"], 1)
        second = waitlist.claim_unnotified(other, ["test"], 9)
        assert [claimed.member.id for claimed in (*first, *second)] == ["ada", "bo"]


@pytest.mark.parametrize(
    ("server", "subject"), [(("*", "*"), "free"), (("test", "server"), "everything")]
)
def test_nobody_is_invited_to_a_closed_door(
    connection: Connection, server: tuple[str, str], subject: str
) -> None:
    join(connection, "ada")
    values = {"platform": server[0], "workspace": server[1], "subject": subject}
    query = "INSERT INTO doors VALUES (:platform, :workspace, :subject, 'closed')"
    connection.execute(text(query), values)
    assert waitlist.waiting(connection, FREE) == 0
    assert waitlist.invite(connection, FREE, 9, HOUR) == 0
    connection.execute(text("UPDATE doors SET set_to = 'waitlist'"))
    assert waitlist.invite(connection, FREE, 9, HOUR) == 1
