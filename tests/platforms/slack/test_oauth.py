"""Installations: tokens are renewed before they expire and found by other processes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from bots.slack.oauth import InstallationStore, StateStore, load, renew_tokens
from bots.slack.workspaces import InstalledWorkspaces, NotInstalled, Transport
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
async def transport(slack: LoopbackSlack) -> AsyncIterator[Transport]:
    opened = Transport(slack.api_url)
    yield opened
    await opened.close()


@pytest.fixture
def many(client: Client, transport: Transport) -> InstalledWorkspaces:
    return InstalledWorkspaces(transport, lambda team: client.installs.find("slack", team))


async def installed(slack: LoopbackSlack, transport: Transport, installs: InstallationStore) -> str:
    """Install as the OAuth flow does; the bot token."""
    slack.oauth.codes["code"] = TEAM
    answer = await transport.client().oauth_v2_access(
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


async def test_token_is_renewed_within_two_hours_of_its_expiry_only(
    slack: LoopbackSlack,
    team: Workspace,
    client: Client,
    transport: Transport,
    many: InstalledWorkspaces,
) -> None:
    credentials = (slack.oauth.client_id, slack.oauth.client_secret)
    installs = InstallationStore(client, many)
    first = await installed(slack, transport, installs)
    await renew_tokens(client, installs, transport, *credentials)
    assert (await many.workspace_client(TEAM)).web.token == first
    slack.oauth.expires_in = 3600  # new tokens expire within two hours
    first = await installed(slack, transport, installs)
    for fault in (broken(), cut(after=False)):  # retried in the next round
        slack.faults.plan("oauth.v2.access", fault)
        await renew_tokens(client, installs, transport, *credentials)
    assert (await many.workspace_client(TEAM)).web.token == first
    await renew_tokens(client, installs, transport, *credentials)
    workspace_client = await many.workspace_client(TEAM)
    assert workspace_client.web.token != first
    assert (await workspace_client.web.call("auth.test"))["team_id"] == TEAM


async def test_other_process_reads_the_new_token_after_forgetting_the_old_one(
    slack: LoopbackSlack,
    team: Workspace,
    client: Client,
    transport: Transport,
    many: InstalledWorkspaces,
) -> None:
    elsewhere = InstalledWorkspaces(transport, lambda team: client.installs.find("slack", team))
    installs = InstallationStore(client, many)
    await installed(slack, transport, installs)
    old = (await elsewhere.workspace_client(TEAM)).web.token
    new = await installed(slack, transport, installs)
    assert (await elsewhere.workspace_client(TEAM)).web.token == old  # cached for half a minute
    elsewhere.forget(TEAM)
    assert (await elsewhere.workspace_client(TEAM)).web.token == new


async def test_uninstalled_workspace_has_no_client(
    slack: LoopbackSlack,
    team: Workspace,
    client: Client,
    transport: Transport,
    many: InstalledWorkspaces,
) -> None:
    await installed(slack, transport, InstallationStore(client, many))
    await many.workspace_client(TEAM)
    assert await client.installs.delete("slack", TEAM)
    many.forget(TEAM)
    with pytest.raises(NotInstalled):
        await many.workspace_client(TEAM)


async def test_state_is_valid_only_in_the_process_that_issued_it() -> None:
    from cryptography.fernet import Fernet

    ours, others = StateStore(Fernet.generate_key()), StateStore(Fernet.generate_key())
    state = await ours.async_issue()
    assert "=" not in state
    assert await ours.async_consume(state)
    assert not await others.async_consume(state)
    for wrong in ("", "x", state[:-4], state + "AAAA", "é"):
        assert not await ours.async_consume(wrong)
