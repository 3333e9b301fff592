"""A message's text as people read it: names for mentions and channel links. Pure."""

from __future__ import annotations

import re

import discord

_MARKUP = re.compile(
    r"<(?:@!?(?P<user>\d+)|@&(?P<role>\d+)|#(?P<channel>\d+)|a?:(?P<emoji>\w+):\d+)>"
)


def readable_text(message: discord.Message, bot: int) -> str:
    """The content without mentions of the bot; others, roles and channels become names.

    A custom emoji becomes its `:name:`. What is unknown to the bot is left out.
    """
    names = {("user", user.id): f"@{user.display_name}" for user in message.mentions}
    names |= {("role", role.id): f"@{role.name}" for role in message.role_mentions}
    names |= {("user", bot): ""}
    names |= {
        ("role", role.id): ""
        for role in message.role_mentions
        if role.tags and role.tags.bot_id == bot
    }

    def name(match: re.Match[str]) -> str:
        kind = match.lastgroup or ""
        if kind == "emoji":
            return f":{match[kind]}:"
        if kind == "channel":
            return _channel_name(message, int(match[kind]))
        return names.get((kind, int(match[kind])), "")

    return _MARKUP.sub(lambda match: name(match) or " ", message.content).strip()


def _channel_name(message: discord.Message, channel: int) -> str:
    found = message.guild.get_channel_or_thread(channel) if message.guild else None
    return f"#{found.name}" if found else ""
