"""Orders against limits, quotas and administrators' settings, in a real record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import text

from bots.core.locales import localizer_for
from bots.core.refusals import sentence
from tasks.client.views import WorkspaceSettings
from tasks.jobs.job import Reason, Refused
from tasks.jobs.members import Member, Place
from tasks.jobs.states import JobState
from tasks.jobs.tiers import DoorState, Feature, Tier
from tasks.policy.rollout import share_of
from tasks.store import leases, transitions
from tasks.store.transitions import Finished, Posted
from tasks.worker.process import lanes_of
from tests.integration.stack import Deployment, member, order, request

BOSS = replace(member("boss"), administrator=True)


def finish(deployment: Deployment, count: int = 1) -> None:
    """Lease jobs, and have them rendered and delivered."""
    for _ in range(count):
        with deployment.database.begin() as connection:
            lanes = lanes_of(deployment.policy).every
            lease = leases.lease(connection, "somebody", lanes, ["blank"], 100)
            assert lease is not None
            poster = uuid4()
            transitions.mark_rendered(connection, [Finished(lease, [], poster, 100)])
            transitions.mark_delivered(connection, [Posted(lease.job.id, poster, "message")])


def test_free_tier_defaults_to_one_running_one_waiting_and_three_a_day(
    build_deployment: Callable[..., Deployment],
) -> None:
    deployment = build_deployment("")
    first, second = deployment.submit(order()), deployment.submit(order())
    assert deployment.refused(order()) == "waiting-full"
    finish(deployment, 2)
    assert {deployment.job(job.id).state for job in (first, second)} == {JobState.DONE}
    deployment.submit(order())
    finish(deployment)
    outcome = deployment.admission.submit(order())
    assert isinstance(outcome, Refused)
    assert outcome.reason.code == "quota-spent"
    assert outcome.reason.details["left"] == 0
    returns_at = outcome.reason.details["returns_at"]
    assert 23 * 3600 < (returns_at - datetime.now(UTC)).total_seconds() <= 24 * 3600
    deployment.submit(order(member("bo")))  # another member is not concerned
    deployment.assert_consistent()


def test_cancelled_job_spends_no_credits(build_deployment: Callable[..., Deployment]) -> None:
    deployment = build_deployment("")
    for _ in range(5):
        job = deployment.submit(order())
        with deployment.database.begin() as connection:
            states, to = [JobState.QUEUED], JobState.CANCELLED
            assert transitions.end(connection, job.id, states, to, Reason("cancelled"))
    deployment.assert_consistent()


def test_second_job_of_a_member_waits_behind_the_first(
    build_deployment: Callable[..., Deployment],
) -> None:
    deployment = build_deployment("")
    lanes = lanes_of(deployment.policy).every
    first, second = deployment.submit(order()), deployment.submit(order())
    with deployment.database.begin() as connection:
        taken = leases.lease(connection, "somebody", lanes, ["blank"], 100)
        assert taken is not None
        assert taken.job.id == first.id
        assert leases.lease(connection, "somebody", lanes, ["blank"], 100) is None
        assert transitions.mark_rendered(connection, [Finished(taken, [], uuid4(), 100)])[0]
        behind = leases.lease(connection, "somebody", lanes, ["blank"], 100)
        assert behind is not None
        assert behind.job.id == second.id
    deployment.assert_consistent()


def test_forbidden_features_sizes_models_and_words_are_refused(
    build_deployment: Callable[..., Deployment],
) -> None:
    deployment = build_deployment('[safety]\nwords = ["gore"]')
    assert deployment.refused(order(request=request(count=2))) == "too-many-pictures"
    assert deployment.refused(order(request=request(width=2048, height=2048))) == "too-large"
    assert deployment.refused(order(request=request(prompt=" "))) == "prompt-empty"
    assert deployment.refused(order(request=request(prompt="x" * 10_000))) == "prompt-too-long"
    assert deployment.refused(order(request=request(prompt="much gore"))) == "forbidden-words"
    assert deployment.refused(order(private=True)) == "feature-not-in-tier"
    assert deployment.refused(order(parent=uuid4())) == "unknown-picture"
    assert deployment.refused(replace(order(), command="edit")) == "feature-not-in-tier"
    with deployment.database.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM jobs")) == 0
        assert connection.scalar(text("SELECT count(*) FROM ledger")) == 0


async def test_administrators_settings_win_over_the_file(
    build_deployment: Callable[..., Deployment],
) -> None:
    deployment = build_deployment("")
    client = deployment.client()
    pro, free = member("ada", "R1"), member("bo", "R2")
    await client.admin.map_role(BOSS, "R1", Tier.PRO)
    assert (await client.members.entitlement(pro)).tier is Tier.PRO
    assert (await client.members.entitlement(free)).tier is Tier.FREE
    assert await client.admin.role_map("test", "server") == {"R1": Tier.PRO}
    assert await client.members.feature_refusal(pro, Feature.PRIVATE) is None
    refusal = await client.members.feature_refusal(free, Feature.EDIT)
    assert refusal is not None
    assert refusal.details["needs"] == "plus"

    await client.door_settings.set(BOSS, Tier.FREE, DoorState.CLOSED)
    assert deployment.refused(order(free)) == "doors-closed"
    await client.door_settings.set(BOSS, Tier.FREE, DoorState.WAITLIST)
    assert deployment.refused(order(free)) == "doors-waitlist"
    elsewhere = Member("test", "another server", "bo")
    deployment.submit(order(elsewhere))
    await client.door_settings.set(BOSS, Tier.FREE, DoorState.OPEN)

    await client.admin.set_words(BOSS, ["star", " "])
    assert list(await client.admin.words("test", "server")) == ["star"]
    assert deployment.refused(order(free)) == "forbidden-words"
    await client.admin.set_words(BOSS, [])

    await client.admin.block(BOSS, "bo", True)
    assert deployment.refused(order(free)) == "blocked"
    await client.admin.block(BOSS, "bo", False)

    settings = WorkspaceSettings(Tier.PLUS, "fr", frozenset({"general"}), largest_megapixels=0.1)
    await client.admin.set_workspace_settings(BOSS, settings)
    assert await client.admin.workspace_settings("test", "server") == settings
    assert (await client.members.entitlement(free)).tier is Tier.PLUS
    assert deployment.refused(order(free, request=request(width=512, height=512))) == "too-large"

    done = [entry.action for entry in await client.admin.audit("test", "server")]
    assert done[::-1] == [
        "role", "doors", "doors", "doors", "words", "words", "block", "unblock", "settings",
    ]  # fmt: skip
    await client.close()


async def test_grant_adds_credits(build_deployment: Callable[..., Deployment]) -> None:
    deployment = build_deployment('[tiers.free]\nquota = "1/24h"')
    client = deployment.client()
    ada = member()
    deployment.submit(order(ada))
    finish(deployment)
    assert deployment.refused(order(ada)) == "quota-spent"
    await client.admin.grant(BOSS, "ada", 2, "a prize")
    deployment.submit(order(ada))
    allowance = await client.members.allowance(ada)
    assert (allowance.limit, allowance.left, allowance.held) == (1, 1, 1)
    await client.admin.grant(BOSS, "ada", -1, "a mistake")
    assert (await client.members.allowance(ada)).left == 0
    assert [credits for _, credits in (await client.members.allowance(ada)).returns] == [1, 1]
    await client.close()


def test_pro_continues_relaxed_behind_all_others(
    build_deployment: Callable[..., Deployment],
) -> None:
    deployment = build_deployment('[tiers.pro]\nquota = "1/24h"')
    deployment.database.run(
        lambda connection: connection.execute(
            text("INSERT INTO tier_map VALUES ('test', 'server', 'R1', 'pro')")
        )
    )
    pro = member("ada", "R1")
    deployment.submit(order(pro))
    relaxed = deployment.submit(order(pro))
    free = deployment.submit(order(member("bo")))
    finish(deployment)
    lanes = lanes_of(deployment.policy)
    with deployment.database.begin() as connection:
        assert leases.lease(connection, "somebody", lanes.express, ["blank"], 100) is None
        order_of_lease = [
            leases.lease(connection, "somebody", lanes.every, ["blank"], 100) for _ in range(2)
        ]
    assert {lease.job.id for lease in order_of_lease if lease} == {relaxed.id, free.id}
    deployment.assert_consistent()


async def test_team_shares_a_pool(build_deployment: Callable[..., Deployment]) -> None:
    deployment = build_deployment('[tiers.team]\nquota = "10/1h"\npool = "3/1h"')
    client = deployment.client()
    await client.admin.map_role(BOSS, "R1", Tier.TEAM)
    for name in ("ada", "bo", "cy"):
        deployment.submit(order(member(name, "R1")))
    assert (await client.members.allowance(member("dee", "R1"))).pool_left == 0
    outcome = deployment.admission.submit(order(member("dee", "R1")))
    assert isinstance(outcome, Refused)
    assert outcome.reason.code == "pool-spent"
    text = sentence(outcome.reason, localizer_for("en"))
    assert text == "Your team has used up its shared credits. You can make this picture in 1 hr."
    deployment.submit(order(Member("test", "another server", "eve")))
    await client.close()


async def test_waitlist_is_first_come_first_served(deployment: Deployment) -> None:
    client = deployment.client()
    place = Place("test", "server", "general")
    ada, bo = member("ada"), member("bo")
    assert (await client.waitlist.join(ada, place)).position == 1
    assert (await client.waitlist.join(bo, place)).position == 2
    assert (await client.waitlist.join(ada, place)).position == 1
    assert (await client.waitlist.place(bo)).position == 2
    assert await client.waitlist.leave(ada)
    assert not await client.waitlist.leave(ada)
    assert (await client.waitlist.place(ada)).position is None
    assert (await client.waitlist.place(bo)).position == 1
    await client.close()


def test_feature_without_any_tier_is_closed_and_names_none(
    build_deployment: Callable[..., Deployment],
) -> None:
    tiers = ("plus", "team", "pro")
    deployment = build_deployment(
        "".join(f'[tiers.{tier}]\nfeatures = ["imagine"]\n' for tier in tiers)
    )
    outcome = deployment.admission.submit(replace(order(), command="upscale"))
    assert isinstance(outcome, Refused)
    assert outcome.reason.code == "feature-closed"
    assert sentence(outcome.reason, localizer_for("en")).startswith("Upscaling is closed")


def test_opening_day_is_named_to_included_members_only(
    build_deployment: Callable[..., Deployment],
) -> None:
    deployment = build_deployment('[stages.edit]\nfree = "2999-01-01 50%"')
    for n in range(12):
        one = member(f"m{n}")
        outcome = deployment.admission.submit(replace(order(one), command="edit"))
        assert isinstance(outcome, Refused)
        told = sentence(outcome.reason, localizer_for("en"))
        assert ("opens to Free members" in told) is (share_of("edit", one.key) < 50)
        assert ("available from Plus up" in told) is not ("opens to Free members" in told)
