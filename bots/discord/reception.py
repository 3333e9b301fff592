"""How every command, button and form is answered: within 3 seconds, once, and to the right eyes.

Most answers are there in a few hundredths of a second and are the first response itself, so a
refusal is private and a placeholder public. Where the studio takes longer, the first response is a
private "thinking": a public one could not be followed by a private refusal.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace

import discord
import structlog
from discord import ui

from bots.core.command import Ask, BadCommand, Command
from bots.core.line import LineKeeper
from bots.core.reasons import refusal
from bots.core.reply import Reply, ReplyKind
from bots.core.sentences import speak
from bots.core.studio import Studio
from bots.discord import layout, responses
from bots.discord.files import FileRefused, Files
from bots.discord.layout import Sheet
from bots.discord.pictures import Pictures
from bots.discord.posts import LOST, NOBODY, Gone, Posts, Spot, nonce_of
from bots.discord.responses import TRIES, Shown
from bots.discord.translate import ask_of
from tasks.client import Unavailable
from tasks.job import Reason

PATIENCE = 1.2  # seconds; the rest of the three is for the way to Discord and back
LEAST_PATIENCE = 0.2
CROWD = 40  # answers under way at once from which on patience is least
REMEMBERED = 10_000  # interactions; Discord repeats one within seconds
LIBRARY_PAUSE = 1.0  # seconds, the least that discord.py waits before it sends a request again

Asked = Command | BadCommand
log = structlog.get_logger(platform="discord")


@dataclass(slots=True)
class Reception:
    """Answers interactions with what the studio says."""

    studio: Studio
    files: Files
    posts: Posts
    pictures: Pictures
    line: LineKeeper
    _seen: dict[int, None] = field(default_factory=dict)
    _working: int = 0

    async def answer(
        self,
        interaction: discord.Interaction,
        command: Asked | Awaitable[Asked],
    ) -> Reply | None:
        """Carry the command out and answer; the reply, or None for an interaction seen before."""
        if self._repeated(interaction):
            if inspect.iscoroutine(command):
                command.close()
            return None
        ask = ask_of(interaction)
        work = asyncio.ensure_future(self._work(ask, command))
        self._working += 1
        work.add_done_callback(self._worked)
        await asyncio.wait({work}, timeout=self.patience)
        if work.done():
            reply, shown = work.result()
            await self._respond(interaction, ask, reply, shown)
        else:
            await responses.put_off(interaction)
            reply, shown = await work
            await self._respond_late(interaction, ask, reply, shown)
        return reply

    @property
    def patience(self) -> float:
        """Seconds that an answer may take before it is put off; fewer in a crowd."""
        return max(LEAST_PATIENCE, PATIENCE * (1 - self._working / CROWD))

    def _worked(self, _: object) -> None:
        self._working -= 1

    async def say_first(self, interaction: discord.Interaction, reply: Reply) -> None:
        """A private answer to something that needs no more than words."""
        text = layout.answer_text(reply)
        if interaction.response.is_done():
            await interaction.followup.send(text, ephemeral=True, allowed_mentions=NOBODY)
        else:
            await interaction.response.send_message(text, ephemeral=True, allowed_mentions=NOBODY)

    async def reply_to(self, ask: Ask, command: Asked | Awaitable[Asked]) -> Reply:
        """What the studio answers. Whatever breaks, there is an answer for the member."""
        say = speak(ask.member.locale)
        try:
            asked = await command if inspect.isawaitable(command) else command
            return await self.studio.answer(ask, asked)
        except FileRefused as refused:
            return refusal(refused.reason, say)
        except Exception:
            log.exception("a command failed", key=ask.key)
            return refusal(Reason("unavailable"), say)

    async def shown(self, reply: Reply) -> Shown:
        """The reply with its pictures read and its components built."""
        if reply.kind is ReplyKind.PLACEHOLDER and reply.card:
            return Shown(None, layout.card_view(reply.card), [], reply.private)
        if reply.kind is ReplyKind.PICTURE and reply.card:
            card, sheets = await self.pictures.stored(reply.card)
            return Shown(None, layout.card_view(card, sheets), sheets, reply.private)
        sheets = await self.pictures.small(reply.pictures)
        drawn = await reply.drawing() if reply.drawing else None
        sheets += [Sheet(file.name, file.data) for file in (reply.attachment, drawn) if file]
        view = layout.answer_view(reply)
        return Shown(layout.answer_text(reply), view, sheets, reply.private)

    async def placed(self, reply: Reply, spot: Spot) -> None:
        """Remember where a job's message stands, and keep its place in line true."""
        if reply.job is None:
            return
        client, workspace = self.studio.client, reply.job.order.member.workspace
        try:
            settings = await client.workspace_settings("discord", workspace)
            stands = spot.memory() | {"spoiler": settings.nsfw == "spoiler"}
            await client.set_placeholder(reply.job.id, stands)
        except Unavailable as error:
            # The courier finds the message by the interaction's token, or posts one of its own.
            log.warning("a placeholder was not noted", job=str(reply.job.id), why=str(error))
        self.line.follow(reply.job)

    async def _work(self, ask: Ask, command: Asked | Awaitable[Asked]) -> tuple[Reply, Shown]:
        reply = await self.reply_to(ask, command)
        try:
            return reply, await self.shown(reply)
        except (Unavailable, FileNotFoundError):
            failed = refusal(Reason("unavailable"), speak(ask.member.locale))
            return failed, await self.shown(failed)

    def _repeated(self, interaction: discord.Interaction) -> bool:
        seen = interaction.id in self._seen
        self._seen[interaction.id] = None
        if len(self._seen) > REMEMBERED:
            self._seen.pop(next(iter(self._seen)))
        return seen

    async def _respond(
        self, interaction: discord.Interaction, ask: Ask, reply: Reply, shown: Shown
    ) -> None:
        standing = await responses.first(interaction, shown)
        if reply.kind is not ReplyKind.PLACEHOLDER:
            return
        spot = _spot(ask, standing.message, shown.private)
        if not standing.taken and not reply.repeated:
            spot = await self._place_late(interaction, reply, shown, spot) or spot
        if spot.message is not None:
            await self.placed(reply, spot)

    async def _respond_late(
        self, interaction: discord.Interaction, ask: Ask, reply: Reply, shown: Shown
    ) -> None:
        """After "thinking": a private answer replaces it; a public message stands on its own."""
        try:
            if shown.private:
                edited = await responses.replace_first(interaction, shown)
                await self.placed(reply, _spot(ask, edited, private=True))
                return
            spot = None
            if not reply.repeated:
                spot = await self._place_late(interaction, reply, shown, _spot(ask, None, False))
            if spot:
                await self.placed(reply, spot)
            await interaction.delete_original_response()
        except (discord.HTTPException, *LOST) as error:
            # A job's courier still finds its way; an answer about the account is asked for again.
            log.warning("a late answer was not taken", key=ask.key, why=str(error))

    async def _place_late(
        self, interaction: discord.Interaction, reply: Reply, shown: Shown, spot: Spot
    ) -> Spot | None:
        """A public message apart from the first response.

        By the token where it lives: a channel takes few messages a second of a bot's own. Where the
        connection breaks, it is looked for before it is posted once more.
        """
        if shown.private or not isinstance(shown.view, ui.LayoutView):
            return None
        try:
            if self.posts.token_lives(spot) and interaction.response.is_done():
                return await self._follow_up(interaction, reply, shown, spot)
            if reply.job:
                nonce = nonce_of(reply.job)
                return await self.posts.post(spot, shown.view, shown.sheets, nonce)
        except (Gone, discord.HTTPException, *LOST) as error:
            log.warning("a placeholder was not posted", why=str(error))
        return None

    async def _follow_up(
        self, interaction: discord.Interaction, reply: Reply, shown: Shown, spot: Spot
    ) -> Spot:
        # What is sent first after "thinking" takes its place, and would be as private as it.
        await interaction.edit_original_response(content="…", allowed_mentions=NOBODY)
        clock = asyncio.get_running_loop().time
        for trial in range(TRIES):
            found = await self._found(spot.channel, reply) if trial else []
            if found:
                return replace(spot, message=found[0])
            begun = clock()
            try:
                sent = await interaction.followup.send(
                    view=shown.view or discord.utils.MISSING,
                    files=[sheet.file() for sheet in shown.sheets],
                    allowed_mentions=NOBODY,
                    wait=True,
                )
            except (discord.DiscordServerError, *LOST) as error:
                log.info("a placeholder broke off", why=type(error).__name__)
            else:
                if clock() - begun >= LIBRARY_PAUSE:
                    await self._take_back_doubles(spot.channel, reply, sent.id)
                return replace(spot, message=sent.id)
        raise Gone("undeliverable")

    async def _found(self, channel: int, reply: Reply) -> list[int]:
        """The messages that show this job already."""
        return await self.posts.find(channel, reply.job) if reply.job else []

    async def _take_back_doubles(self, channel: int, reply: Reply, kept: int) -> None:
        """discord.py posts again where a server failed, which may have taken it before it did."""
        try:
            found = await self._found(channel, reply)
        except (discord.HTTPException, *LOST) as error:
            log.warning("doubles were not looked for", why=str(error))
            return
        for number in found:
            if number != kept:
                await self.posts.take_back(channel, number)


def _spot(ask: Ask, message: int | None, private: bool) -> Spot:
    answer = ask.reply_to
    return Spot(
        channel=int(answer["channel"]),
        message=message,
        application=int(answer["application"]),
        token=answer["token"],
        token_at=answer["at"],
        private=private,
        original=message is not None,
    )
