"""The gateway client reports servers that add or remove the bot."""

from __future__ import annotations

from unittest.mock import create_autospec

import discord

from bots.discord.gateway_client import GatewayClient, ShardRange


async def test_servers_that_add_or_remove_the_bot_are_reported() -> None:
    client = GatewayClient(ShardRange())
    reported: list[tuple[str, bool]] = []

    async def record(guild: str, is_member: bool) -> None:
        reported.append((guild, is_member))

    client.membership_handler = record
    guild = create_autospec(discord.Guild, instance=True, id=2000, roles=[], _roles={})
    await client.on_guild_join(guild)
    await client.on_guild_remove(guild)
    assert reported == [("2000", True), ("2000", False)]
