"""Posts new reports where moderators see them, and notifies owners of removed pictures."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol

import anyio
import structlog

from bots.core.cards import card, shorten
from bots.core.locales import localizer_for
from bots.core.reply import Card, Reply
from bots.core.report_commands import reports_reply
from tasks.client import Client, PostedReport, Unavailable
from tasks.jobs.job import Job
from tasks.jobs.members import Place

MAX_PROMPT = 200  # characters of the prompt in a notice


class ReportPublisher(Protocol):
    """A platform's side. Its methods raise what the platform's client raises.

    What the platform will never accept is logged and not raised: it would be repeated for ever.
    """

    @property
    def covers(self) -> bool:
        """Whether the platform can cover a picture until somebody opens it."""

    async def post(self, channel: Place, report: PostedReport, reply: Reply) -> None:
        """Post a report in a channel."""

    async def notify_owner(self, job: Job, text: str) -> None:
        """Send a private message to the job's owner."""

    async def clear(self, card: Card) -> None:
        """Show on the job's message that its pictures were removed."""


@dataclass(slots=True)
class ReportNotifier:
    """Polls for reports of one platform; several bot processes may run it.

    `pause` is the seconds between two polls, `retry_pause` those after a failure.
    """

    client: Client
    platform: str
    publisher: ReportPublisher
    pause: float = 5.0
    retry_pause: float = 60.0

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            try:
                succeeded = await self._post_reports()
                succeeded &= await self._notify_owners()
            except Unavailable as error:
                log = structlog.get_logger()
                log.warning("reports-unavailable", platform=self.platform, error=str(error))
                succeeded = False
            await anyio.sleep(self.pause if succeeded else self.retry_pause)

    async def _post_reports(self) -> bool:
        reports = self.client.reports
        succeeded = True
        for claimed in await reports.claim_unposted(self.platform):
            job = claimed.report.job
            place = Place(self.platform, job.order.place.workspace, claimed.channel)
            settings = await self.client.admin.workspace_settings(place.platform, place.workspace)
            localize = localizer_for(settings.language or job.order.member.locale)
            reply = reports_reply([claimed.report], localize, self.publisher.covers)
            posted = await self._attempt("post", job, self.publisher.post(place, claimed, reply))
            if not posted:
                await reports.release_unposted(job.id)
            succeeded &= posted
        return succeeded

    async def _notify_owners(self) -> bool:
        succeeded = True
        for job in await self.client.reports.claim_removed(self.platform):
            localize = localizer_for(job.order.member.locale)
            prompt = shorten(job.order.request.prompt, MAX_PROMPT)
            text = localize("report-owner-notice", prompt=prompt)
            # Clearing can be repeated; the owner is notified once it is done.
            done = await self._attempt(
                "clear", job, self.publisher.clear(card(job, localize))
            ) and await self._attempt("notify", job, self.publisher.notify_owner(job, text))
            if not done:
                await self.client.reports.release_removed(job.id)
            succeeded &= done
        return succeeded

    async def _attempt(self, step: str, job: Job, work: Awaitable[None]) -> bool:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - one report must not delay the others
            structlog.get_logger().warning(
                "report-step-failed",
                platform=self.platform,
                step=step,
                job=str(job.id),
                error=type(error).__name__,
            )
            return False
        return True
