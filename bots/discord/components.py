"""Handles pressed buttons and submitted modals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID, uuid4

import discord
from cachetools import LRUCache
from discord import ui

from bots.core import command_parser, commands
from bots.core.cards import card
from bots.core.commands import BadCommand, BadInput, Command, Invocation, Source
from bots.core.locales import localizer_for
from bots.core.refusals import refusal
from bots.core.reply import Action, Reply, ReplyKind
from bots.core.report_commands import command_of_action
from bots.discord import buttons, initial_response, message_view, modals
from bots.discord.errors import UNKNOWN_MESSAGE
from bots.discord.interaction_responder import InteractionResponder
from bots.discord.modals import SubmittedModal
from bots.discord.private_messages import NO_MENTIONS
from bots.discord.source_images import image_url, several_pictures
from bots.discord.translate import invocation_of
from tasks.client import Unavailable
from tasks.jobs.job import Job, Reason
from tasks.jobs.tiers import Feature

MODAL_TIMEOUT = 2.0  # seconds; a modal must be the initial response
PENDING_FILES = 1000  # remembered


def _pending_files() -> LRUCache[UUID, str]:
    return LRUCache(PENDING_FILES)


@dataclass(frozen=True, slots=True)
class ComponentHandler:
    """Turns pressed buttons and submitted modals into commands."""

    responder: InteractionResponder
    _pending_files: LRUCache[UUID, str] = field(default_factory=_pending_files)
    """URLs of the files that an open modal edits."""

    def dynamic_item(self) -> type[ui.DynamicItem[ui.Button[ui.View]]]:
        """The class that discord.py calls for every button of the bot's, however old."""
        handler = self

        class AnyButton(ui.DynamicItem[ui.Button[ui.View]], template=buttons.TEMPLATE):
            @classmethod
            async def from_custom_id(
                cls,
                _interaction: discord.Interaction,
                item: ui.Item[ui.View],
                _match: object,
                /,
            ) -> AnyButton:
                return cls(cast("ui.Button[ui.View]", item))

            async def callback(self, interaction: discord.Interaction) -> None:
                await handler.handle_button(interaction, self.custom_id)

        return AnyButton

    async def handle_button(self, interaction: discord.Interaction, custom_id: str) -> None:
        """Answer a pressed button."""
        pressed = buttons.parse(custom_id)
        if pressed is None:
            return
        if pressed.action in _MODALS and pressed.target:
            await self._open_modal(interaction, pressed.action, pressed.target)
        elif pressed.action in (Action.CANCEL, Action.DELETE) and pressed.target:
            await self._end_job(interaction, pressed.action, pressed.target)
        elif pressed.action in _DECISIONS and _is_own_message(interaction.message):
            await self._decide_report(interaction, pressed)
        else:
            await self.responder.answer(interaction, _command(pressed))

    async def handle_modal(self, interaction: discord.Interaction) -> None:
        """Answer a submitted modal if it is one of the bot's."""
        submitted = modals.parse(interaction)
        if submitted is not None:
            await self.responder.answer(interaction, self._submitted_command(submitted))

    async def open_edit_modal(
        self, interaction: discord.Interaction, message: discord.Message, bot: int
    ) -> None:
        """Ask how to edit the picture of any message; `bot` is the bot's own user id."""
        if message.author.id == bot and (picture := buttons.picture_in(message)):
            await self._open_modal(interaction, Action.EDIT, picture)
            return
        if message.author.id != bot and (several := several_pictures(message)):
            await self.responder.answer(interaction, several)
            return
        url = image_url(message)
        if url is None:
            await self.responder.answer(interaction, BadCommand(BadInput.NEEDS_PICTURE))
            return
        key = uuid4()
        self._pending_files[key] = url
        await self._open_modal(interaction, Action.EDIT, key, modals.EDIT_FILE)

    async def _submitted_command(self, submitted: SubmittedModal) -> Command | BadCommand:
        values = submitted.values
        match submitted.purpose:
            case Action.REROLL:
                return command_parser.parse_reroll(values.get("prompt", ""), submitted.target)
            case Action.REPORT:
                return commands.Report(submitted.target, values.get("words", ""))
            case _:
                source = await self._source(submitted)
                mask = self.responder.downloader.upload(submitted.file) if submitted.file else None
                instruction = values.get("instruction", "")
                return command_parser.parse_edit(instruction, source, mask=mask)

    async def _source(self, submitted: SubmittedModal) -> Source:
        if submitted.purpose != modals.EDIT_FILE:
            return submitted.target
        url = self._pending_files.get(submitted.target)
        if url is None:  # the bot restarted while the modal was open
            raise self.responder.downloader.refuse("file-gone")
        return self.responder.downloader.upload(url)

    async def _open_modal(
        self,
        interaction: discord.Interaction,
        action: Action,
        target: UUID,
        purpose: str = Action.EDIT,
    ) -> None:
        """Open the modal, or refuse a member who may not use it.

        A modal must be the initial response: if the check takes too long, the member is refused.
        """
        invocation = invocation_of(interaction)
        localize = localizer_for(invocation.member.locale)
        try:
            async with asyncio.timeout(MODAL_TIMEOUT):
                localize = await self.responder.command_handler.localizer(invocation)
                reason, job = await self._may_open(invocation, action, target)
        except (Unavailable, TimeoutError):
            reason, job = Reason("unavailable"), None
        if reason is not None:
            text = message_view.answer_text(refusal(reason, localize))
            await initial_response.send_text(interaction, text)
            return
        prompt = job.order.request.prompt if job else ""
        modal = {
            Action.EDIT: lambda: modals.edit_modal(target, localize, purpose),
            Action.REROLL: lambda: modals.reroll_modal(target, prompt, localize),
            Action.REPORT: lambda: modals.report_modal(target, localize),
        }[action]()
        await interaction.response.send_modal(modal)

    async def _may_open(
        self, invocation: Invocation, action: Action, target: UUID
    ) -> tuple[Reason | None, Job | None]:
        client = self.responder.command_handler.client
        if action is Action.EDIT:
            return await client.members.feature_refusal(invocation.member, Feature.EDIT), None
        job = await client.jobs.read(target)
        visible = job is not None and job.visible_to(invocation.member)
        return (None, job) if visible else (Reason("no-such-job"), None)

    async def _end_job(
        self, interaction: discord.Interaction, action: Action, target: UUID
    ) -> None:
        """Cancel or delete a job, and show that on its own message.

        The message is locked until then: an edit of its position in line that has begun comes
        before, and no other one after.
        """
        invocation = invocation_of(interaction)
        command = commands.Cancel(target) if action is Action.CANCEL else commands.Delete(target)
        async with AsyncExitStack() as lock:
            work = asyncio.ensure_future(self._end_and_lock(invocation, command, target, lock))
            await asyncio.wait({work}, timeout=self.responder.patience)
            if not work.done():
                await interaction.response.defer()
            reply, job = await work
            if job is None or not _is_own_message(interaction.message):
                await initial_response.send_text(interaction, message_view.answer_text(reply))
                return
            view = message_view.card_view(card(job, localizer_for(job.order.member.locale)))
            await _edit_own_message(interaction, view)
            self.responder.positions.forget(target)

    async def _end_and_lock(
        self,
        invocation: Invocation,
        command: Command,
        target: UUID,
        lock: AsyncExitStack,
    ) -> tuple[Reply, Job | None]:
        """The reply, and the job if it has ended by this; its message is then locked by `lock`."""
        reply = await self.responder.execute(invocation, command)
        if reply.code not in ("cancelled", "deleted"):
            return reply, None
        client = self.responder.command_handler.client
        try:
            await lock.enter_async_context(client.jobs.edit_fence(target))
            return reply, await client.jobs.read(target)
        except Unavailable:
            return reply, None

    async def _decide_report(
        self, interaction: discord.Interaction, pressed: buttons.ComponentAction
    ) -> None:
        """Decide a report in the channel for reports: its message then shows the decision."""
        invocation = invocation_of(interaction)
        await interaction.response.defer()
        reply = await self.responder.execute(invocation, _command(pressed))
        text = message_view.answer_text(reply)
        if reply.kind is ReplyKind.REFUSAL:
            await initial_response.send_text(interaction, text)
            return
        view = message_view.decided_report_view(reply, invocation.member.name)
        await _edit_own_message(interaction, view)


