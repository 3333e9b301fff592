"""Discord's interactions and messages as an `Ask`: who, where, which key, and how to answer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import discord
from discord.utils import DEFAULT_FILE_SIZE_LIMIT_BYTES

from bots.core.command import Ask
from bots.discord.roles import NO_GUILD, member_of, moderates, writer_of
from tasks.members import Place

NO_CHANNEL = 0  # of a kind that discord.py does not know: it is answered by the token alone
THREADS = frozenset(
    {
        discord.ChannelType.public_thread,
        discord.ChannelType.private_thread,
        discord.ChannelType.news_thread,
    }
)


def ask_of(interaction: discord.Interaction) -> Ask:
    """The ask behind a command, button or form. Discord may send one twice: its id is the key."""
    return Ask(
        member=member_of(interaction),
        place=place_of(interaction.channel, interaction.guild_id),
        key=f"discord:{interaction.id}",
        reply_to=_answer_to(interaction),
        moderator=moderates(interaction),
        covers=True,
    )


def ask_of_message(message: discord.Message, channel: object) -> Ask:
    """The ask behind a message that mentions the bot, written in `channel`."""
    guild = message.guild
    limit = guild.filesize_limit if guild else DEFAULT_FILE_SIZE_LIMIT_BYTES
    return Ask(
        member=writer_of(message, guild_of(message)),
        place=place_of(channel, guild_of(message)),
        key=f"discord:{message.id}",
        reply_to={
            "channel": str(message.channel.id),
            "message": str(message.id),
            "size_limit": limit,
        },
        covers=True,
    )


def guild_of(message: discord.Message) -> int | None:
    """The server's id, known or not; None for a direct message."""
    if message.guild is not None:
        return message.guild.id
    return getattr(message.channel, "guild_id", None)


def place_of(channel: object, guild: int | None) -> Place:
    """A channel, or a thread in its channel."""
    number = getattr(channel, "id", NO_CHANNEL)
    kind = getattr(channel, "type", None)
    parent = getattr(channel, "parent_id", None)
    workspace = str(guild) if guild else NO_GUILD
    if kind in THREADS and parent:
        return Place("discord", workspace, str(parent), str(number))
    return Place("discord", workspace, str(number))


def _answer_to(interaction: discord.Interaction) -> Mapping[str, Any]:
    """What the courier needs to answer: the token lives for 15 minutes from `at`.

    By our own clock, as it is asked later whether they are over, and not by Discord's in the id.
    """
    return {
        "application": str(interaction.application_id),
        "token": interaction.token,
        "at": time.time(),
        "channel": str(interaction.channel_id or NO_CHANNEL),
        "size_limit": interaction.filesize_limit,
    }
