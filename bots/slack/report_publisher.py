"""Slack's side of reports: the moderators' channel, and the owner of a removed picture."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from bots.core.locales import localizer_for
from bots.core.reply import Card, Reply
from bots.slack import blocks
from bots.slack.job_messages import redraw
from bots.slack.transport import Rejected
from bots.slack.workspaces import Workspaces
from tasks.client import PostedReport
from tasks.jobs.job import Job
from tasks.jobs.members import Place

log = structlog.get_logger(platform="slack")


@dataclass(frozen=True, slots=True)
class SlackReportPublisher:
    """Posts with each workspace's token. Slack cannot cover a picture, so a button shows it."""

    workspaces: Workspaces
    covers: bool = False

    async def post(self, channel: Place, report: PostedReport, reply: Reply) -> None:
        """Post a report. Raises SlackError where a retry could succeed."""
        web = (await self.workspaces.workspace_client(channel.workspace)).web
        localize = localizer_for(report.report.job.order.member.locale)
        try:
            await web.call(
                "chat.postMessage",
                channel=channel.channel,
                text=blocks.reply_text(reply),
                blocks=blocks.reply_blocks(reply, localize),
            )
        except Rejected as rejected:  # the report stays in /atelier studio reports
            log.warning("reports-channel-unusable", channel=channel.channel, reason=str(rejected))

    async def notify_owner(self, job: Job, text: str) -> None:
        """Send a direct message. Raises SlackError where a retry could succeed."""
        member = job.order.member
        web = (await self.workspaces.workspace_client(job.order.place.workspace)).web
        try:
            await web.call("chat.postMessage", channel=member.id, **blocks.message(text))
        except Rejected as rejected:
            log.info("owner-not-notified", job=str(job.id), reason=str(rejected))

    async def clear(self, card: Card) -> None:
        """Redraw the job's message. Raises SlackError where a retry could succeed."""
        if "ts" not in card.job.placeholder:
            return
        web = (await self.workspaces.workspace_client(card.job.order.place.workspace)).web
        try:
            await redraw(web, card, localizer_for(card.job.order.member.locale))
        except Rejected as rejected:
            log.info("removed-picture-unreachable", job=str(card.job.id), reason=str(rejected))
