"""Messages that mention the bot: a reply to a picture edits it, other text is a prompt.

Discord sends a bot the text of a message only where the bot is mentioned, and in direct messages.
No privileged intent is needed, and the bot reads no other message.
"""

from __future__ import annotations

from dataclasses import dataclass

import discord
import structlog
from discord import ui

from bots.core import command_parser, open_questions
from bots.core.commands import BadCommand, BadInput, Command, Invocation, Source, Upload
from bots.core.locales import localizer_for
from bots.core.refusals import refusal
from bots.core.reply import Export, Reply, ReplyKind
from bots.discord import message_view, source_images
from bots.discord.errors import CONNECTION_ERRORS, PermanentFailure
from bots.discord.export_sender import ARCHIVE_BYTES, ExportSender
from bots.discord.interaction_responder import InteractionResponder
from bots.discord.message_reference import MessageReference, nonce_of
from bots.discord.message_text import readable_text
from bots.discord.source_images import SourceImages
from bots.discord.translate import guild_id_of, invocation_of_message
from tasks.client import Unavailable
from tasks.jobs.job import Job, Reason

log = structlog.get_logger(platform="discord")


@dataclass(frozen=True, slots=True)
class MentionHandler:
    """Turns messages into commands and answers them."""

    responder: InteractionResponder
    source_images: SourceImages

    async def handle(self, message: discord.Message, bot: int) -> None:
        """Answer one message if it addresses the bot (`bot` is its own user id)."""
        if message.author.bot or not _is_addressed(message, bot):
            return
        text = source_images.without_links(readable_text(message, bot))
        if not text and not message.attachments and not source_images.image_url(message):
            return
        channel = await self._channel(message)
        invocation = invocation_of_message(message, channel)
        command = self._command(message, invocation, text, bot)
        reply = await self.responder.execute(invocation, command)
        await self._answer(message, invocation, reply)

    async def _channel(self, message: discord.Message) -> object:
        """The message's channel; an archived thread is not cached and must be fetched."""
        if not isinstance(message.channel, discord.PartialMessageable):
            return message.channel
        try:
            return await self.responder.message_client.fetch_channel(message.channel.id)
        except discord.HTTPException as error:
            log.info("channel-not-fetched", channel=message.channel.id, error=str(error))
            return message.channel

    async def _command(
        self, message: discord.Message, invocation: Invocation, text: str, bot: int
    ) -> Command | BadCommand:
        if files := self.source_images.attached(message):
            return command_parser.parse_with_files(text, files)
        source = await self._source(message, invocation, bot)
        if isinstance(source, BadCommand):
            return source
        if source is None:
            return command_parser.parse_in_channel(text)
        if isinstance(source, Upload):
            return command_parser.parse_with_files(text, (source,))
        return command_parser.parse_about(text, source)

    async def _source(
        self, message: discord.Message, invocation: Invocation, bot: int
    ) -> Source | BadCommand | None:
        """The picture to edit: that of the message replied to, or the thread's.

        None where no picture is expected; a reply to one of the bot's messages needs one.
        """
        if message.reference is not None and message.reference.message_id is not None:
            replied_to = await self._replied_to(message.reference)
            place = invocation.place
            if replied_to and replied_to.author.id != bot:
                several = source_images.several_pictures(replied_to)
                if several is not None:
                    return several
            found = await self.source_images.of(replied_to, place, bot) if replied_to else None
            ours = replied_to is None or replied_to.author.id == bot
            return found or (BadCommand(BadInput.NEEDS_PICTURE) if ours else None)
        if invocation.place.thread is not None:
            return await self._thread_picture(invocation, bot)
        return None

    async def _replied_to(self, reference: discord.MessageReference) -> discord.Message | None:
        """The message replied to; None if it was deleted or the bot may not read it."""
        if isinstance(reference.resolved, discord.Message):
            return reference.resolved
        try:
            return await self.responder.message_client.fetch_message(
                reference.channel_id, reference.message_id or 0
            )
        except discord.HTTPException as error:
            log.info("message-not-fetched", message=reference.message_id, error=str(error))
            return None

    async def _thread_picture(self, invocation: Invocation, bot: int) -> Source | None:
        """A thread's newest picture, or that of the message it was started from."""
        newest = await self.responder.command_handler.client.pictures.last(invocation.place)
        if newest is not None:
            return newest.id
        # A thread has the id of the message it was started from; a forum post opens with it.
        thread = int(invocation.place.thread or 0)
        for channel in (int(invocation.place.channel), thread):
            try:
                starter = await self.responder.message_client.fetch_message(channel, thread)
            except discord.HTTPException:
                continue  # not started from a message there, or that one was deleted
            if source := await self.source_images.of(starter, invocation.place, bot):
                return source
        return None

    async def _answer(self, message: discord.Message, invocation: Invocation, reply: Reply) -> None:
        """Answer beside the message in public, or in a direct message in private."""
        if reply.repeated:
            return
        reference = MessageReference(message.channel.id, asked_in=message.id)
        client, nonce = self.responder.message_client, str(message.id)
        try:
            if reply.job and reply.private and guild_id_of(message) is not None:
                reply = await self._refuse_private(invocation, reply.job)
            if reply.kind is ReplyKind.CONFIRM and reply.code in open_questions.CODES:
                await client.post(reference, message_view.question_view(reply), (), nonce)
            elif reply.kind is ReplyKind.PICTURE:
                await self._post_again(reply, reference, nonce)
            elif reply.kind is ReplyKind.PLACEHOLDER and reply.card:
                view = message_view.card_view(reply.card)
                reference = await client.post(reference, view, (), nonce_of(reply.card.job))
                await self.responder.record_placeholder(reply.card.job, reference)
            else:
                text = message_view.answer_text(reply)
                member = invocation.member.id
                if not await client.private.send(reference, member, text, nonce):
                    log.info("direct-messages-closed", code=reply.code)
                elif reply.export is not None:
                    await self._send_export(reply.export, invocation, reference)
        except (
            PermanentFailure,
            Unavailable,
            discord.HTTPException,
            *CONNECTION_ERRORS,
        ) as error:
            log.warning("mention-not-answered", key=invocation.key, error=str(error))

    async def _send_export(
        self, export: Export, invocation: Invocation, reference: MessageReference
    ) -> None:
        """Send a member's data to their direct messages."""
        private = self.responder.message_client.private
        sender = ExportSender(private, invocation, localizer_for(invocation.member.locale))
        await sender.send(export(ARCHIVE_BYTES), reference, sent=0)

    async def _post_again(self, reply: Reply, reference: MessageReference, nonce: str) -> None:
        """Post pictures that exist already."""
        rendered = await self.responder.render(reply)
        if isinstance(rendered.view, ui.LayoutView):
            client = self.responder.message_client
            await client.post(reference, rendered.view, rendered.files, nonce)

    async def _refuse_private(self, invocation: Invocation, job: Job) -> Reply:
        """Cancel a job whose result must be private: only a command can be answered privately."""
        await self.responder.command_handler.client.jobs.cancel(job.id, invocation.member)
        return refusal(Reason("private-message-only"), localizer_for(job.order.member.locale))


def _is_addressed(message: discord.Message, bot: int) -> bool:
    if guild_id_of(message) is None:
        return True
    mentioned = any(user.id == bot for user in message.mentions)
    by_role = any(role.tags and role.tags.bot_id == bot for role in message.role_mentions)
    return (mentioned or by_role) and bool(message.content)
