"""Installations: renewed ahead of their end, sealed in the record, found again by couriers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from bots.slack.installing import RecordedInstalls, SealedStates, load, renew
from bots.slack.workspaces import ManyWorkspaces, NotInstalled, Wire
from tasks.client import Client, connect
from tests.platforms.slack.conftest import TEAM
from tests.platforms.slack.faults import broken, cut
from tests.platforms.slack.server import LoopbackSlack
from tests.platforms.slack.world import Workspace
from tests.stack import Servers


@pytest.fixture
async def client(servers: Servers, database_url: str) -> AsyncIterator[Client]:
    settings = servers.settings.model_copy(update={"database_url": SecretStr(database_url)})
    opened = await connect(settings)
    yield opened
    await opened.close()


@pytest.fixture
async def wire(slack: LoopbackSlack) -> AsyncIterator[Wire]:
    opened = Wire(slack.api_url)
    yield opened
    await opened.close()


@pytest.fixture
def many(client: Client, wire: Wire) -> ManyWorkspaces:
    return ManyWorkspaces(wire, lambda team: client.find_install("slack", team))


async def installed(slack: LoopbackSlack, wire: Wire, installs: RecordedInstalls) -> str:
    """Install as the OAuth flow does; the token."""
    slack.oauth.codes["code"] = TEAM
    answer = await wire.client().oauth_v2_access(
        client_id=slack.oauth.client_id, client_secret=slack.oauth.client_secret, code="code"
    )
    values = {
        "team_id": TEAM,
        "bot_token": answer["access_token"],
        "bot_user_id": answer["bot_user_id"],
        "bot_refresh_token": answer["refresh_token"],
        "user_id": "U0INSTALL0",
    }
    installation = load(values)
    installation.bot_token_expires_at = int(installation.installed_at) + int(answer["expires_in"])
    await installs.async_save(installation)
    return str(answer["access_token"])


async def test_a_token_is_renewed_before_it_ends_and_only_then(
    slack: LoopbackSlack, team: Workspace, client: Client, wire: Wire, many: ManyWorkspaces
) -> None:
    credentials = (slack.oauth.client_id, slack.oauth.client_secret)
    installs = RecordedInstalls(client, many)
    first = await installed(slack, wire, installs)
    await renew(client, installs, wire, *credentials)
    assert (await many.seat(TEAM)).web.token == first
    slack.oauth.expires_in = 3600  # from now on tokens end within two hours
    first = await installed(slack, wire, installs)
    for fault in (broken(), cut(after=False)):  # tried again in the next round
        slack.faults.plan("oauth.v2.access", fault)
        await renew(client, installs, wire, *credentials)
    assert (await many.seat(TEAM)).web.token == first
    await renew(client, installs, wire, *credentials)
    seat = await many.seat(TEAM)
    assert seat.web.token != first
    assert (await seat.web.call("auth.test"))["team_id"] == TEAM


async def test_another_process_finds_the_new_token_when_the_old_one_fails(
    slack: LoopbackSlack, team: Workspace, client: Client, wire: Wire, many: ManyWorkspaces
) -> None:
    elsewhere = ManyWorkspaces(wire, lambda team: client.find_install("slack", team))
    installs = RecordedInstalls(client, many)
    await installed(slack, wire, installs)
    old = (await elsewhere.seat(TEAM)).web.token
    new = await installed(slack, wire, installs)
    assert (await elsewhere.seat(TEAM)).web.token == old  # remembered for half a minute
    elsewhere.forget(TEAM)
    assert (await elsewhere.seat(TEAM)).web.token == new


async def test_a_workspace_that_left_is_not_spoken_to(
    slack: LoopbackSlack, team: Workspace, client: Client, wire: Wire, many: ManyWorkspaces
) -> None:
    await installed(slack, wire, RecordedInstalls(client, many))
    await many.seat(TEAM)
    assert await client.delete_install("slack", TEAM)
    many.forget(TEAM)
    with pytest.raises(NotInstalled):
        await many.seat(TEAM)


async def test_a_state_is_good_for_this_process_alone() -> None:
    from cryptography.fernet import Fernet

    ours, others = SealedStates(Fernet.generate_key()), SealedStates(Fernet.generate_key())
    state = await ours.async_issue()
    assert "=" not in state
    assert await ours.async_consume(state)
    assert not await others.async_consume(state)
    for wrong in ("", "x", state[:-4], state + "AAAA", "é"):
        assert not await ours.async_consume(wrong)
