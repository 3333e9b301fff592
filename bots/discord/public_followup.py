"""A public message that could not be the initial response: posted once, apart from it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import discord
import structlog
from discord import ui

from bots.discord.errors import CONNECTION_ERRORS, PermanentFailure
from bots.discord.initial_response import ATTEMPTS
from bots.discord.message_reference import MessageReference, nonce_of
from bots.discord.message_view import RenderedReply
from bots.discord.messages import MessageClient
from bots.discord.private_messages import NO_MENTIONS
from tasks.jobs.job import Job

LIBRARY_RETRY_DELAY = 1.0  # seconds, the least that discord.py waits before it repeats a request
log = structlog.get_logger(platform="discord")


@dataclass(frozen=True, slots=True)
class PublicFollowup:
    """The public message of one interaction, about a job if there is one."""

    message_client: MessageClient
    interaction: discord.Interaction
    job: Job | None

    async def post(
        self, rendered: RenderedReply, reference: MessageReference
    ) -> MessageReference | None:
        """Post with the token while it is valid, else as the bot; None if it could not be posted.

        The token comes first: a bot may post few messages a second in a channel.
        """
        if rendered.private or not isinstance(rendered.view, ui.LayoutView):
            return None
        client = self.message_client
        try:
            if client.tokens.is_valid(reference) and self.interaction.response.is_done():
                return await self._follow_up(rendered, rendered.view, reference)
            if self.job:
                nonce = nonce_of(self.job)
                return await client.post(reference, rendered.view, rendered.files, nonce)
        except (PermanentFailure, discord.HTTPException, *CONNECTION_ERRORS) as error:
            log.warning("placeholder-not-posted", error=str(error))
        return None

    async def _follow_up(
        self, rendered: RenderedReply, view: ui.LayoutView, reference: MessageReference
    ) -> MessageReference:
        # The first follow-up would take the place of "thinking", and be as private.
        await self.interaction.edit_original_response(content="…", allowed_mentions=NO_MENTIONS)
        clock = asyncio.get_running_loop().time
        for attempt in range(ATTEMPTS):
            existing = await self._existing(reference.channel) if attempt else []
            if existing:
                return replace(reference, message=existing[0])
            started = clock()
            try:
                sent = await self.interaction.followup.send(
                    view=view,
                    files=[file.upload() for file in rendered.files],
                    allowed_mentions=NO_MENTIONS,
                    wait=True,
                )
            except (discord.DiscordServerError, *CONNECTION_ERRORS) as error:
                log.info("followup-interrupted", error=type(error).__name__)
            else:
                if clock() - started >= LIBRARY_RETRY_DELAY:
                    await self._delete_duplicates(reference.channel, sent.id)
                return replace(reference, message=sent.id)
        raise PermanentFailure("undeliverable")

    async def _existing(self, channel: int) -> list[int]:
        return await self.message_client.find(channel, self.job) if self.job else []

    async def _delete_duplicates(self, channel: int, kept: int) -> None:
        """Delete what discord.py posted twice by repeating a request after a server error."""
        try:
            existing = await self._existing(channel)
        except (discord.HTTPException, *CONNECTION_ERRORS) as error:
            log.warning("duplicate-search-failed", error=str(error))
            return
        for message in existing:
            if message != kept:
                await self.message_client.delete_duplicate(channel, message)
