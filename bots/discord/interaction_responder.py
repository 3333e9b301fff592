"""Answers every command, button and form: within 3 seconds, once, and only to those who may see it.

Most answers are ready in a few hundredths of a second and are the initial response itself, so a
refusal is private and a placeholder public. A slower answer is deferred with a private "thinking":
a public one could not be followed by a private refusal (docs/adr/0009).
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Awaitable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import discord
import structlog
from cachetools import LRUCache

from bots.core.command_handler import CommandHandler
from bots.core.commands import BadCommand, Command, Invocation
from bots.core.locales import localizer_for
from bots.core.position_updater import PositionUpdater
from bots.core.refusals import refusal
from bots.core.reply import Reply, ReplyKind
from bots.discord import initial_response, message_view
from bots.discord.attachments import PictureFiles
from bots.discord.errors import CONNECTION_ERRORS
from bots.discord.export_sender import ARCHIVE_BYTES, ExportSender, open_export
from bots.discord.file_download import FileDownloader, FileRefused
from bots.discord.message_reference import MessageReference
from bots.discord.message_view import RenderedReply
from bots.discord.messages import MessageClient
from bots.discord.public_followup import PublicFollowup
from bots.discord.translate import invocation_of, reference_of
from tasks.client import Archive, Unavailable
from tasks.jobs.job import Job, Reason

PATIENCE = 1.2  # seconds; the rest of Discord's three is for the network
MIN_PATIENCE = 0.2
CROWD = 40  # answers in progress at which patience is at its minimum
INTERACTIONS = 10_000  # remembered; Discord repeats one within seconds

PendingCommand = Command | BadCommand | Awaitable[Command | BadCommand]
"""A command, or a coroutine that finds its pictures first; it may raise FileRefused."""

log = structlog.get_logger(platform="discord")


def _seen_interactions() -> LRUCache[int, None]:
    return LRUCache(INTERACTIONS)


@dataclass(slots=True)
class InteractionResponder:
    """Executes commands and answers the interactions that they came from."""

    command_handler: CommandHandler
    downloader: FileDownloader
    message_client: MessageClient
    picture_files: PictureFiles
    positions: PositionUpdater
    command_ids: dict[str, str] = field(default_factory=dict)
    """The ids of the registered commands by name, for clickable mentions."""
    _seen: LRUCache[int, None] = field(default_factory=_seen_interactions)
    _in_progress: int = 0

    async def answer(self, interaction: discord.Interaction, command: PendingCommand) -> None:
        """Execute the command and answer; a repeated interaction is ignored."""
        if self._is_repeated(interaction):
            if inspect.iscoroutine(command):
                command.close()
            return
        invocation = invocation_of(interaction)
        self._in_progress += 1
        try:
            work = asyncio.ensure_future(self._execute_and_render(invocation, command))
            await asyncio.wait({work}, timeout=self.patience)
            deferred = not work.done()
            if deferred:
                await initial_response.defer(interaction)
            reply, rendered = await work
        finally:
            self._in_progress -= 1
        respond = self._respond_after_defer if deferred else self._respond
        reference = await respond(interaction, invocation, reply, rendered)
        if rendered.rest is not None:
            await self._send_rest(invocation, rendered.rest)
        if reference is not None and reply.kind is ReplyKind.PLACEHOLDER and reply.card:
            await self.record_placeholder(reply.card.job, reference)

    async def _execute_and_render(
        self, invocation: Invocation, command: PendingCommand
    ) -> tuple[Reply, RenderedReply]:
        reply = await self.execute(invocation, command)
        try:
            return reply, await self.render(reply, invocation.reply_to)
        except (Unavailable, FileNotFoundError):
            failed = refusal(Reason("unavailable"), localizer_for(invocation.member.locale))
            return failed, await self.render(failed)

    async def execute(self, invocation: Invocation, command: PendingCommand) -> Reply:
        """The command's reply. Every failure becomes a refusal that the member can read."""
        localize = localizer_for(invocation.member.locale)
        try:
            resolved = await command if inspect.isawaitable(command) else command
            reply = await self.command_handler.answer(invocation, resolved)
            return message_view.with_clickable_commands(reply, self.command_ids)
        except FileRefused as refused:
            return refusal(refused.reason, localize)
        except Exception:
            log.exception("command-failed", key=invocation.key)
            return refusal(Reason("unavailable"), localize)

    async def render(
        self, reply: Reply, reply_to: Mapping[str, Any] = MappingProxyType({})
    ) -> RenderedReply:
        """The reply as a message, with its pictures read. Raises Unavailable, FileNotFoundError."""
        if reply.kind is ReplyKind.PLACEHOLDER and reply.card:
            return RenderedReply(None, message_view.card_view(reply.card), (), reply.private)
        if reply.kind is ReplyKind.PICTURE and reply.card:
            card, files = await self.picture_files.originals(reply.card)
            return RenderedReply(None, message_view.card_view(card, files), files, reply.private)
        files = await self.picture_files.thumbnails(reply.pictures)
        drawing = await reply.chart() if reply.chart else None
        rendered = message_view.render_answer(reply, files, drawing)
        opened = await open_export(reply, int(reply_to.get("size_limit") or ARCHIVE_BYTES))
        if opened is None:
            return rendered
        first, rest = opened
        return replace(rendered, files=[*rendered.files, first], rest=rest)

    async def _respond(
        self,
        interaction: discord.Interaction,
        invocation: Invocation,
        reply: Reply,
        rendered: RenderedReply,
    ) -> MessageReference | None:
        """Make the reply the initial response; the message, where that is known.

        A placeholder that came too late for that is posted apart from it.
        """
        response = await initial_response.send(interaction, rendered)
        if response.rejected and rendered.files:
            await rendered.close()
            response = await initial_response.send(interaction, await self._not_sent(invocation))
        reference = reference_of(invocation, response.message, private=rendered.private)
        if reply.kind is ReplyKind.PLACEHOLDER and not (response.accepted or reply.repeated):
            followup = PublicFollowup(self.message_client, interaction, reply.job)
            reference = await followup.post(rendered, reference) or reference
        return reference if reference.message is not None else None

    async def _respond_after_defer(
        self,
        interaction: discord.Interaction,
        invocation: Invocation,
        reply: Reply,
        rendered: RenderedReply,
    ) -> MessageReference | None:
        """Replace "thinking" with a private answer; post a public one and delete "thinking"."""
        posted = None
        try:
            if rendered.private:
                message = await self._replace(interaction, invocation, rendered)
                return reference_of(invocation, message, private=True)
            if not reply.repeated:
                followup = PublicFollowup(self.message_client, interaction, reply.job)
                posted = await followup.post(rendered, reference_of(invocation, None))
            await interaction.delete_original_response()
        except (discord.HTTPException, *CONNECTION_ERRORS) as error:
            # The publisher still delivers a job; the member can repeat any other command.
            log.warning("deferred-response-failed", key=invocation.key, error=str(error))
        return posted

    async def _replace(
        self, interaction: discord.Interaction, invocation: Invocation, rendered: RenderedReply
    ) -> int:
        """Replace "thinking"; where the files are not accepted, with a refusal that says so."""
        try:
            return await initial_response.replace(interaction, rendered)
        except (discord.HTTPException, *CONNECTION_ERRORS) as error:
            if not rendered.files:
                raise
            log.warning("files-not-sent", key=invocation.key, error=str(error))
            await rendered.close()
        return await initial_response.replace(interaction, await self._not_sent(invocation))

    async def _send_rest(
        self, invocation: Invocation, archives: AsyncGenerator[Archive, None]
    ) -> None:
        """Send the archives of an export that follow its first one."""
        localize = localizer_for(invocation.member.locale)
        sender = ExportSender(self.message_client.private, invocation, localize)
        await sender.send(archives, reference_of(invocation, None, private=True), sent=1)

    async def _not_sent(self, invocation: Invocation) -> RenderedReply:
        localize = localizer_for(invocation.member.locale)
        return await self.render(refusal(Reason("file-not-sent"), localize))

    async def record_placeholder(self, job: Job, reference: MessageReference) -> None:
        """Record where a job's message is, and keep its position in line up to date."""
        client, workspace = self.command_handler.client, job.order.member.workspace
        try:
            settings = await client.admin.workspace_settings("discord", workspace)
            placeholder = reference.memory() | {"spoiler": settings.nsfw == "spoiler"}
            await client.jobs.set_placeholder(job.id, placeholder)
        except Unavailable as error:
            # The publisher edits by the interaction's token, or posts a message of its own.
            log.warning("placeholder-not-recorded", job=str(job.id), error=str(error))
        self.positions.follow(job)

    @property
    def patience(self) -> float:
        """Seconds before an answer is deferred; fewer while many are in progress."""
        return max(MIN_PATIENCE, PATIENCE * (1 - self._in_progress / CROWD))

    def _is_repeated(self, interaction: discord.Interaction) -> bool:
        repeated = interaction.id in self._seen
        self._seen[interaction.id] = None
        return repeated
