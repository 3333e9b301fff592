"""Edits, posts and reads messages, with an interaction's token or the bot's own.

An interaction's token edits for 15 minutes, in any channel, and is the only way to edit a private
answer. The bot's own token edits without limit what the bot posted in a server that it is in. Every
edit is idempotent; a new message carries a nonce derived from the job's id, so that Discord accepts
it once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

import discord
import structlog
from discord import ui

from bots.discord import buttons
from bots.discord.errors import (
    CONNECTION_ERRORS,
    UNKNOWN_MEMBER,
    PermanentFailure,
    classify,
    retry_after,
)
from bots.discord.interaction_tokens import InteractionTokens
from bots.discord.message_reference import MessageReference
from bots.discord.message_view import MessageFile
from bots.discord.private_messages import NO_MENTIONS, PrivateMessages
from tasks.jobs.job import Job

ORIGINAL = "@original"
HISTORY_LIMIT = 50  # messages
RETRY_DELAY, LONGEST_RATE_LIMIT = 1.0, 20.0  # seconds
log = structlog.get_logger(platform="discord")


class MessageClient:
    """Writes through one discord.py client; `now` returns seconds since 1970."""

    def __init__(self, client: discord.Client, now: Callable[[], float] = time.time) -> None:
        self._client = client
        self.tokens = InteractionTokens(client, now)
        self.private = PrivateMessages(client, self.tokens)

    async def edit(
        self,
        reference: MessageReference,
        view: ui.LayoutView,
        files: Sequence[MessageFile] | None = (),
    ) -> MessageReference:
        """Replace the message's contents; `files` None keeps its files.

        Returns the reference with the message's id. Raises PermanentFailure, or what discord.py
        raises where a retry could succeed.
        """
        if self.tokens.is_valid(reference):
            try:
                return await self._edit_with_token(reference, view, files)
            except discord.HTTPException as error:
                if not self.tokens.reject(reference, error):
                    raise classify(error) from error
        if reference.private:
            raise PermanentFailure("token-expired")
        if reference.message is None:
            raise PermanentFailure("message-gone")
        return await self._edit_as_bot(reference, view, files)

    async def post(
        self,
        reference: MessageReference,
        view: ui.LayoutView,
        files: Sequence[MessageFile],
        nonce: str,
    ) -> MessageReference:
        """A new message in the reference's channel, once for a nonce of at most 25 characters.

        Raises PermanentFailure, or what discord.py raises where a retry could succeed.
        """
        return replace(reference, message=(await self._send(reference, view, files, nonce)).id)

    async def post_result(
        self,
        reference: MessageReference,
        view: ui.LayoutView,
        files: Sequence[MessageFile],
        nonce: str,
    ) -> MessageReference:
        """`post` for a finished job: if the nonce returns the job's placeholder, edit it.

        Raises as `post` does.
        """
        sent = await self._send(reference, view, files, nonce)
        posted = replace(reference, message=sent.id)
        if buttons.has_cancel_button(sent):
            return await self._edit_as_bot(posted, view, files)
        return posted

    async def member_roles(self, guild: int, user: int) -> frozenset[str] | None:
        """Role ids of a member; empty for one who left, None where the bot may not ask.

        Raises what discord.py raises where a retry could succeed.
        """
        try:
            member = await self._client.http.get_member(guild, user)
        except discord.NotFound as error:
            return frozenset() if error.code == UNKNOWN_MEMBER else None
        except discord.Forbidden:
            return None
        return frozenset(str(role) for role in member["roles"])

    async def fetch_channel(self, channel: int) -> object:
        """A channel, read from Discord. Raises discord.HTTPException."""
        return await self._client.fetch_channel(channel)

    async def fetch_message(self, channel: int, message: int) -> discord.Message:
        """A message, read from Discord. Raises discord.HTTPException."""
        return await self._client.get_partial_messageable(channel).fetch_message(message)

    async def find(self, channel: int, job: Job) -> list[int]:
        """Ids of a channel's newest messages that show this job, newest first.

        Empty where the bot may not read the channel. Raises what discord.py raises where a retry
        could succeed.
        """
        messageable = self._client.get_partial_messageable(channel)
        try:
            newest = [message async for message in messageable.history(limit=HISTORY_LIMIT)]
        except (discord.Forbidden, discord.NotFound):
            return []
        ours = (message for message in newest if message.author == self._client.user)
        return [message.id for message in ours if _shows_job(message, job)]

    async def delete_duplicate(self, channel: int, message: int) -> None:
        """Delete one of the bot's messages; a failure leaves the duplicate and is logged."""
        partial = self._client.get_partial_messageable(channel).get_partial_message(message)
        try:
            await partial.delete()
        except (discord.HTTPException, *CONNECTION_ERRORS) as error:
            log.warning("duplicate-not-deleted", message=message, error=str(error))

    async def delete(self, channel: int, message: int) -> None:
        """Delete one of the bot's messages; one that is gone already is no error.

        Raises PermanentFailure, or what discord.py raises where a retry could succeed.
        """
        partial = self._client.get_partial_messageable(channel).get_partial_message(message)
        try:
            await partial.delete()
        except discord.NotFound:
            return
        except discord.HTTPException as error:
            raise classify(error) from error

    async def _send(
        self,
        reference: MessageReference,
        view: ui.LayoutView,
        files: Sequence[MessageFile],
        nonce: str,
    ) -> discord.Message:
        channel = self._client.get_partial_messageable(reference.channel)
        options: dict[str, Any] = {}
        if reference.asked_in is not None:
            options["reference"] = discord.MessageReference(
                message_id=reference.asked_in,
                channel_id=reference.channel,
                fail_if_not_exists=False,
            )
        for can_retry in (True, True, False):  # the nonce makes a repeated request harmless
            uploads = [file.upload() for file in files]
            try:
                return await channel.send(
                    view=view, files=uploads, nonce=nonce, allowed_mentions=NO_MENTIONS, **options
                )
            except (discord.DiscordServerError, *CONNECTION_ERRORS):
                if not can_retry:
                    raise
                await asyncio.sleep(RETRY_DELAY)
            except discord.HTTPException as error:
                rate_limited = error.status == 429 and retry_after(error) <= LONGEST_RATE_LIMIT
                if not (rate_limited and can_retry):
                    raise classify(error) from error
                await asyncio.sleep(retry_after(error))
        raise AssertionError("the last attempt returns or raises")

    async def _edit_with_token(
        self,
        reference: MessageReference,
        view: ui.LayoutView,
        files: Sequence[MessageFile] | None,
    ) -> MessageReference:
        # discord.py types this as an id, but Discord accepts "@original" as well; by id, Discord
        # documents follow-ups only.
        by_name = reference.original or reference.message is None
        target = cast(int, ORIGINAL if by_name else reference.message)
        edited = await self.tokens.webhook(reference).edit_message(
            target, view=view, allowed_mentions=NO_MENTIONS, **_attachments(files)
        )
        return replace(reference, message=edited.id, original=by_name)

    async def _edit_as_bot(
        self,
        reference: MessageReference,
        view: ui.LayoutView,
        files: Sequence[MessageFile] | None,
    ) -> MessageReference:
        channel = self._client.get_partial_messageable(reference.channel)
        message = channel.get_partial_message(cast(int, reference.message))
        try:
            await message.edit(view=view, allowed_mentions=NO_MENTIONS, **_attachments(files))
        except discord.HTTPException as error:
            raise classify(error) from error
        return reference


def _shows_job(message: discord.Message, job: Job) -> bool:
    names = (attachment.filename for attachment in message.attachments)
    return buttons.job_in(message) == job.id or any(job.short in name for name in names)


def _attachments(files: Sequence[MessageFile] | None) -> dict[str, Any]:
    return {} if files is None else {"attachments": [file.upload() for file in files]}
