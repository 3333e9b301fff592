"""Translates Discord's interactions and messages into an `Invocation`, and back into references."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import discord
from discord.utils import DEFAULT_FILE_SIZE_LIMIT_BYTES

from bots.core.commands import Invocation
from bots.discord.message_reference import MessageReference
from bots.discord.roles import NO_GUILD, member_of, writer_of
from tasks.jobs.members import Place

UNKNOWN_CHANNEL_ID = 0  # a channel type that discord.py does not support; the token still answers
THREADS = frozenset(
    {
        discord.ChannelType.public_thread,
        discord.ChannelType.private_thread,
        discord.ChannelType.news_thread,
    }
)


def invocation_of(interaction: discord.Interaction) -> Invocation:
    """The invocation of a command, button or form.

    Its key is the interaction's id, because Discord may send an interaction twice.
    """
    return Invocation(
        member=member_of(interaction),
        place=place_of(interaction.channel, interaction.guild_id),
        key=f"discord:{interaction.id}",
        reply_to=_reply_to(interaction),
        moderator=_is_moderator(interaction),
        covers=True,
    )


def invocation_of_message(message: discord.Message, channel: object) -> Invocation:
    """The invocation of a message that mentions the bot, written in `channel`."""
    guild = message.guild
    limit = guild.filesize_limit if guild else DEFAULT_FILE_SIZE_LIMIT_BYTES
    return Invocation(
        member=writer_of(message, guild_id_of(message)),
        place=place_of(channel, guild_id_of(message)),
        key=f"discord:{message.id}",
        reply_to={
            "channel": str(message.channel.id),
            "message": str(message.id),
            "size_limit": limit,
        },
        covers=True,
    )


def guild_id_of(message: discord.Message) -> int | None:
    """The server's id, also of a server that is not cached; None for a direct message."""
    if message.guild is not None:
        return message.guild.id
    return getattr(message.channel, "guild_id", None)


def place_of(channel: object, guild: int | None) -> Place:
    """A channel, or a thread in its channel."""
    number = getattr(channel, "id", UNKNOWN_CHANNEL_ID)
    kind = getattr(channel, "type", None)
    parent = getattr(channel, "parent_id", None)
    workspace = str(guild) if guild else NO_GUILD
    if kind in THREADS and parent:
        return Place("discord", workspace, str(parent), str(number))
    return Place("discord", workspace, str(number))


def reference_of(
    invocation: Invocation, message: int | None, *, private: bool = False
) -> MessageReference:
    """The reference to an interaction's initial response; `message` None if there is none yet."""
    answer = invocation.reply_to
    return MessageReference(
        channel=int(answer["channel"]),
        message=message,
        application=int(answer["application"]),
        token=answer["token"],
        token_at=answer["at"],
        private=private,
        original=message is not None,
    )


def _is_moderator(interaction: discord.Interaction) -> bool:
    """Whether the member may delete and cancel other members' pictures in this channel."""
    permissions = interaction.permissions
    return permissions.manage_messages or permissions.manage_guild or permissions.administrator


def _reply_to(interaction: discord.Interaction) -> Mapping[str, Any]:
    """What the publisher needs to answer: the token is valid for 15 minutes from `at`.

    `at` is read from this machine's clock, because the token's age is measured with it later.
    """
    return {
        "application": str(interaction.application_id),
        "token": interaction.token,
        "at": time.time(),
        "channel": str(interaction.channel_id or UNKNOWN_CHANNEL_ID),
        "size_limit": interaction.filesize_limit,
    }
