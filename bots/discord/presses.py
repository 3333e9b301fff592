"""What happens when a button is pressed or a form is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID, uuid4

import discord
from discord import ui

from bots.core import command as commands
from bots.core.cards import card
from bots.core.command import Ask, BadCommand, BadInput, Command, Source, Upload
from bots.core.reasons import refusal
from bots.core.reply import Action
from bots.core.sentences import speak
from bots.discord import buttons, forms, layout
from bots.discord.files import FileRefused
from bots.discord.forms import Filled
from bots.discord.posts import NOBODY
from bots.discord.reception import Reception
from bots.discord.sources import picture_address
from bots.discord.translate import ask_of
from tasks.client import Unavailable
from tasks.job import Job, Reason
from tasks.tiers import Feature

FORM_PATIENCE = 2.0  # seconds
PUT_ASIDE = 1000  # files


@dataclass(frozen=True, slots=True)
class Presses:
    """Turns presses and forms into commands."""

    reception: Reception
    _aside: dict[UUID, str] = field(default_factory=dict)  # files that an open form is about

    def item(self) -> type[ui.DynamicItem[ui.Button[ui.View]]]:
        """The class that discord.py calls for every button of ours, whoever sent it and when."""
        presses = self

        class Pressed(ui.DynamicItem[ui.Button[ui.View]], template=buttons.TEMPLATE):
            @classmethod
            async def from_custom_id(
                cls,
                _interaction: discord.Interaction,
                item: ui.Item[ui.View],
                _match: object,
                /,
            ) -> Pressed:
                return cls(cast("ui.Button[ui.View]", item))

            async def callback(self, interaction: discord.Interaction) -> None:
                await presses.pressed(interaction, self.custom_id)

        return Pressed

    async def pressed(self, interaction: discord.Interaction, custom: str) -> None:
        """Answer one press."""
        press = buttons.read(custom)
        if press is None:
            return
        if press.action in _FORMS and press.target:
            await self._show_form(interaction, press.action, press.target)
        elif press.action in (Action.CANCEL, Action.DELETE) and press.target:
            await self._end(interaction, press.action, press.target)
        else:
            await self.reception.answer(interaction, _command(press))

    async def sent(self, interaction: discord.Interaction) -> None:
        """Answer one form, if it is ours."""
        filled = forms.read(interaction)
        if filled is not None:
            await self.reception.answer(interaction, self._filled(filled))

    async def ask_for_edit(
        self, interaction: discord.Interaction, message: discord.Message, me: int
    ) -> None:
        """Ask what to change in the picture of any message."""
        if message.author.id == me and (picture := buttons.picture_in(message)):
            await self._show_form(interaction, Action.EDIT, picture)
            return
        address = picture_address(message)
        if address is None:
            missing = BadCommand(BadInput.NEEDS_PICTURE)
            await self.reception.answer(interaction, missing)
            return
        number = uuid4()
        self._aside[number] = address
        while len(self._aside) > PUT_ASIDE:
            self._aside.pop(next(iter(self._aside)))
        await self._show_form(interaction, Action.EDIT, number, forms.EDIT_FILE)

    async def _filled(self, filled: Filled) -> Command:
        words = filled.words
        match filled.purpose:
            case Action.REROLL:
                return commands.Reroll(filled.target, words.get("prompt") or None)
            case Action.REPORT:
                return commands.Report(filled.target, words.get("words", ""))
            case _:
                source = await self._source(filled)
                mask = await self._fetched(filled.file) if filled.file else None
                return commands.Edit(source, words.get("instruction", ""), mask)

    async def _source(self, filled: Filled) -> Source:
        if filled.purpose != forms.EDIT_FILE:
            return filled.target
        address = self._aside.get(filled.target)
        if address is None:  # the bot was started anew while the form was open
            raise FileRefused("file-gone")
        return await self._fetched(address)

    async def _fetched(self, address: str) -> Upload:
        return Upload(await self.reception.files.fetch(address))

    async def _show_form(
        self,
        interaction: discord.Interaction,
        action: Action,
        target: UUID,
        purpose: str = Action.EDIT,
    ) -> None:
        """Open the form, or say at once to one who may not that they may not.

        A form must be the first response: where the studio is slow, there is only an apology.
        """
        ask = ask_of(interaction)
        say = speak(ask.member.locale)
        try:
            async with asyncio.timeout(FORM_PATIENCE):
                say = await self.reception.studio.say(ask)
                reason, job = await self._may_open(ask, action, target)
        except (Unavailable, TimeoutError):
            reason, job = Reason("unavailable"), None
        if reason is not None:
            await self.reception.say_first(interaction, refusal(reason, say))
            return
        prompt = job.order.request.prompt if job else ""
        form = {
            Action.EDIT: lambda: forms.edit_form(target, say, purpose),
            Action.REROLL: lambda: forms.reroll_form(target, prompt, say),
            Action.REPORT: lambda: forms.report_form(target, say),
        }[action]()
        await interaction.response.send_modal(form)

    async def _may_open(
        self, ask: Ask, action: Action, target: UUID
    ) -> tuple[Reason | None, Job | None]:
        client = self.reception.studio.client
        if action is Action.EDIT:
            return await client.feature_open(ask.member, Feature.EDIT), None
        job = await client.job(target)
        here = job is not None and (
            job.order.member.key == ask.member.key
            or (job.order.place.workspace == ask.place.workspace and not job.order.private)
        )
        return (None, job) if here else (Reason("no-such-job"), None)

    async def _end(self, interaction: discord.Interaction, action: Action, target: UUID) -> None:
        """Cancel or delete: the message itself shows at once that it happened."""
        ask = ask_of(interaction)
        wanted = commands.Cancel(target) if action is Action.CANCEL else commands.Delete(target)
        work = asyncio.ensure_future(self.reception.reply_to(ask, wanted))
        await asyncio.wait({work}, timeout=self.reception.patience)
        if not work.done():
            await interaction.response.defer()
        reply = await work
        job = await self._ended(target) if reply.code in ("cancelled", "deleted") else None
        if job is None or not _is_of(interaction.message):
            await self.reception.say_first(interaction, reply)
            return
        view = layout.card_view(card(job, speak(job.order.member.locale)))
        if interaction.response.is_done():
            await interaction.edit_original_response(
                view=view, attachments=[], allowed_mentions=NOBODY
            )
        else:
            await interaction.response.edit_message(
                view=view, attachments=[], allowed_mentions=NOBODY
            )

    async def _ended(self, target: UUID) -> Job | None:
        try:
            return await self.reception.studio.client.job(target)
        except Unavailable:
            return None


_FORMS = frozenset({Action.EDIT, Action.REROLL, Action.REPORT})
_ABOUT: Mapping[Action, Callable[[UUID], Command]] = {
    Action.VARY: commands.Vary,
    Action.UPSCALE: commands.Upscale,
    Action.UNDO: commands.Undo,
    Action.DETAILS: commands.Details,
}


def _command(press: buttons.Press) -> Command:
    if press.action is Action.JOIN_WAITLIST:
        return commands.Waitlist("join")
    if press.action is Action.CONFIRM_FORGET:
        return commands.Privacy("delete", confirmed=True)
    made = _ABOUT.get(press.action)
    return made(press.target) if made and press.target else commands.Help()


def _is_of(message: discord.Message | None) -> bool:
    """Whether this is a job's own message, and not a list that has a button for it."""
    return message is not None and message.flags.components_v2
