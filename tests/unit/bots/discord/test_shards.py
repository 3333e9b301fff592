"""The gateway client: its shards, and closing it."""

from __future__ import annotations

import asyncio

import discord
import pytest
import structlog

from bots.discord import gateway_client
from bots.discord.gateway_client import GatewayClient, ShardRange


def test_invalid_shards_are_refused() -> None:
    assert ShardRange.parse("0-3/8").ids == (0, 1, 2, 3)
    assert ShardRange.parse("7/8").ids == (7,)
    for text in ("8/8", "3-1/8", "0-8/8", "-1/8", "8", "a/b", ""):
        with pytest.raises(ValueError, match="ATELIER_DISCORD_SHARDS"):
            ShardRange.parse(text)


async def test_close_times_out_without_gateway_reply(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def never(_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(discord.AutoShardedClient, "close", never)
    monkeypatch.setattr(gateway_client, "CLOSE_TIMEOUT", 0.01)
    client = GatewayClient(ShardRange())
    closed = await closings(client, monkeypatch)
    with structlog.testing.capture_logs() as logs:
        async with asyncio.timeout(10):
            await client.close()
    assert [entry["event"] for entry in logs] == ["gateway-close-timed-out"]
    assert closed == ["http"]


async def test_close_with_a_reply_is_discords_own(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(_: object) -> None:
        pass

    monkeypatch.setattr(discord.AutoShardedClient, "close", at_once)
    client = GatewayClient(ShardRange())
    closed = await closings(client, monkeypatch)
    with structlog.testing.capture_logs() as logs:
        await client.close()
    assert (logs, closed) == ([], [])


async def closings(client: GatewayClient, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list that gets an entry when the client's HTTP session is closed."""
    found: list[str] = []

    async def close() -> None:
        found.append("http")

    monkeypatch.setattr(client.http, "close", close)
    return found
