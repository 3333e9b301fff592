"""Stored tokens: bound to their workspace, and readable while keys are rotated."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import psycopg
import pytest
from pydantic import SecretStr

from tasks.client import Client, connect
from tasks.runtime.encryption import DecryptionFailed, TokenCipher
from tests.stack import Servers

OLD, NEW = "A" * 43 + "=", "B" * 42 + "A="
Open = Callable[[str], Awaitable[Client]]


@pytest.fixture
async def open_client(servers: Servers, database_url: str) -> AsyncIterator[Open]:
    """A function that connects a client with the given keys."""
    async with AsyncExitStack() as opened:

        async def open_with(keys: str) -> Client:
            values = {"database_url": SecretStr(database_url), "secret_key": SecretStr(keys)}
            client = await connect(servers.settings.model_copy(update=values))
            opened.push_async_callback(client.close)
            return client

        yield open_with


def stored(database_url: str, workspace: str) -> bytes:
    with psycopg.connect(database_url) as connection:
        query = "SELECT sealed FROM installs WHERE workspace = %s"
        row = connection.execute(query, [workspace]).fetchone()
    assert row is not None
    return bytes(row[0])


def store(database_url: str, workspace: str, sealed: bytes) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO installs (platform, workspace, sealed) VALUES ('slack', %s, %s)",
            [workspace, sealed],
        )


async def test_token_copied_to_another_workspace_is_not_read(
    open_client: Open, database_url: str
) -> None:
    client = await open_client(NEW)
    await client.installs.save("slack", "T0001", {"bot_token": "xoxb-1"})
    store(database_url, "T0002", stored(database_url, "T0001"))
    assert await client.installs.find("slack", "T0001") == {"bot_token": "xoxb-1"}
    with pytest.raises(DecryptionFailed, match="T0002"):
        await client.installs.find("slack", "T0002")


async def test_reading_re_encrypts_with_the_newest_key(
    open_client: Open, database_url: str
) -> None:
    values = {"bot_token": "xoxb-1"}
    await (await open_client(OLD)).installs.save("slack", "T0001", values)
    rotating = await open_client(f"{NEW},{OLD}")
    assert await rotating.installs.find("slack", "T0001") == values
    first = stored(database_url, "T0001")
    assert await rotating.installs.find("slack", "T0001") == values
    assert stored(database_url, "T0001") == first, "a current token was encrypted again"
    assert await (await open_client(NEW)).installs.find("slack", "T0001") == values
    with pytest.raises(DecryptionFailed):
        await (await open_client(OLD)).installs.find("slack", "T0001")


async def test_token_stored_without_its_workspace_is_read_by_its_team(
    open_client: Open, database_url: str
) -> None:
    """As versions before this format stored it."""
    legacy = TokenCipher(NEW).encrypt({"team_id": "T0001", "bot_token": "xoxb-1"})
    store(database_url, "T0001", legacy)
    store(database_url, "T0002", legacy)
    client = await open_client(NEW)
    for _ in range(2):
        found = await client.installs.find("slack", "T0001")
        assert found == {"team_id": "T0001", "bot_token": "xoxb-1"}
    assert stored(database_url, "T0001") != legacy
    with pytest.raises(DecryptionFailed):
        await client.installs.find("slack", "T0002")
