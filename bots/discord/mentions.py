"""Messages that mention the bot: a reply to a picture edits it, other words ask for a new one.

Discord gives a bot the text of a message only where the bot is mentioned, or in direct messages; so
no privileged intent is needed, and everything else that is written stays unread.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

import aiohttp
import discord
import structlog
from discord import ui

from bots.core import flags, grammar
from bots.core.command import Ask, BadCommand, BadInput, Command, Edit, Source, Undo
from bots.core.reasons import refusal
from bots.core.reply import Reply, ReplyKind
from bots.core.sentences import speak
from bots.discord import layout, sources
from bots.discord.posts import Gone, Spot, nonce_of
from bots.discord.reception import Reception
from bots.discord.sources import Sources
from bots.discord.translate import ask_of_message, guild_of
from tasks.client import Unavailable
from tasks.job import Job, Reason

MENTION = re.compile(r"<@!?\d+>")
log = structlog.get_logger(platform="discord")


@dataclass(frozen=True, slots=True)
class Mentions:
    """Turns messages into commands."""

    reception: Reception
    sources: Sources

    async def heard(self, message: discord.Message, me: int) -> None:
        """Answer one message, where it is meant for us (`me` is the bot's own id)."""
        if message.author.bot or not self._meant(message, me):
            return
        words = MENTION.sub(" ", message.content).strip()
        if not words and not message.attachments:
            return
        channel = await self._channel(message)
        ask = ask_of_message(message, channel)
        reply = await self.reception.reply_to(ask, self._command(message, ask, words, me))
        await self._say(message, ask, reply)

    def _meant(self, message: discord.Message, me: int) -> bool:
        if guild_of(message) is None:
            return True
        named = any(user.id == me for user in message.mentions)
        return named and bool(message.content)

    async def _channel(self, message: discord.Message) -> object:
        """Where it was written. A thread that was asleep is not known before it is asked for."""
        if not isinstance(message.channel, discord.PartialMessageable):
            return message.channel
        try:
            return await self.reception.posts.channel(message.channel.id)
        except discord.HTTPException:
            return message.channel

    async def _command(
        self, message: discord.Message, ask: Ask, words: str, me: int
    ) -> Command | BadCommand:
        source = await self._source(message, ask, me)
        if isinstance(source, BadCommand):
            return source
        if source is None:
            return grammar.parse(words)
        if isinstance(source, UUID) and grammar.takes_back(words):
            return Undo(source)
        prompt = flags.parse_prompt(words)
        if isinstance(prompt, BadCommand):
            return prompt
        if prompt.strength is not None:
            return prompt.imagine(source)
        return Edit(source, prompt.words, count=prompt.count, seed=prompt.seed)

    async def _source(
        self, message: discord.Message, ask: Ask, me: int
    ) -> Source | BadCommand | None:
        """The picture that the words are about: a file, the one replied to, or the thread's.

        None where there is none to be expected; a reply to one of our messages needs one.
        """
        if address := sources.picture_address(message):
            return await self.sources.fetched(address)
        if message.reference is not None and message.reference.message_id is not None:
            answered = await self._answered(message.reference)
            found = await self.sources.of(answered, ask.place, me) if answered else None
            ours = answered is None or answered.author.id == me
            return found or (BadCommand(BadInput.NEEDS_PICTURE) if ours else None)
        if ask.place.thread is not None:
            return await self._of_thread(ask, me)
        return None

    async def _answered(self, reference: discord.MessageReference) -> discord.Message | None:
        """The message that was replied to; None where it is gone."""
        if isinstance(reference.resolved, discord.Message):
            return reference.resolved
        try:
            number = reference.message_id or 0
            return await self.reception.posts.message(reference.channel_id, number)
        except discord.HTTPException:
            return None

    async def _of_thread(self, ask: Ask, me: int) -> Source | None:
        """The newest picture of a thread, or the one that the thread was started from."""
        newest = await self.reception.studio.client.last_picture(ask.place)
        if newest is not None:
            return newest.id
        try:  # a thread has the number of the message that it was started from
            number = int(ask.place.thread or 0)
            started = await self.reception.posts.message(int(ask.place.channel), number)
        except discord.HTTPException:
            return None  # it did not start from a message, or that one is gone
        return await self.sources.of(started, ask.place, me)

    async def _say(self, message: discord.Message, ask: Ask, reply: Reply) -> None:
        """The answer beside the question; there is no other private place than direct messages."""
        if reply.repeated:
            return
        spot = Spot(message.channel.id, asked_in=message.id)
        in_public = guild_of(message) is not None
        try:
            if reply.job and reply.private and in_public:
                reply = await self._take_back(ask, reply.job)
            if reply.kind is ReplyKind.PICTURE:
                await self._show_again(reply, spot, str(message.id))
                return
            if reply.kind is ReplyKind.PLACEHOLDER and reply.card:
                view = layout.card_view(reply.card)
                nonce = nonce_of(reply.card.job)
                spot = await self.reception.posts.post(spot, view, (), nonce)
                await self.reception.placed(reply, spot)
                return
            text = layout.answer_text(reply)
            told = await self.reception.posts.whisper(spot, ask.member.id, text, str(message.id))
            if not told:
                log.info("a member could not be told", code=reply.code)
        except (Gone, Unavailable, discord.HTTPException, aiohttp.ClientError, OSError) as error:
            log.warning("a mention was not answered", why=str(error), key=ask.key)

    async def _show_again(self, reply: Reply, spot: Spot, nonce: str) -> None:
        """Post a picture that is there already."""
        shown = await self.reception.shown(reply)
        if isinstance(shown.view, ui.LayoutView):
            await self.reception.posts.post(spot, shown.view, shown.sheets, nonce)

    async def _take_back(self, ask: Ask, job: Job) -> Reply:
        """Only a command can be answered in private: an order by message that should be is void."""
        await self.reception.studio.client.cancel(job.id, ask.member)
        return refusal(Reason("private-message-only"), speak(job.order.member.locale))
