"""Orders against limits, quotas and administrators' settings, in a real record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import text

from bots.core.reasons import sentence
from bots.core.sentences import speak
from tasks.job import JobState, Reason, Refused
from tasks.members import Member, Place
from tasks.stages import share_of
from tasks.store import leases, transitions
from tasks.store.transitions import Finished, Posted
from tasks.tiers import DoorState, Feature, Tier
from tasks.views import WorkspaceSettings
from tasks.worker import lanes_of
from tests.integration.house import House, member, order, request

BOSS = replace(member("boss"), administrator=True)


def finish(house: House, count: int = 1) -> None:
    """Lease jobs, and have them rendered and delivered."""
    for _ in range(count):
        with house.database.begin() as connection:
            lanes = lanes_of(house.policy).every
            lease = leases.lease(connection, "somebody", lanes, ["blank"], 100)
            assert lease is not None
            poster = uuid4()
            transitions.rendered(connection, [Finished(lease, [], poster, 100)])
            transitions.delivered(connection, [Posted(lease.job.id, poster, "message")])


def test_the_default_free_tier_runs_one_waits_one_and_has_three_a_day(
    build_house: Callable[..., House],
) -> None:
    house = build_house("")
    first, second = house.submit(order()), house.submit(order())
    assert house.refused(order()) == "waiting-full"
    finish(house, 2)
    assert {house.job(job.id).state for job in (first, second)} == {JobState.DONE}
    house.submit(order())
    finish(house)
    outcome = house.reception.submit(order())
    assert isinstance(outcome, Refused)
    assert outcome.reason.code == "quota-spent"
    assert outcome.reason.details["left"] == 0
    returns_at = outcome.reason.details["returns_at"]
    assert 23 * 3600 < (returns_at - datetime.now(UTC)).total_seconds() <= 24 * 3600
    house.submit(order(member("bo")))  # another member is not concerned
    house.check_sums()


def test_what_is_cancelled_is_not_spent(build_house: Callable[..., House]) -> None:
    house = build_house("")
    for _ in range(5):
        job = house.submit(order())
        with house.database.begin() as connection:
            states, to = [JobState.QUEUED], JobState.CANCELLED
            assert transitions.end(connection, job.id, states, to, Reason("cancelled"))
    house.check_sums()


def test_a_members_second_job_waits_behind_the_first(build_house: Callable[..., House]) -> None:
    house = build_house("")
    lanes = lanes_of(house.policy).every
    first, second = house.submit(order()), house.submit(order())
    with house.database.begin() as connection:
        taken = leases.lease(connection, "somebody", lanes, ["blank"], 100)
        assert taken is not None
        assert taken.job.id == first.id
        assert leases.lease(connection, "somebody", lanes, ["blank"], 100) is None
        assert transitions.rendered(connection, [Finished(taken, [], uuid4(), 100)])[0]
        behind = leases.lease(connection, "somebody", lanes, ["blank"], 100)
        assert behind is not None
        assert behind.job.id == second.id
    house.check_sums()


def test_features_sizes_models_and_words_are_refused(build_house: Callable[..., House]) -> None:
    house = build_house('[safety]\nwords = ["gore"]')
    assert house.refused(order(request=request(count=2))) == "too-many-pictures"
    assert house.refused(order(request=request(width=2048, height=2048))) == "too-large"
    assert house.refused(order(request=request(prompt=" "))) == "prompt-empty"
    assert house.refused(order(request=request(prompt="x" * 10_000))) == "prompt-too-long"
    assert house.refused(order(request=request(prompt="much gore"))) == "forbidden-words"
    assert house.refused(order(private=True)) == "feature-not-in-tier"
    assert house.refused(order(parent=uuid4())) == "unknown-picture"
    assert house.refused(replace(order(), command="edit")) == "feature-not-in-tier"
    with house.database.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM jobs")) == 0
        assert connection.scalar(text("SELECT count(*) FROM ledger")) == 0


async def test_what_administrators_set_wins_over_the_file(
    build_house: Callable[..., House],
) -> None:
    house = build_house("")
    client = house.client()
    pro, free = member("ada", "R1"), member("bo", "R2")
    await client.map_role(BOSS, "R1", Tier.PRO)
    assert (await client.entitlement(pro)).tier is Tier.PRO
    assert (await client.entitlement(free)).tier is Tier.FREE
    assert await client.role_map("test", "server") == {"R1": Tier.PRO}
    assert await client.feature_open(pro, Feature.PRIVATE) is None
    refusal = await client.feature_open(free, Feature.EDIT)
    assert refusal is not None
    assert refusal.details["needs"] == "plus"

    await client.set_doors(BOSS, Tier.FREE, DoorState.CLOSED)
    assert house.refused(order(free)) == "doors-closed"
    await client.set_doors(BOSS, Tier.FREE, DoorState.WAITLIST)
    assert house.refused(order(free)) == "doors-waitlist"
    elsewhere = Member("test", "another server", "bo")
    house.submit(order(elsewhere))
    await client.set_doors(BOSS, Tier.FREE, DoorState.OPEN)

    await client.set_words(BOSS, ["star", " "])
    assert list(await client.words("test", "server")) == ["star"]
    assert house.refused(order(free)) == "forbidden-words"
    await client.set_words(BOSS, [])

    await client.block(BOSS, "bo", True)
    assert house.refused(order(free)) == "blocked"
    await client.block(BOSS, "bo", False)

    settings = WorkspaceSettings(Tier.PLUS, "fr", frozenset({"general"}), largest_megapixels=0.1)
    await client.set_workspace_settings(BOSS, settings)
    assert await client.workspace_settings("test", "server") == settings
    assert (await client.entitlement(free)).tier is Tier.PLUS
    assert house.refused(order(free, request=request(width=512, height=512))) == "too-large"

    done = [entry.action for entry in await client.audit("test", "server")]
    assert done[::-1] == [
        "role", "doors", "doors", "doors", "words", "words", "block", "unblock", "settings",
    ]  # fmt: skip
    await client.close()


async def test_a_grant_gives_room(build_house: Callable[..., House]) -> None:
    house = build_house('[tiers.free]\nquota = "1/24h"')
    client = house.client()
    ada = member()
    house.submit(order(ada))
    finish(house)
    assert house.refused(order(ada)) == "quota-spent"
    await client.grant(BOSS, "ada", 2, "a prize")
    house.submit(order(ada))
    allowance = await client.allowance(ada)
    assert (allowance.limit, allowance.left, allowance.held) == (1, 1, 1)
    await client.grant(BOSS, "ada", -1, "a mistake")
    assert (await client.allowance(ada)).left == 0
    assert [credits for _, credits in (await client.allowance(ada)).returns] == [1, 1]
    await client.close()


def test_pro_goes_on_relaxed_behind_everyone(build_house: Callable[..., House]) -> None:
    house = build_house('[tiers.pro]\nquota = "1/24h"')
    house.database.run(
        lambda connection: connection.execute(
            text("INSERT INTO tier_map VALUES ('test', 'server', 'R1', 'pro')")
        )
    )
    pro = member("ada", "R1")
    house.submit(order(pro))
    relaxed = house.submit(order(pro))
    free = house.submit(order(member("bo")))
    finish(house)
    lanes = lanes_of(house.policy)
    with house.database.begin() as connection:
        assert leases.lease(connection, "somebody", lanes.express, ["blank"], 100) is None
        order_of_lease = [
            leases.lease(connection, "somebody", lanes.every, ["blank"], 100) for _ in range(2)
        ]
    assert {lease.job.id for lease in order_of_lease if lease} == {relaxed.id, free.id}
    house.check_sums()


async def test_a_team_shares_a_pool(build_house: Callable[..., House]) -> None:
    house = build_house('[tiers.team]\nquota = "10/1h"\npool = "3/1h"')
    client = house.client()
    await client.map_role(BOSS, "R1", Tier.TEAM)
    for name in ("ada", "bo", "cy"):
        house.submit(order(member(name, "R1")))
    assert (await client.allowance(member("dee", "R1"))).pool_left == 0
    assert house.refused(order(member("dee", "R1"))) == "quota-spent"
    house.submit(order(Member("test", "another server", "eve")))
    await client.close()


async def test_the_waitlist_is_first_come_first_served(house: House) -> None:
    client = house.client()
    place = Place("test", "server", "general")
    ada, bo = member("ada"), member("bo")
    assert (await client.join_waitlist(ada, place)).position == 1
    assert (await client.join_waitlist(bo, place)).position == 2
    assert (await client.join_waitlist(ada, place)).position == 1
    assert (await client.waitlist_place(bo)).position == 2
    assert await client.leave_waitlist(ada)
    assert not await client.leave_waitlist(ada)
    assert (await client.waitlist_place(ada)).position is None
    assert (await client.waitlist_place(bo)).position == 1
    await client.close()


def test_a_feature_that_no_tier_has_is_closed_and_no_tier_is_named_for_it(
    build_house: Callable[..., House],
) -> None:
    tiers = ("plus", "team", "pro")
    house = build_house("".join(f'[tiers.{tier}]\nfeatures = ["imagine"]\n' for tier in tiers))
    outcome = house.reception.submit(replace(order(), command="upscale"))
    assert isinstance(outcome, Refused)
    assert outcome.reason.code == "feature-closed"
    assert sentence(outcome.reason, speak("en")).startswith("Upscaling is closed")


def test_a_day_is_told_to_those_alone_whom_it_opens_for(build_house: Callable[..., House]) -> None:
    house = build_house('[stages.edit]\nfree = "2999-01-01 50%"')
    for n in range(12):
        one = member(f"m{n}")
        outcome = house.reception.submit(replace(order(one), command="edit"))
        assert isinstance(outcome, Refused)
        told = sentence(outcome.reason, speak("en"))
        assert ("will open" in told) is (share_of("edit", one.key) < 50)
        assert ("comes with Plus" in told) is not ("will open" in told)
