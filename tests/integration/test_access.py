"""Access through the client and a real database: servers, limits, bans, one quota a person."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import text

from tasks.client import BeyondLimit, WorkspaceSettings
from tasks.jobs.job import Accepted, Order, Reason, Refused
from tasks.jobs.members import Member, Place
from tasks.jobs.states import JobState
from tasks.jobs.tiers import Tier
from tasks.policy.access import ServerLimits
from tasks.store import ledger
from tests.integration.stack import Deployment, order
from tests.stack import wait_until

FREE = """
[tiers.free]
quota = "3/24h"
running = 4
waiting = 50
doors = "open"
"""
APPROVED_ONLY = FREE + '[access]\nmode = "approved"\n'
OWN, FOREIGN = "1000", "2000"


def person(server: str = OWN, name: str = "ada", *roles: str) -> Member:
    """A member of a Discord server; the same name is the same person everywhere."""
    return Member("discord", server, name, roles=frozenset(roles))


def administrator(server: str) -> Member:
    """An administrator of the server."""
    return replace(person(server, f"owner of {server}"), administrator=True)


def asks(who: Member) -> Order:
    """An order of a small picture, of one credit."""
    return replace(order(who), place=Place("discord", who.workspace, "general"))


def submit(deployment: Deployment, who: Member) -> Accepted | Refused:
    """The outcome of an order."""
    return deployment.admission.submit(asks(who))


def code(outcome: Accepted | Refused) -> str:
    """The refusal's code, or "" where the order was accepted."""
    return outcome.reason.code if isinstance(outcome, Refused) else ""


async def test_first_server_is_approved_and_a_later_one_is_free(
    build_deployment: Callable[..., Deployment],
) -> None:
    deployment = build_deployment(FREE)
    client = deployment.client()
    await client.admin.map_role(administrator(OWN), "patrons", Tier.PRO)
    assert (await client.members.entitlement(person(OWN, "ada", "patrons"))).tier is Tier.PRO
    with pytest.raises(BeyondLimit) as refused:
        await client.admin.map_role(administrator(FOREIGN), "@everyone", Tier.PRO)
    assert refused.value.reason.code == "tier-beyond-limit"
    settings = WorkspaceSettings(default_tier=Tier.PLUS)
    with pytest.raises(BeyondLimit):
        await client.admin.set_workspace_settings(administrator(FOREIGN), settings)
    with pytest.raises(BeyondLimit) as refused:
        await client.admin.grant(administrator(FOREIGN), "bo", 100_000.0, "friend")
    assert refused.value.reason == Reason("grant-beyond-limit", {"limit": 0.0, "left": 0.0})
    assert (await client.members.allowance(person(FOREIGN, "bo"))).left == 3
    await client.close()


async def test_tier_given_before_is_capped_when_the_approval_is_revoked(
    build_deployment: Callable[..., Deployment],
) -> None:
    deployment = build_deployment(FREE)
    client, patron = deployment.client(), person(OWN, "ada", "patrons")
    await client.admin.map_role(administrator(OWN), "patrons", Tier.PRO)
    await client.access.revoke("discord", OWN)
    assert (await client.members.entitlement(patron)).tier is Tier.FREE
    await client.access.approve("discord", OWN, ServerLimits(Tier.PLUS, 10.0))
    assert (await client.members.entitlement(patron)).tier is Tier.PLUS
    await client.close()


async def test_grants_count_together_against_the_servers_limit(
    build_deployment: Callable[..., Deployment],
) -> None:
    deployment = build_deployment(FREE)
    client, owner = deployment.client(), administrator(OWN)
    await client.access.approve("discord", OWN, ServerLimits(Tier.PRO, 10.0))
    await client.admin.grant(owner, "ada", 6.0, "")
    await client.admin.grant(owner, "bo", -2.0, "")
    with pytest.raises(BeyondLimit) as refused:
        await client.admin.grant(owner, "bo", 5.0, "")
    assert refused.value.reason.details == {"limit": 10.0, "left": 4.0}
    await client.admin.grant(owner, "bo", 4.0, "")
    assert (await client.members.allowance(person(OWN, "ada"))).left == 9
    await client.close()


async def test_only_approved_servers_get_in_where_the_operator_approves(
    build_deployment: Callable[..., Deployment],
) -> None:
    deployment = build_deployment(APPROVED_ONLY)
    client = deployment.client()
    assert code(submit(deployment, person(OWN))) == "server-not-approved"
    assert [(one.workspace, one.access.denied) for one in await client.access.servers()] == [
        (OWN, "server-not-approved")
    ]
    await client.access.approve("discord", OWN, ServerLimits())
    assert code(submit(deployment, person(OWN))) == ""
    assert code(submit(deployment, person(FOREIGN))) == "server-not-approved"
    assert code(submit(deployment, Member("slack", "T1", "U1"))) == "server-not-approved"
    assert code(submit(deployment, Member("web", "local", "ada"))) == ""
    await client.close()


