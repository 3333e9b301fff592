"""Doors set by hand, in a real record: by tier, feature and server, by the operator and others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from bots.core.cards import card
from bots.core.reasons import sentence
from bots.core.sentences import Sentences
from tasks.client import Client, Whole
from tasks.doors import AutoDoor, Rung
from tasks.handset import Subject
from tasks.job import JobState, Reason, Refused
from tasks.members import Member, Place
from tasks.steward import Steward
from tasks.store import doors, transitions, waitlist
from tasks.store.doors import EVERYWHERE, Automatic
from tasks.tiers import DoorState, Feature, Tier
from tasks.views import WaitlistPlace
from tests.integration.house import PLACE, House, member, order, request

BOSS = replace(member("boss"), administrator=True)
OPERATOR = Member(EVERYWHERE, EVERYWHERE, "operator")
ELSEWHERE = Member("test", "another server", "eve")
CLOSED, WAITLIST, AUTO = DoorState.CLOSED, DoorState.WAITLIST, DoorState.AUTO


@pytest.fixture
async def studio(house: House) -> tuple[House, Client]:
    client = house.client()
    await client.map_role(BOSS, "pro", Tier.PRO)
    return house, client


async def test_a_feature_is_closed_for_all_and_open_again(studio: tuple[House, Client]) -> None:
    house, client = studio
    pro, upscale = member("ada", "pro"), {"command": "upscale"}
    await client.set_doors(OPERATOR, Feature.UPSCALE, CLOSED)
    wish = replace(order(pro), **upscale)
    outcome = house.reception.submit(wish)
    assert house.refused(wish) == "feature-closed"
    assert outcome.reason.details["feature"] == "upscale"  # type: ignore[union-attr]
    house.submit(order(pro))
    await client.set_doors(OPERATOR, Feature.UPSCALE, None)
    house.submit(replace(order(pro), **upscale))
    await client.set_doors(OPERATOR, Feature.PRIVATE, CLOSED)
    alone = house.reception.submit(replace(order(pro), private=True))
    assert isinstance(alone, Refused)
    assert "Private results are closed" in sentence(alone.reason, Sentences("en"))
    await client.close()


async def test_a_server_is_closed_and_the_others_are_not(studio: tuple[House, Client]) -> None:
    house, client = studio
    await client.set_doors(BOSS, Whole.EVERYTHING, CLOSED)
    assert house.refused(order(member("ada", "pro"))) == "doors-closed"
    house.submit(order(ELSEWHERE))
    assert await client.doors_set_apart("test", "server") == {Whole.EVERYTHING: CLOSED}
    assert await client.doors_set_apart("test", "another server") == {}
    await client.close()


async def test_a_server_cannot_be_opened_past_the_operator(studio: tuple[House, Client]) -> None:
    house, client = studio
    await client.set_doors(OPERATOR, Tier.FREE, CLOSED)
    await client.set_doors(BOSS, Tier.FREE, DoorState.OPEN)
    assert house.refused(order(member("bo"))) == "doors-closed"
    assert house.refused(order(ELSEWHERE)) == "doors-closed"
    (free, *_) = await client.doors("test", "server")
    assert free.now is CLOSED
    rows = {row.subject: row for row in await client.every_door()}
    assert rows[Tier.FREE].everywhere is CLOSED
    assert rows[Tier.FREE].servers == {"test:server": DoorState.OPEN}
    assert rows[Tier.PRO].everywhere is None
    await client.set_doors(OPERATOR, Tier.FREE, None)
    house.submit(order(member("bo")))
    await client.close()


async def test_every_server_is_known_by_its_jobs_its_settings_or_the_file(
    build_house: Callable[..., House],
) -> None:
    house = build_house('[discord.guilds."77".roles]\n"1" = "pro"')
    client = house.client()
    assert await client.servers() == ["discord:77"]
    for name in ("bo", "di", "ed"):
        house.submit(order(member(name)))
    house.submit(replace(order(ELSEWHERE), place=Place("test", "another server", "general")))
    await client.set_doors(Member("slack", "T9", "operator"), Tier.FREE, CLOSED)
    await client.set_doors(OPERATOR, Tier.FREE, CLOSED)
    found = await client.servers()
    assert found == ["discord:77", "slack:T9", "test:another server", "test:server"]
    now = {row.subject: row.now for row in await client.every_door(("slack", "T9"))}
    assert now[Tier.FREE] is CLOSED
    await client.close()


async def test_new_members_are_kept_out_by_hand_and_may_join_the_waitlist(
    studio: tuple[House, Client],
) -> None:
    house, client = studio
    old, new = member("old"), member("new")
    house.submit(order(old))
    assert not await client.kept_out(new)
    await client.set_doors(OPERATOR, Whole.SIGN_UPS, CLOSED)
    assert house.refused(order(new)) == "sign-ups-suspended"
    assert await client.kept_out(new)
    assert not await client.kept_out(old)
    house.submit(order(old))
    house.submit(order(member("payer", "pro")))
    await client.join_waitlist(new, PLACE)
    house.database.run(lambda c: waitlist.invite(c, Tier.FREE, 1, timedelta(hours=1)))
    house.submit(order(new))
    await client.close()


@pytest.mark.parametrize(
    ("subject", "state"),
    [(Whole.SIGN_UPS, AUTO), (Whole.SIGN_UPS, WAITLIST), (Whole.EVERYTHING, AUTO)],
)
async def test_a_state_that_a_door_cannot_have_is_refused(
    studio: tuple[House, Client], subject: Subject, state: DoorState
) -> None:
    _, client = studio
    with pytest.raises(ValueError, match=r"closed|open"):
        await client.set_doors(OPERATOR, subject, state)
    await client.close()


async def test_everyone_waits_in_the_line_of_their_own_tier(studio: tuple[House, Client]) -> None:
    house, client = studio
    await client.join_waitlist(member("bo"), PLACE)
    assert (await client.join_waitlist(member("ada", "pro"), PLACE)).position == 1
    invited = house.database.run(lambda c: waitlist.invite(c, Tier.PRO, 5, timedelta(hours=1)))
    assert invited == 1
    await client.close()


async def test_nobody_is_invited_to_a_door_that_is_closed(studio: tuple[House, Client]) -> None:
    """And they do not hold the door of the others on its waitlist."""
    house, client = studio
    there = Place("test", "another server", "general")
    await client.join_waitlist(member("bo"), PLACE)
    await client.join_waitlist(ELSEWHERE, there)
    await client.set_doors(BOSS, Tier.FREE, CLOSED)
    assert house.database.run(lambda c: waitlist.waiting(c, Tier.FREE)) == 1
    assert house.database.run(lambda c: waitlist.invite(c, Tier.FREE, 9, timedelta(1))) == 1
    assert (await client.waitlist_place(ELSEWHERE)).invited_until is not None
    await client.set_doors(BOSS, Tier.FREE, None)
    assert house.database.run(lambda c: waitlist.invite(c, Tier.FREE, 9, timedelta(1))) == 1
    await client.close()


def present_a_worker(house: House) -> None:
    """One that is alive and idle."""
    with house.database.begin() as connection:
        connection.execute(
            text("""
                INSERT INTO workers (name, token, device, profiles, slots, running, rates)
                VALUES ('w', gen_random_uuid(), 'none', '{"blank": {"steps": 4}}', 2, 0, '{}')
            """)
        )


@pytest.mark.parametrize("by_file", [True, False])
async def test_an_automatic_feature_closes_as_its_tiers_wait(
    build_house: Callable[..., House], by_file: bool
) -> None:
    """Large pictures are what a studio in need does without first; open they come back."""
    policy = '[tiers.pro]\nwaiting = 90\n[doors]\nlongest_wait = "60s"\nrises = "0s"\nstands = "0s"'
    house = build_house(policy + ('\n[doors.features]\nupscale = "auto"' if by_file else ""))
    client = house.client()
    await client.map_role(BOSS, "pro", Tier.PRO)
    if not by_file:
        await client.set_doors(OPERATOR, Feature.UPSCALE, AUTO)
    present_a_worker(house)
    moments = iter(range(1000, 9000, 100))
    steward = Steward(house.database, house.policy, now=lambda: float(next(moments)))
    pro = member("ada", "pro")
    large = request(width=1024, height=1024, steps=100)
    jobs = [house.submit(order(pro, request=large)) for _ in range(5)]
    steward.fold()
    for _ in range(3):
        steward.look_after()
    rungs = house.database.run(doors.automatic)
    assert rungs[Feature.UPSCALE].door.rung > rungs[Tier.PRO].door.rung == 0
    house.reception.glances.forget()
    larger = house.reception.submit(replace(order(pro), command="upscale"))
    assert isinstance(larger, Refused)
    assert "Upscaling is open by waitlist" in sentence(larger.reason, Sentences("en"))
    house.submit(order(pro))
    with house.database.begin() as connection:
        connection.execute(text("UPDATE jobs SET state = 'cancelled'"))
    steward.fold()
    for _ in range(4):
        steward.look_after()
    house.reception.glances.forget()
    house.submit(replace(order(pro), command="upscale"))
    assert len(jobs) == 5
    await client.close()


def rungs_of(house: House) -> dict[Subject, Rung]:
    return {subject: one.door.rung for subject, one in house.database.run(doors.automatic).items()}


async def test_a_door_that_is_automatic_no_more_forgets_how_far_it_had_closed(
    build_house: Callable[..., House],
) -> None:
    """Set automatic again another day, it begins open and not where it stood."""
    house = build_house()
    client = house.client()
    present_a_worker(house)
    steward = Steward(house.database, house.policy, now=lambda: 5000.0)
    await client.set_doors(OPERATOR, Feature.BLEND, AUTO)
    for subject in (Feature.BLEND, Tier.PRO):
        stuck = Automatic(AutoDoor(Rung.CLOSED, 10.0), 9999.0)
        house.database.run(lambda c, s=subject, a=stuck: doors.remember(c, s, a))
    await client.set_doors(OPERATOR, Feature.BLEND, None)
    steward.fold()
    steward.look_after()
    assert rungs_of(house)[Feature.BLEND] is rungs_of(house)[Tier.PRO] is Rung.OPEN
    rows = {row.subject: row for row in await client.every_door()}
    assert rows[Feature.BLEND].predicted_wait == timedelta(0)
    await client.close()


async def test_without_a_worker_doors_stay_and_nobody_knows_the_wait(
    build_house: Callable[..., House],
) -> None:
    house = build_house('[doors]\nstands = "0s"\nrises = "0s"')
    client = house.client()
    moments = iter(range(1000, 90_000, 100))
    steward = Steward(house.database, house.policy, now=lambda: float(next(moments)))
    house.submit(order())
    waiting = Automatic(AutoDoor(Rung.WAITLIST, 10.0), 9999.0)
    house.database.run(lambda c: doors.remember(c, Tier.FREE, waiting))
    await client.join_waitlist(member("bo"), PLACE)
    steward.fold()
    for _ in range(5):
        steward.look_after()
    assert rungs_of(house)[Tier.FREE] is Rung.WAITLIST
    assert (await client.waitlist_place(member("bo"))).position == 1
    rows = {row.subject: row for row in await client.every_door()}
    assert rows[Tier.FREE].predicted_wait is None
    present_a_worker(house)
    for _ in range(5):
        steward.look_after()
    assert (await client.waitlist_place(member("bo"))).invited_until is not None
    assert rungs_of(house)[Tier.FREE] is Rung.OPEN
    await client.close()


async def test_a_door_closed_by_hand_opens_to_those_who_wait_first(
    build_house: Callable[..., House],
) -> None:
    house = build_house('[doors]\nstands = "0s"')
    client = house.client()
    present_a_worker(house)
    moments = iter(range(1000, 90_000, 100))
    steward = Steward(house.database, house.policy, now=lambda: float(next(moments)))
    waiting = Automatic(AutoDoor(Rung.WAITLIST, 10.0), 9999.0)
    house.database.run(lambda c: doors.remember(c, Tier.FREE, waiting))
    await client.join_waitlist(member("bo"), PLACE)
    await client.set_doors(OPERATOR, Tier.FREE, CLOSED)
    for _ in range(3):
        steward.look_after()
    assert rungs_of(house)[Tier.FREE] is Rung.WAITLIST
    assert (await client.waitlist_place(member("bo"))).position == 1
    await client.set_doors(OPERATOR, Tier.FREE, None)
    steward.look_after()
    assert (await client.waitlist_place(member("bo"))).invited_until is not None
    steward.look_after()
    steward.look_after()
    assert rungs_of(house)[Tier.FREE] is Rung.OPEN
    await client.close()


@pytest.mark.parametrize("joined_again", [False, True])
@pytest.mark.parametrize("end", [JobState.CANCELLED, JobState.REFUSED])
async def test_an_invitation_is_given_back_with_the_credits(
    studio: tuple[House, Client], end: JobState, *, joined_again: bool
) -> None:
    """What made no picture has not used it up, and its message says so."""
    house, client = studio
    await client.set_doors(OPERATOR, Tier.FREE, WAITLIST)
    bo = member("bo")
    joined = await client.join_waitlist(bo, PLACE)
    house.database.run(lambda c: waitlist.invite(c, Tier.FREE, 1, timedelta(hours=1)))
    job = house.submit(order(bo))
    assert house.refused(order(bo)) == "doors-waitlist", "it lets one order in"
    assert await client.waitlist_place(bo) == WaitlistPlace(None, None, None)
    if joined_again:
        joined = await client.join_waitlist(bo, PLACE)
        assert joined.invited_until is None
    with house.database.begin() as connection:
        assert transitions.end(connection, job.id, [JobState.QUEUED], end, Reason("blocked"))
    again = await client.waitlist_place(bo)
    assert again.invited_until is not None
    assert again.joined_at == joined.joined_at
    assert house.database.run(lambda c: waitlist.claim_untold(c, ["test"], 9)) == []
    assert "invitation stands" in card(house.job(job.id), Sentences("en")).text
    house.submit(order(bo))
    await client.close()


async def test_an_invitation_that_ran_out_is_a_place_again_at_once(
    studio: tuple[House, Client],
) -> None:
    """Also where no clock has written it down: nobody is told that they are not on the list."""
    house, client = studio
    for name in ("bo", "di"):
        await client.join_waitlist(member(name), PLACE)
    house.database.run(lambda c: waitlist.invite(c, Tier.FREE, 1, timedelta(hours=1)))
    assert (await client.waitlist_place(member("bo"))).position is None
    assert (await client.waitlist_place(member("di"))).position == 1
    assert house.database.run(lambda c: waitlist.invited(c, Tier.FREE)) == 1
    with house.database.begin() as connection:
        connection.execute(text("UPDATE waitlist SET invited_until = now() - interval '1 s'"))
        connection.execute(
            text("UPDATE waitlist SET invited_until = NULL WHERE invited_at IS NULL")
        )
    for _ in range(2):
        assert (await client.waitlist_place(member("bo"))).position == 2
        assert (await client.waitlist_place(member("di"))).position == 1
        house.database.run(lambda c: waitlist.lapse(c, Tier.FREE))
    assert house.database.run(lambda c: waitlist.invited(c, Tier.FREE)) == 0
    await client.close()
