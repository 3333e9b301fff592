"""The client: which shards a process runs, and how it ends."""

from __future__ import annotations

import asyncio

import discord
import pytest

from bots.discord import client
from bots.discord.client import Bot, Shards


def test_shards_that_cannot_be_are_refused() -> None:
    assert Shards.read("0-3/8").ids == (0, 1, 2, 3)
    for text in ("8/8", "3-1/8"):
        with pytest.raises(ValueError, match="ATELIER_DISCORD_SHARDS"):
            Shards.read(text)


async def test_a_gateway_that_does_not_say_goodbye_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def never(_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(discord.AutoShardedClient, "close", never)
    monkeypatch.setattr(client, "GOODBYE", 0.01)
    await Bot(Shards()).close()