async def test_banned_member_is_refused_in_every_server_and_their_jobs_stop(
    build_deployment: Callable[..., Deployment],
) -> None:
    deployment = build_deployment(FREE)
    client = deployment.client()
    first, second = submit(deployment, person(OWN)), submit(deployment, person(FOREIGN))
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert await client.access.ban_member(person(OWN), "spam") == 2
    states = [deployment.job(one.job.id).state for one in (first, second)]
    assert states == [JobState.REFUSED, JobState.REFUSED]
    for server in (OWN, FOREIGN, "3000"):
        assert code(submit(deployment, person(server))) == "banned"
    assert await client.access.bans() == [("discord:ada", "spam")]
    assert code(submit(deployment, person(OWN, "bo"))) == ""
    assert await client.access.unban_member(person(FOREIGN))
    assert code(submit(deployment, person(OWN))) == ""
    await client.close()


async def test_banned_server_is_refused_and_its_jobs_stop(
    build_deployment: Callable[..., Deployment],
) -> None:
    deployment = build_deployment(FREE)
    client = deployment.client()
    waiting, other = submit(deployment, person(OWN)), submit(deployment, person(FOREIGN, "bo"))
    assert isinstance(waiting, Accepted)
    assert isinstance(other, Accepted)
    assert await client.access.ban_server("discord", OWN) == 1
    assert deployment.job(other.job.id).state is JobState.QUEUED
    assert code(submit(deployment, person(OWN, "bo"))) == "server-banned"
    await client.access.unban_server("discord", OWN)
    assert code(submit(deployment, person(OWN))) == ""
    await client.close()


async def test_one_person_has_one_free_quota_over_all_servers(
    build_deployment: Callable[..., Deployment],
) -> None:
    deployment = build_deployment(FREE)
    client = deployment.client()
    servers = [OWN, FOREIGN, "3000", "4000", "5000"]
    codes = [code(submit(deployment, person(server))) for server in servers]
    assert codes == ["", "", "", "quota-spent", "quota-spent"]
    allowance = await client.members.allowance(person("6000"))
    assert (allowance.left, allowance.held) == (0, 3)
    assert code(submit(deployment, person(OWN, "bo"))) == ""
    await client.close()


async def test_slack_ids_of_different_workspaces_are_different_people(
    build_deployment: Callable[..., Deployment],
) -> None:
    deployment = build_deployment(FREE)
    people = [Member("slack", workspace, "U1") for workspace in ("T1", "T2", "T3", "T4")]
    assert [code(submit(deployment, one)) for one in people] == ["", "", "", ""]


async def test_credits_spent_in_a_paid_tier_do_not_count_in_another_server(
    build_deployment: Callable[..., Deployment],
) -> None:
    deployment = build_deployment(FREE)
    client = deployment.client()
    await client.admin.map_role(administrator(OWN), "patrons", Tier.PLUS)
    for _ in range(5):
        assert code(submit(deployment, person(OWN, "ada", "patrons"))) == ""
    assert (await client.members.allowance(person(FOREIGN))).left == 3
    assert code(submit(deployment, person(FOREIGN))) == ""
    await client.close()


async def test_captured_credits_count_in_every_server(
    build_deployment: Callable[..., Deployment],
) -> None:
    deployment = build_deployment(FREE)
    client = deployment.client()
    for server in (OWN, FOREIGN):
        assert code(submit(deployment, person(server))) == ""
    with deployment.database.begin() as connection:  # as if both were delivered
        connection.execute(
            text(
                "INSERT INTO ledger (job, kind, member_key, credits)"
                " SELECT id, 'capture', member_key, cost FROM jobs"
            )
        )
        connection.execute(text("UPDATE jobs SET state = 'done', ended_at = now()"))
    allowance = await client.members.allowance(person("3000"))
    assert (allowance.left, len(allowance.returns)) == (1, 2)
    assert code(submit(deployment, person("3000"))) == ""
    assert code(submit(deployment, person("4000"))) == "quota-spent"
    await client.close()


def test_last_credit_is_given_once_to_orders_in_several_servers_at_once(
    build_deployment: Callable[..., Deployment],
) -> None:
    first = build_deployment(FREE)
    second = Deployment(first.home / "second", first.database_url, first.redis_url, FREE)
    deployments = [first, second] * 4
    with ThreadPoolExecutor(8) as threads:
        outcomes = list(
            threads.map(
                lambda pair: code(submit(pair[1], person(str(pair[0])))), enumerate(deployments)
            )
        )
    second.clean_up()
    assert sorted(outcomes) == [""] * 3 + ["quota-spent"] * 5


def test_order_waits_for_another_of_the_same_person(
    build_deployment: Callable[..., Deployment],
) -> None:
    """Another process is admitting the person's last credit in another server."""
    deployment = build_deployment(FREE)
    ada = person("1")
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    with ThreadPoolExecutor(1) as thread:
        with deployment.database.begin() as connection:
            ledger.hold_shared(connection, [ada.account])
            outcome = thread.submit(submit, deployment, ada)
            wait_until(
                lambda: outcome.done() or connection.scalar(waiting) == 1, 60, "the order waits"
            )
            assert not outcome.done()
        assert code(outcome.result(60)) == ""