_DECISIONS = frozenset({Action.REPORT_KEEP, Action.REPORT_REMOVE, Action.REPORT_BLOCK})
_MODALS = frozenset({Action.EDIT, Action.REROLL, Action.REPORT})
_TARGETED: Mapping[Action, Callable[[UUID], Command]] = {
    Action.VARY: commands.Vary,
    Action.UPSCALE: commands.Upscale,
    Action.UNDO: commands.Undo,
    Action.DETAILS: commands.Details,
    Action.EDIT_RECENT: lambda question: commands.Choose(question, edit=True),
    Action.NEW_PICTURE: lambda question: commands.Choose(question, edit=False),
    Action.DRAW_ANYWAY: commands.DrawAnyway,
}


def _command(pressed: buttons.ComponentAction) -> Command:
    if pressed.action is Action.JOIN_WAITLIST:
        return commands.Waitlist("join")
    if pressed.action is Action.CONFIRM_FORGET:
        return commands.Privacy("delete", confirmed=True)
    if pressed.target and (decision := command_of_action(pressed.action, pressed.target)):
        return decision
    command = _TARGETED.get(pressed.action)
    return command(pressed.target) if command and pressed.target else commands.Help()


async def _edit_own_message(interaction: discord.Interaction, view: ui.LayoutView) -> None:
    """Replace the message of a pressed button.

    A message that is gone needs no edit: a worker may already have deleted it, as the member asked.
    """
    try:
        if interaction.response.is_done():
            await interaction.edit_original_response(
                view=view, attachments=[], allowed_mentions=NO_MENTIONS
            )
        else:
            await interaction.response.edit_message(
                view=view, attachments=[], allowed_mentions=NO_MENTIONS
            )
    except discord.NotFound as error:
        if error.code != UNKNOWN_MESSAGE:
            raise
        if not interaction.response.is_done():
            await interaction.response.defer()


def _is_own_message(message: discord.Message | None) -> bool:
    """Whether this is a job's or report's own message, and not a list with a button for it."""
    return message is not None and message.flags.components_v2
