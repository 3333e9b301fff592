"""Posts a core `Reply`: a job's placeholder, an ephemeral answer, pictures or a file."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import structlog

from bots.core.commands import Invocation
from bots.core.locales import Localizer
from bots.core.reply import Attachment, Reply, ReplyKind
from bots.slack import blocks, files, placeholders
from bots.slack.placeholder_poster import PlaceholderPoster
from bots.slack.reply_target import ReplyTarget, Respond
from bots.slack.transport import Rejected, SlackError, Web
from tasks.client import Archive, Client, Unavailable
from tasks.jobs.job import Job, Picture

ARCHIVE_BYTES = 32 * 1024 * 1024
"""The most of one archive of an export. Slack allows 1 GB; one archive is in memory at a time."""


@dataclass(slots=True)
class ReplyPoster:
    """Posts replies, each to the people it is meant for."""

    client: Client
    placeholders: PlaceholderPoster

    async def post(
        self, reply: Reply, reply_target: ReplyTarget, invocation: Invocation, localize: Localizer
    ) -> None:
        """Post a reply to the people it is meant for. Raises SlackError."""
        if reply.kind is ReplyKind.PLACEHOLDER and reply.job is not None:
            await self._placeholder(reply, reply.job, reply_target, invocation, localize)
        elif reply.kind is ReplyKind.PICTURE and reply.pictures:
            await self._pictures(reply, reply_target, localize)
        elif reply.export is not None:
            message = self._message(reply, localize)
            await self._export(reply.export(ARCHIVE_BYTES), message, reply_target, localize)
        else:
            await self.post_ephemeral(reply, reply_target, localize)
            if reply.chart is not None:
                title = blocks.message(reply.title)
                await self._file(await reply.chart(), title, reply_target, localize)

    async def post_ephemeral(
        self, reply: Reply, reply_target: ReplyTarget, localize: Localizer
    ) -> None:
        """Post a reply for one member: as an ephemeral message, or in their direct messages.

        Raises SlackError where every route fails.
        """
        message = self._message(reply, localize)
        *routes, last = self._ephemeral_routes(reply_target)
        for send in routes:
            try:
                await send(message)
            except Rejected as rejected:
                structlog.get_logger().info("reply-rerouted", reason=str(rejected))
            else:
                return
        await last(message)

    def _ephemeral_routes(self, reply_target: ReplyTarget) -> Sequence[Respond]:
        async def in_thread(message: Mapping[str, Any]) -> None:
            await reply_target.web.call(
                "chat.postEphemeral",
                channel=reply_target.channel,
                user=reply_target.user,
                thread_ts=reply_target.thread,
                **message,
            )

        async def in_direct_message(message: Mapping[str, Any]) -> None:
            thread = reply_target.thread if reply_target.direct else None
            channel = reply_target.channel if reply_target.direct else reply_target.user
            await reply_target.web.call(
                "chat.postMessage", channel=channel, thread_ts=thread, **message
            )

        if reply_target.direct:
            return (in_direct_message,)
        if reply_target.respond is None:
            return (in_thread, in_direct_message)
        if reply_target.thread is None:
            return (reply_target.respond, in_direct_message)
        return (in_thread, reply_target.respond, in_direct_message)

    async def _placeholder(
        self,
        reply: Reply,
        job: Job,
        reply_target: ReplyTarget,
        invocation: Invocation,
        localize: Localizer,
    ) -> None:
        try:
            await self.placeholders.post(reply, job, reply_target, invocation, localize)
        except Rejected:
            text, title = localize("slack-invite-me"), localize("refusal-title")
            notice = Reply(ReplyKind.REFUSAL, text, title=title)
            await self.post_ephemeral(notice, reply_target, localize)

    # -- pictures and files ---------------------------------------------------------

    async def _pictures(self, reply: Reply, reply_target: ReplyTarget, localize: Localizer) -> None:
        web = reply_target.web
        file_ids = [await self._reupload(web, picture, reply) for picture in reply.pictures]
        alt = reply.card.alt if reply.card else reply.title
        shown = [blocks.section(reply.text)]
        for number, file in enumerate(file_ids, 1):
            shown.append(blocks.picture_block(file, alt, reply.title, number, len(file_ids)))
        shown += blocks.button_rows(reply.buttons, localize)
        target = placeholders.placeholder_target(
            reply_target.reply_to, reply_target.user, reply.private
        )
        await files.retry_rejected_blocks(
            lambda: web.call(
                "chat.postMessage",
                max_wait=15.0,
                channel=target.channel,
                thread_ts=target.thread,
                text=blocks.reply_text(reply),
                blocks=shown,
            )
        )

    async def _reupload(self, web: Web, picture: Picture, reply: Reply) -> str:
        data = await self.client.pictures.read_blob(picture.blob)
        alt = reply.card.alt if reply.card else reply.title
        name = f"{picture.id.hex[-8:]}.png"
        file = await files.upload(web, files.Upload(name, reply.title, alt, data))
        await files.wait_until_processed(web, file)
        return file

    async def _export(
        self,
        archives: AsyncGenerator[Archive, None],
        message: Mapping[str, Any],
        reply_target: ReplyTarget,
        localize: Localizer,
    ) -> None:
        """Post a message and the archives of an export in the member's direct messages.

        Where one fails, the member is told so.
        """
        web, sent = reply_target.web, 0
        opened = await web.call("chat.postMessage", channel=reply_target.user, **message)
        async with aclosing(archives):
            try:
                async for archive in archives:
                    title = archive.name
                    if not archive.last or archive.number > 1:
                        name = "privacy-export-last" if archive.last else "privacy-export-part"
                        title = localize(name, number=archive.number)
                    upload = files.Upload(archive.name, archive.name, archive.name, archive.data)
                    await files.upload_into(web, upload, str(opened["channel"]), title)
                    sent = archive.number
            except (SlackError, Unavailable) as error:
                structlog.get_logger().warning("file-not-sent", reason=str(error), team=web.team)
                text = localize("slack-file-failed")
                if sent:
                    text = localize("privacy-export-stopped", number=sent)
                failed = Reply(ReplyKind.REFUSAL, text)
                await self.post_ephemeral(failed, reply_target, localize)

    @staticmethod
    def _message(reply: Reply, localize: Localizer) -> dict[str, Any]:
        return {"text": blocks.reply_text(reply), "blocks": blocks.reply_blocks(reply, localize)}

    async def _file(
        self,
        attachment: Attachment,
        message: Mapping[str, Any],
        reply_target: ReplyTarget,
        localize: Localizer,
    ) -> None:
        """Post a message and a file in the member's direct messages.

        Where the file fails after the message was posted, the member is told so.
        """
        web = reply_target.web
        opened = await web.call("chat.postMessage", channel=reply_target.user, **message)
        upload = files.Upload(attachment.name, attachment.name, attachment.name, attachment.data)
        try:
            await files.upload_into(web, upload, str(opened["channel"]), attachment.name)
        except SlackError as error:
            structlog.get_logger().warning("file-not-sent", reason=str(error), team=web.team)
            failed = Reply(ReplyKind.REFUSAL, localize("slack-file-failed"))
            await self.post_ephemeral(failed, reply_target, localize)
