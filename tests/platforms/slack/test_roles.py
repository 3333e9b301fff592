"""Who a member is: groups count within a minute, and Slack is asked seldom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bots.slack.roles import FRESH, SETTLES, STALE, Directory
from bots.slack.web import Web
from bots.slack.workspaces import Wire
from tasks.members import Member
from tests.platforms.slack.conftest import ANNA, BORIS, CHIEF, PLUS_GROUP, TEAM, TOKEN
from tests.platforms.slack.faults import Fault, broken, limited, refused
from tests.platforms.slack.server import LoopbackSlack
from tests.platforms.slack.world import Workspace


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def web(slack: LoopbackSlack) -> AsyncIterator[Web]:
    wire = Wire(slack.api_url, share=0.3)
    yield wire.web(TOKEN, TEAM)
    await wire.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def directory(clock: Clock) -> Directory:
    return Directory(clock)


async def test_language_rank_and_groups(directory: Directory, web: Web, team: Workspace) -> None:
    team.groups[PLUS_GROUP] = {ANNA}
    anna = await directory.member(web, ANNA)
    assert (anna.key, anna.locale, anna.administrator) == (f"slack:{TEAM}:{ANNA}", "en", False)
    assert anna.roles == {PLUS_GROUP}
    assert (await directory.member(web, BORIS)).locale == "fr"
    assert (await directory.member(web, CHIEF)).administrator


async def test_a_change_counts_within_a_minute(
    directory: Directory, web: Web, team: Workspace, clock: Clock
) -> None:
    assert FRESH < 60
    assert (await directory.member(web, ANNA)).roles == frozenset()
    team.groups[PLUS_GROUP] = {ANNA}
    clock.now = 59
    assert (await directory.member(web, ANNA)).roles == {PLUS_GROUP}
    team.groups[PLUS_GROUP] = set()
    team.users[CHIEF].admin = False
    clock.now = 118
    assert (await directory.member(web, ANNA)).roles == frozenset()
    assert not (await directory.member(web, CHIEF)).administrator


async def test_many_members_in_one_moment_are_one_question(
    directory: Directory, web: Web, slack: LoopbackSlack
) -> None:
    await asyncio.gather(*(directory.member(web, user) for user in (ANNA, BORIS, CHIEF) * 20))
    assert len(slack.called("usergroups.list")) == 1
    assert slack.overruns == []


@pytest.mark.parametrize("fault", [limited(30), broken()])
async def test_what_was_known_stands_in_while_slack_cannot_tell(
    fault: Fault,
    directory: Directory,
    web: Web,
    team: Workspace,
    slack: LoopbackSlack,
    clock: Clock,
) -> None:
    team.groups[PLUS_GROUP] = {ANNA}
    await directory.member(web, ANNA)
    clock.now = FRESH + 1
    slack.faults.plan("usergroups.list", fault)
    assert (await directory.member(web, ANNA)).roles == {PLUS_GROUP}
    assert STALE <= 600, "a role that was taken away must not last for ever"


async def test_groups_that_come_without_their_members_are_asked_for_one_by_one(
    directory: Directory, web: Web, team: Workspace, slack: LoopbackSlack
) -> None:
    team.groups[PLUS_GROUP] = {ANNA}
    slack.methods.groups_tell_users = False
    assert (await directory.member(web, ANNA)).roles == {PLUS_GROUP}
    assert (await directory.member(web, BORIS)).roles == frozenset()
    assert len(slack.called("usergroups.users.list")) == len(team.groups)


async def test_a_workspace_whose_plan_has_no_groups(
    directory: Directory, web: Web, slack: LoopbackSlack
) -> None:
    slack.faults.plan("usergroups.list", refused("plan_upgrade_required"))
    assert (await directory.member(web, ANNA)).roles == frozenset()
    await directory.member(web, ANNA)
    assert len(slack.called("usergroups.list")) == 1, "it was asked again at once"


async def test_a_change_that_slack_tells_of_counts_soon_and_costs_no_tier(
    directory: Directory,
    web: Web,
    team: Workspace,
    slack: LoopbackSlack,
    clock: Clock,
) -> None:
    team.groups[PLUS_GROUP] = {ANNA}
    await directory.member(web, ANNA)
    team.groups[PLUS_GROUP] = {ANNA, BORIS}
    for _ in range(30):  # many changes in one moment
        directory.groups_changed(TEAM)
        assert (await directory.member(web, ANNA)).roles == {PLUS_GROUP}
    assert len(slack.called("usergroups.list")) == 1
    clock.now += SETTLES
    slack.faults.plan("usergroups.list", limited(1))
    assert (await directory.member(web, ANNA)).roles == {PLUS_GROUP}, "a paid tier was lost"
    await asyncio.sleep(1.1)
    assert (await directory.member(web, BORIS)).roles == {PLUS_GROUP}


async def test_a_group_lost_while_an_order_waited_is_told_to_the_worker(
    directory: Directory, web: Web, team: Workspace, slack: LoopbackSlack, clock: Clock
) -> None:
    member = Member("slack", TEAM, ANNA, roles=frozenset({PLUS_GROUP}))
    assert await directory.roles(web, member) == frozenset()
    team.groups[PLUS_GROUP] = {ANNA}  # an order made a moment after that look has the right to it
    clock.now += SETTLES
    assert await directory.roles(web, member) == {PLUS_GROUP}
    assert await directory.roles(web, member) == {PLUS_GROUP}
    assert len(slack.called("usergroups.list")) == 2, "a look that shows the right is good enough"
    team.groups[PLUS_GROUP] = set()
    clock.now += FRESH
    assert await directory.roles(web, member) == frozenset()


@pytest.mark.parametrize("fault", [limited(30), broken(), refused("token_revoked")])
async def test_where_slack_does_not_tell_nobody_loses_a_right(
    fault: Fault, directory: Directory, web: Web, slack: LoopbackSlack
) -> None:
    slack.faults.plan("usergroups.list", fault)
    member = Member("slack", TEAM, ANNA, roles=frozenset({PLUS_GROUP}))
    assert await directory.roles(web, member) is None
