"""The member directory: group changes take effect within a minute, with few calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bots.slack.lookup import FAILURE_SECONDS
from bots.slack.roles import FRESH_SECONDS, REFRESH_SECONDS, STALE_SECONDS, MemberDirectory
from bots.slack.transport import Web
from bots.slack.workspaces import Transport
from tasks.jobs.members import Member
from tests.platforms.slack.conftest import ADMIN, ANNA, BORIS, PLUS_GROUP, TEAM, TOKEN
from tests.platforms.slack.faults import Fault, broken, limited, refused, slow
from tests.platforms.slack.server import LoopbackSlack
from tests.platforms.slack.world import User, Workspace


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def web(slack: LoopbackSlack) -> AsyncIterator[Web]:
    transport = Transport(slack.api_url, share=0.3)
    yield transport.web(TOKEN, TEAM)
    await transport.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def directory(clock: Clock) -> MemberDirectory:
    return MemberDirectory(clock)


async def test_member_has_locale_administrator_role_and_groups(
    directory: MemberDirectory, web: Web, team: Workspace
) -> None:
    team.groups[PLUS_GROUP] = {ANNA}
    anna = await directory.member(web, ANNA)
    assert (anna.key, anna.locale, anna.administrator) == (f"slack:{TEAM}:{ANNA}", "en", False)
    assert anna.roles == {PLUS_GROUP}
    assert (await directory.member(web, BORIS)).locale == "fr"
    assert (await directory.member(web, ADMIN)).administrator


async def test_change_takes_effect_within_a_minute(
    directory: MemberDirectory, web: Web, team: Workspace, clock: Clock
) -> None:
    assert FRESH_SECONDS < 60
    assert (await directory.member(web, ANNA)).roles == frozenset()
    team.groups[PLUS_GROUP] = {ANNA}
    clock.now = 59
    assert (await directory.member(web, ANNA)).roles == {PLUS_GROUP}
    team.groups[PLUS_GROUP] = set()
    team.users[ADMIN].admin = False
    clock.now = 118
    assert (await directory.member(web, ANNA)).roles == frozenset()
    assert not (await directory.member(web, ADMIN)).administrator


async def test_concurrent_lookups_share_one_call(
    directory: MemberDirectory, web: Web, slack: LoopbackSlack
) -> None:
    await asyncio.gather(*(directory.member(web, user) for user in (ANNA, BORIS, ADMIN) * 20))
    assert len(slack.called("usergroups.list")) == 1
    assert slack.overruns == []


@pytest.mark.parametrize("fault", [limited(30), broken()])
async def test_old_groups_are_used_while_slack_does_not_answer(
    fault: Fault,
    directory: MemberDirectory,
    web: Web,
    team: Workspace,
    slack: LoopbackSlack,
    clock: Clock,
) -> None:
    team.groups[PLUS_GROUP] = {ANNA}
    await directory.member(web, ANNA)
    clock.now = FRESH_SECONDS + 1
    slack.faults.plan("usergroups.list", fault)
    assert (await directory.member(web, ANNA)).roles == {PLUS_GROUP}
    assert STALE_SECONDS <= 600, "a revoked role would last for ever"


async def test_groups_without_members_are_listed_one_by_one(
    directory: MemberDirectory, web: Web, team: Workspace, slack: LoopbackSlack
) -> None:
    team.groups[PLUS_GROUP] = {ANNA}
    slack.methods.groups_include_users = False
    assert (await directory.member(web, ANNA)).roles == {PLUS_GROUP}
    assert (await directory.member(web, BORIS)).roles == frozenset()
    assert len(slack.called("usergroups.users.list")) == len(team.groups)


async def test_workspace_without_groups_in_its_plan_is_cached(
    directory: MemberDirectory, web: Web, slack: LoopbackSlack
) -> None:
    slack.faults.plan("usergroups.list", refused("plan_upgrade_required"))
    assert (await directory.member(web, ANNA)).roles == frozenset()
    await directory.member(web, ANNA)
    assert len(slack.called("usergroups.list")) == 1, "the failure was not cached"


async def test_change_event_refreshes_groups_soon_and_keeps_paid_tiers(
    directory: MemberDirectory,
    web: Web,
    team: Workspace,
    slack: LoopbackSlack,
    clock: Clock,
) -> None:
    team.groups[PLUS_GROUP] = {ANNA}
    await directory.member(web, ANNA)
    team.groups[PLUS_GROUP] = {ANNA, BORIS}
    for _ in range(30):  # many changes at once
        directory.groups_changed(TEAM)
        assert (await directory.member(web, ANNA)).roles == {PLUS_GROUP}
    assert len(slack.called("usergroups.list")) == 1
    clock.now += REFRESH_SECONDS
    slack.faults.plan("usergroups.list", limited(1))
    assert (await directory.member(web, ANNA)).roles == {PLUS_GROUP}, "a paid tier was lost"
    await asyncio.sleep(1.1)
    clock.now += 1.1
    assert (await directory.member(web, BORIS)).roles == {PLUS_GROUP}


async def test_group_lost_while_an_order_waits_is_reported_to_the_worker(
    directory: MemberDirectory, web: Web, team: Workspace, slack: LoopbackSlack, clock: Clock
) -> None:
    member = Member("slack", TEAM, ANNA, roles=frozenset({PLUS_GROUP}))
    assert await directory.roles(web, member) == frozenset()
    team.groups[PLUS_GROUP] = {ANNA}  # an order created after that snapshot may use the group
    clock.now += REFRESH_SECONDS
    assert await directory.roles(web, member) == frozenset({PLUS_GROUP})
    assert await directory.roles(web, member) == frozenset({PLUS_GROUP})
    assert len(slack.called("usergroups.list")) == 2, "a snapshot with the group needs no refresh"
    team.groups[PLUS_GROUP] = set()
    clock.now += FRESH_SECONDS
    assert await directory.roles(web, member) == frozenset()


@pytest.mark.parametrize("fault", [limited(30), broken(), refused("token_revoked")])
async def test_members_keep_their_groups_while_slack_does_not_answer(
    fault: Fault, directory: MemberDirectory, web: Web, slack: LoopbackSlack
) -> None:
    slack.faults.plan("usergroups.list", fault)
    member = Member("slack", TEAM, ANNA, roles=frozenset({PLUS_GROUP}))
    assert await directory.roles(web, member) is None


async def test_administrator_of_another_workspace_has_no_rights_here(
    directory: MemberDirectory, web: Web, team: Workspace
) -> None:
    team.users["U0CONNECT0"] = User("U0CONNECT0", "guest", admin=True, team="T0FOREIGN0")
    assert not (await directory.member(web, "U0CONNECT0")).administrator
    assert (await directory.member(web, ADMIN)).administrator


async def test_hanging_lookup_is_shared_and_its_late_answer_is_used(
    directory: MemberDirectory, web: Web, team: Workspace, slack: LoopbackSlack, clock: Clock
) -> None:
    team.groups[PLUS_GROUP] = {ANNA}
    await directory.member(web, ANNA)
    team.groups[PLUS_GROUP] = {ANNA, BORIS}
    clock.now += FRESH_SECONDS + 1
    slack.faults.plan("usergroups.list", slow(2.5))
    members = [directory.member(web, user) for user in (ANNA, BORIS, ANNA, BORIS, ADMIN)]
    first, second, *_ = await asyncio.gather(*members)
    assert first.roles == {PLUS_GROUP}, "the old answer was not used"
    assert second.roles == frozenset()
    assert (await directory.member(web, ANNA)).roles == {PLUS_GROUP}
    assert len(slack.called("usergroups.list")) == 1, "the hanging call was repeated"
    await asyncio.sleep(2)  # the hanging call is answered by now
    assert (await directory.member(web, BORIS)).roles == {PLUS_GROUP}
    assert len(slack.called("usergroups.list")) == 2


async def test_failed_lookup_is_not_repeated_at_once(
    directory: MemberDirectory, web: Web, team: Workspace, slack: LoopbackSlack, clock: Clock
) -> None:
    team.groups[PLUS_GROUP] = {ANNA}
    slack.faults.plan("usergroups.list", broken(), broken())
    for _ in range(5):
        assert (await directory.member(web, ANNA)).roles == frozenset()
    assert len(slack.called("usergroups.list")) == 1
    clock.now += FAILURE_SECONDS + 0.1
    await directory.member(web, ANNA)
    assert len(slack.called("usergroups.list")) == 2
    clock.now += FAILURE_SECONDS + 0.1
    assert (await directory.member(web, ANNA)).roles == {PLUS_GROUP}
