"""Doors set by hand, in a real record: by tier, feature and server, by the operator and others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text

from bots.core.cards import card
from bots.core.locales import Localizer
from bots.core.refusals import sentence
from tasks.client import Client, GlobalDoor
from tasks.jobs.job import Reason, Refused
from tasks.jobs.members import Member, Place
from tasks.jobs.states import JobState
from tasks.jobs.tiers import DoorState, Feature, Tier
from tasks.maintenance.periodic import PeriodicTasks
from tasks.policy.door_overrides import EVERYWHERE, Subject
from tasks.policy.doors import AutoDoor, DoorLevel
from tasks.store import doors, transitions, waitlist
from tasks.store.doors import Automatic
from tasks.store.waitlist import WaitlistPlace
from tests.integration.stack import PLACE, Deployment, member, order, request

BOSS = replace(member("boss"), administrator=True)
OPERATOR = Member(EVERYWHERE, EVERYWHERE, "operator")
ELSEWHERE = Member("test", "another server", "eve")
CLOSED, WAITLIST, AUTO = DoorState.CLOSED, DoorState.WAITLIST, DoorState.AUTO


@pytest.fixture
async def atelier(deployment: Deployment) -> tuple[Deployment, Client]:
    client = deployment.client()
    await client.admin.map_role(BOSS, "pro", Tier.PRO)
    return deployment, client


async def test_feature_can_be_closed_for_all_and_reopened(
    atelier: tuple[Deployment, Client],
) -> None:
    deployment, client = atelier
    pro = member("ada", "pro")
    await client.door_settings.set(OPERATOR, Feature.UPSCALE, CLOSED)
    wish = replace(order(pro), command="upscale")
    outcome = deployment.admission.submit(wish)
    assert deployment.refused(wish) == "feature-closed"
    assert outcome.reason.details["feature"] == "upscale"  # type: ignore[union-attr]
    deployment.submit(order(pro))
    await client.door_settings.set(OPERATOR, Feature.UPSCALE, None)
    deployment.submit(replace(order(pro), command="upscale"))
    await client.door_settings.set(OPERATOR, Feature.PRIVATE, CLOSED)
    alone = deployment.admission.submit(replace(order(pro), private=True))
    assert isinstance(alone, Refused)
    assert "Private results are closed" in sentence(alone.reason, Localizer("en"))
    await client.close()


async def test_closing_one_server_leaves_others_open(atelier: tuple[Deployment, Client]) -> None:
    deployment, client = atelier
    await client.door_settings.set(BOSS, GlobalDoor.EVERYTHING, CLOSED)
    assert deployment.refused(order(member("ada", "pro"))) == "doors-closed"
    deployment.submit(order(ELSEWHERE))
    assert await client.door_settings.others("test", "server") == {GlobalDoor.EVERYTHING: CLOSED}
    assert await client.door_settings.others("test", "another server") == {}
    await client.close()


async def test_server_cannot_be_opened_against_the_operator(
    atelier: tuple[Deployment, Client],
) -> None:
    deployment, client = atelier
    await client.door_settings.set(OPERATOR, Tier.FREE, CLOSED)
    await client.door_settings.set(BOSS, Tier.FREE, DoorState.OPEN)
    assert deployment.refused(order(member("bo"))) == "doors-closed"
    assert deployment.refused(order(ELSEWHERE)) == "doors-closed"
    (free, *_) = await client.door_settings.tiers("test", "server")
    assert free.now is CLOSED
    rows = {row.subject: row for row in await client.door_settings.all()}
    assert rows[Tier.FREE].everywhere is CLOSED
    assert rows[Tier.FREE].servers == {"test:server": DoorState.OPEN}
    assert rows[Tier.PRO].everywhere is None
    await client.door_settings.set(OPERATOR, Tier.FREE, None)
    deployment.submit(order(member("bo")))
    await client.close()


async def test_servers_are_listed_from_jobs_settings_and_file(
    build_deployment: Callable[..., Deployment],
) -> None:
    deployment = build_deployment('[discord.guilds."77".roles]\n"1" = "pro"')
    client = deployment.client()
    assert await client.door_settings.servers() == ["discord:77"]
    for name in ("bo", "di", "ed"):
        deployment.submit(order(member(name)))
    deployment.submit(replace(order(ELSEWHERE), place=Place("test", "another server", "general")))
    await client.door_settings.set(Member("slack", "T9", "operator"), Tier.FREE, CLOSED)
    await client.door_settings.set(OPERATOR, Tier.FREE, CLOSED)
    found = await client.door_settings.servers()
    assert found == ["discord:77", "slack:T9", "test:another server", "test:server"]
    now = {row.subject: row.now for row in await client.door_settings.all(("slack", "T9"))}
    assert now[Tier.FREE] is CLOSED
    await client.close()


async def test_closed_sign_ups_refuse_new_members_who_may_join_the_waitlist(
    atelier: tuple[Deployment, Client],
) -> None:
    deployment, client = atelier
    old, new = member("old"), member("new")
    deployment.submit(order(old))
    assert not await client.waitlist.is_needed(new)
    await client.door_settings.set(OPERATOR, GlobalDoor.SIGN_UPS, CLOSED)
    assert deployment.refused(order(new)) == "sign-ups-suspended"
    assert await client.waitlist.is_needed(new)
    assert not await client.waitlist.is_needed(old)
    deployment.submit(order(old))
    deployment.submit(order(member("payer", "pro")))
    await client.waitlist.join(new, PLACE)
    deployment.database.run(lambda c: waitlist.invite(c, Tier.FREE, 1, timedelta(hours=1)))
    deployment.submit(order(new))
    await client.close()


@pytest.mark.parametrize(
    ("subject", "state"),
    [(GlobalDoor.SIGN_UPS, AUTO), (GlobalDoor.SIGN_UPS, WAITLIST), (GlobalDoor.EVERYTHING, AUTO)],
)
async def test_invalid_door_state_is_refused(
    atelier: tuple[Deployment, Client], subject: Subject, state: DoorState
) -> None:
    _, client = atelier
    with pytest.raises(ValueError, match=r"closed|open"):
        await client.door_settings.set(OPERATOR, subject, state)
    await client.close()


async def test_members_join_the_waitlist_of_their_own_tier(
    atelier: tuple[Deployment, Client],
) -> None:
    deployment, client = atelier
    await client.waitlist.join(member("bo"), PLACE)
    assert (await client.waitlist.join(member("ada", "pro"), PLACE)).position == 1
    invited = deployment.database.run(lambda c: waitlist.invite(c, Tier.PRO, 5, timedelta(hours=1)))
    assert invited == 1
    await client.close()


async def test_closed_door_invites_nobody(
    atelier: tuple[Deployment, Client],
) -> None:
    """And they do not hold the door of the others on its waitlist."""
    deployment, client = atelier
    there = Place("test", "another server", "general")
    await client.waitlist.join(member("bo"), PLACE)
    await client.waitlist.join(ELSEWHERE, there)
    await client.door_settings.set(BOSS, Tier.FREE, CLOSED)
    assert deployment.database.run(lambda c: waitlist.waiting(c, Tier.FREE)) == 1
    assert deployment.database.run(lambda c: waitlist.invite(c, Tier.FREE, 9, timedelta(1))) == 1
    assert (await client.waitlist.place(ELSEWHERE)).invited_until is not None
    await client.door_settings.set(BOSS, Tier.FREE, None)
    assert deployment.database.run(lambda c: waitlist.invite(c, Tier.FREE, 9, timedelta(1))) == 1
    await client.close()


def present_a_worker(deployment: Deployment) -> None:
    """One that is alive and idle."""
    with deployment.database.begin() as connection:
        connection.execute(
            text("""
                INSERT INTO workers (name, token, device, profiles, slots, running, rates)
                VALUES ('w', gen_random_uuid(), 'none', '{"blank": {"steps": 4}}', 2, 0, '{}')
            """)
        )


@pytest.mark.parametrize("by_file", [True, False])
async def test_automatic_feature_door_follows_its_tiers_wait(
    build_deployment: Callable[..., Deployment], by_file: bool
) -> None:
    """Large pictures are what a studio in need does without first; open they come back."""
    policy = '[tiers.pro]\nwaiting = 90\n[doors]\nlongest_wait = "60s"\nrises = "0s"\nstands = "0s"'
    deployment = build_deployment(
        policy + ('\n[doors.features]\nupscale = "auto"' if by_file else "")
    )
    client = deployment.client()
    await client.admin.map_role(BOSS, "pro", Tier.PRO)
    if not by_file:
        await client.door_settings.set(OPERATOR, Feature.UPSCALE, AUTO)
    present_a_worker(deployment)
    moments = iter(range(1000, 9000, 100))
    periodic_tasks = PeriodicTasks(
        deployment.database, deployment.policy, now=lambda: float(next(moments))
    )
    pro = member("ada", "pro")
    large = request(width=1024, height=1024, steps=100)
    jobs = [deployment.submit(order(pro, request=large)) for _ in range(5)]
    periodic_tasks.fold()
    for _ in range(3):
        periodic_tasks.adjust()
    rungs = deployment.database.run(doors.automatic)
    assert rungs[Feature.UPSCALE].door.door_level > rungs[Tier.PRO].door.door_level == 0
    deployment.admission.snapshots.forget()
    larger = deployment.admission.submit(replace(order(pro), command="upscale"))
    assert isinstance(larger, Refused)
    assert "available through a waitlist" in sentence(larger.reason, Localizer("en"))
    deployment.submit(order(pro))
    with deployment.database.begin() as connection:
        connection.execute(text("UPDATE jobs SET state = 'cancelled'"))
    periodic_tasks.fold()
    for _ in range(4):
        periodic_tasks.adjust()
    deployment.admission.snapshots.forget()
    deployment.submit(replace(order(pro), command="upscale"))
    assert len(jobs) == 5
    await client.close()


def rungs_of(deployment: Deployment) -> dict[Subject, DoorLevel]:
    return {
        subject: one.door.door_level
        for subject, one in deployment.database.run(doors.automatic).items()
    }


async def test_door_made_manual_forgets_its_automatic_level(
    build_deployment: Callable[..., Deployment],
) -> None:
    """Set automatic again another day, it begins open and not where it stood."""
    deployment = build_deployment()
    client = deployment.client()
    present_a_worker(deployment)
    periodic_tasks = PeriodicTasks(deployment.database, deployment.policy, now=lambda: 5000.0)
    await client.door_settings.set(OPERATOR, Feature.BLEND, AUTO)
    for subject in (Feature.BLEND, Tier.PRO):
        stuck = Automatic(AutoDoor(DoorLevel.CLOSED, 10.0), 9999.0)
        deployment.database.run(partial(doors.remember, subject=subject, one=stuck))
    await client.door_settings.set(OPERATOR, Feature.BLEND, None)
    periodic_tasks.fold()
    periodic_tasks.adjust()
    assert rungs_of(deployment)[Feature.BLEND] is rungs_of(deployment)[Tier.PRO] is DoorLevel.OPEN
    rows = {row.subject: row for row in await client.door_settings.all()}
    assert rows[Feature.BLEND].predicted_wait == timedelta(0)
    await client.close()


async def test_without_workers_doors_keep_their_state_and_no_wait_is_shown(
    build_deployment: Callable[..., Deployment],
) -> None:
    deployment = build_deployment('[doors]\nstands = "0s"\nrises = "0s"')
    client = deployment.client()
    moments = iter(range(1000, 90_000, 100))
    periodic_tasks = PeriodicTasks(
        deployment.database, deployment.policy, now=lambda: float(next(moments))
    )
    deployment.submit(order())
    waiting = Automatic(AutoDoor(DoorLevel.WAITLIST, 10.0), 9999.0)
    deployment.database.run(lambda c: doors.remember(c, Tier.FREE, waiting))
    await client.waitlist.join(member("bo"), PLACE)
    periodic_tasks.fold()
    for _ in range(5):
        periodic_tasks.adjust()
    assert rungs_of(deployment)[Tier.FREE] is DoorLevel.WAITLIST
    assert (await client.waitlist.place(member("bo"))).position == 1
    rows = {row.subject: row for row in await client.door_settings.all()}
    assert rows[Tier.FREE].predicted_wait is None
    present_a_worker(deployment)
    for _ in range(5):
        periodic_tasks.adjust()
    assert (await client.waitlist.place(member("bo"))).invited_until is not None
    assert rungs_of(deployment)[Tier.FREE] is DoorLevel.OPEN
    await client.close()


async def test_reopened_door_admits_the_waitlist_first(
    build_deployment: Callable[..., Deployment],
) -> None:
    deployment = build_deployment('[doors]\nstands = "0s"')
    client = deployment.client()
    present_a_worker(deployment)
    moments = iter(range(1000, 90_000, 100))
    periodic_tasks = PeriodicTasks(
        deployment.database, deployment.policy, now=lambda: float(next(moments))
    )
    waiting = Automatic(AutoDoor(DoorLevel.WAITLIST, 10.0), 9999.0)
    deployment.database.run(lambda c: doors.remember(c, Tier.FREE, waiting))
    await client.waitlist.join(member("bo"), PLACE)
    await client.door_settings.set(OPERATOR, Tier.FREE, CLOSED)
    for _ in range(3):
        periodic_tasks.adjust()
    assert rungs_of(deployment)[Tier.FREE] is DoorLevel.WAITLIST
    assert (await client.waitlist.place(member("bo"))).position == 1
    await client.door_settings.set(OPERATOR, Tier.FREE, None)
    periodic_tasks.adjust()
    assert (await client.waitlist.place(member("bo"))).invited_until is not None
    periodic_tasks.adjust()
    periodic_tasks.adjust()
    assert rungs_of(deployment)[Tier.FREE] is DoorLevel.OPEN
    await client.close()


@pytest.mark.parametrize("joined_again", [False, True])
@pytest.mark.parametrize("end", [JobState.CANCELLED, JobState.REFUSED])
async def test_invitation_is_restored_with_the_credits(
    atelier: tuple[Deployment, Client], end: JobState, *, joined_again: bool
) -> None:
    """What made no picture has not used it up, and its message says so."""
    deployment, client = atelier
    await client.door_settings.set(OPERATOR, Tier.FREE, WAITLIST)
    bo = member("bo")
    joined = await client.waitlist.join(bo, PLACE)
    deployment.database.run(lambda c: waitlist.invite(c, Tier.FREE, 1, timedelta(hours=1)))
    job = deployment.submit(order(bo))
    assert deployment.refused(order(bo)) == "doors-waitlist", "it lets one order in"
    assert await client.waitlist.place(bo) == WaitlistPlace(None, None, None)
    if joined_again:
        joined = await client.waitlist.join(bo, PLACE)
        assert joined.invited_until is None
    with deployment.database.begin() as connection:
        assert transitions.end(connection, job.id, [JobState.QUEUED], end, Reason("blocked"))
    again = await client.waitlist.place(bo)
    assert again.invited_until is not None
    assert again.joined_at == joined.joined_at
    assert deployment.database.run(lambda c: waitlist.claim_unnotified(c, ["test"], 9)) == []
    assert "invitation is still valid" in card(deployment.job(job.id), Localizer("en")).text
    deployment.submit(order(bo))
    await client.close()


async def test_expired_invitation_becomes_a_waitlist_place_at_once(
    atelier: tuple[Deployment, Client],
) -> None:
    """Also where no clock has written it down: nobody is told that they are not on the list."""
    deployment, client = atelier
    for name in ("bo", "di"):
        await client.waitlist.join(member(name), PLACE)
    deployment.database.run(lambda c: waitlist.invite(c, Tier.FREE, 1, timedelta(hours=1)))
    assert (await client.waitlist.place(member("bo"))).position is None
    assert (await client.waitlist.place(member("di"))).position == 1
    assert deployment.database.run(lambda c: waitlist.invited(c, Tier.FREE)) == 1
    with deployment.database.begin() as connection:
        connection.execute(text("UPDATE waitlist SET invited_until = now() - interval '1 s'"))
        connection.execute(
            text("UPDATE waitlist SET invited_until = NULL WHERE invited_at IS NULL")
        )
    for _ in range(2):
        assert (await client.waitlist.place(member("bo"))).position == 2
        assert (await client.waitlist.place(member("di"))).position == 1
        deployment.database.run(lambda c: waitlist.lapse(c, Tier.FREE))
    assert deployment.database.run(lambda c: waitlist.invited(c, Tier.FREE)) == 0
    await client.close()
