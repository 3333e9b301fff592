"""Messages that mention the bot: a reply to a picture edits it, other words ask for a new one.

Discord gives a bot the text of a message only where the bot is mentioned, or in direct messages; so
no privileged intent is needed, and everything else that is written stays unread.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import aiohttp
import discord
import structlog

from bots.core import flags, grammar
from bots.core.command import Ask, BadCommand, Command, Edit, Source
from bots.core.reply import Reply, ReplyKind
from bots.discord import layout, sources
from bots.discord.posts import Gone, Spot, nonce_of
from bots.discord.reception import Reception
from bots.discord.sources import Sources
from bots.discord.translate import ask_of_message
from tasks.client import Unavailable

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
        ask = ask_of_message(message)
        reply = await self.reception.reply_to(ask, self._command(message, ask, words, me))
        await self._say(message, ask, reply)

    def _meant(self, message: discord.Message, me: int) -> bool:
        if message.guild is None:
            return True
        named = any(user.id == me for user in message.mentions)
        return named and bool(message.content)

    async def _command(
        self, message: discord.Message, ask: Ask, words: str, me: int
    ) -> Command | BadCommand:
        source = await self._source(message, ask, me)
        if source is None:
            return grammar.parse(words)
        prompt = flags.parse_prompt(words)
        if isinstance(prompt, BadCommand):
            return prompt
        if prompt.strength is not None:
            return prompt.imagine(source)
        return Edit(source, prompt.words, count=prompt.count, seed=prompt.seed)

    async def _source(self, message: discord.Message, ask: Ask, me: int) -> Source | None:
        """The picture that the words are about: a file, the one replied to, or the thread's."""
        if address := sources.picture_address(message):
            return await self.sources.fetched(address)
        answered = message.reference.resolved if message.reference else None
        if isinstance(answered, discord.Message):
            return await self.sources.of(answered, ask.place, me)
        if ask.place.thread is not None:
            return await self._of_thread(message, ask, me)
        return None

    async def _of_thread(self, message: discord.Message, ask: Ask, me: int) -> Source | None:
        """The newest picture of a thread, or the one that the thread was started from."""
        newest = await self.reception.studio.client.last_picture(ask.place)
        if newest is not None:
            return newest.id
        thread = message.channel
        if not isinstance(thread, discord.Thread) or not isinstance(
            thread.parent, discord.TextChannel
        ):
            return None
        try:
            started = await thread.parent.fetch_message(thread.id)
        except discord.HTTPException:
            return None  # the thread did not start from a message, or that one is gone
        return await self.sources.of(started, ask.place, me)

    async def _say(self, message: discord.Message, ask: Ask, reply: Reply) -> None:
        """The answer beside the question; there is no other private place than direct messages."""
        if reply.repeated:
            return
        spot = Spot(message.channel.id, asked_in=message.id)
        try:
            if reply.kind is ReplyKind.PLACEHOLDER and reply.card and not reply.private:
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
