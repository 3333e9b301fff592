"""Discord's side of reports: the moderators' channel, and the owner of a removed picture."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from bots.core.reply import Card, Reply
from bots.discord import message_view
from bots.discord.attachments import PictureFiles
from bots.discord.errors import PermanentFailure
from bots.discord.escaping import escape
from bots.discord.message_reference import MessageReference, nonce_of
from bots.discord.messages import MessageClient
from tasks.client import PostedReport
from tasks.jobs.job import Job
from tasks.jobs.members import Place

log = structlog.get_logger(platform="discord")


@dataclass(frozen=True, slots=True)
class DiscordReportPublisher:
    """Posts through the bot's own token."""

    messages: MessageClient
    picture_files: PictureFiles
    covers: bool = True

    async def post(self, channel: Place, report: PostedReport, reply: Reply) -> None:
        """Post a report. Raises what discord.py raises where a retry could succeed."""
        files = await self.picture_files.thumbnails(reply.pictures)
        reference = MessageReference(int(channel.channel))
        view, nonce = message_view.report_view(reply, files), nonce_of(report.report.job, "rep")
        try:
            await self.messages.post(reference, view, files, nonce)
        except PermanentFailure as failure:  # the report stays in /studio reports
            log.warning("reports-channel-unusable", channel=channel.channel, reason=failure.code)

    async def notify_owner(self, job: Job, text: str) -> None:
        """Send a direct message. Raises what discord.py raises where a retry could succeed."""
        nonce = nonce_of(job, "rmvd")
        reference = MessageReference(0)
        if not await self.messages.private.send(
            reference, job.order.member.id, escape(text), nonce
        ):
            log.info("direct-messages-closed", code="report-owner-notice")

    async def clear(self, card: Card) -> None:
        """Edit the job's message. Raises what discord.py raises where a retry could succeed."""
        try:
            reference = MessageReference.of(card.job)
            await self.messages.edit(reference, message_view.card_view(card), ())
        except PermanentFailure as failure:
            log.info("removed-picture-unreachable", job=str(card.job.id), reason=failure.code)
