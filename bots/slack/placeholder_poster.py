"""Posts the placeholder of an accepted order, once, and cancels orders that cannot have one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog

from bots.core.cards import card
from bots.core.commands import Invocation
from bots.core.locales import Localizer
from bots.core.position_updater import PositionUpdater
from bots.core.reply import Reply
from bots.slack import blocks, placeholders
from bots.slack.reply_target import ReplyTarget
from bots.slack.transport import OutcomeUnknown, RateLimited, Rejected, Web
from tasks.client import Client
from tasks.jobs.job import Job

PLACEHOLDER_PAUSES = (1.0, 3.0, 0.0)  # seconds before the next search and post of a placeholder
CONCURRENT_POST_PAUSES = (0.5, 1.0, 1.5)  # seconds for another process to store its placeholder
MAX_PAUSE = 20.0  # seconds; after longer pauses the publisher posts the placeholder itself


@dataclass(slots=True)
class PlaceholderPoster:
    """Posts placeholders; `position_updater` then keeps the place in line on them current."""

    client: Client
    position_updater: PositionUpdater

    async def post(
        self,
        reply: Reply,
        job: Job,
        reply_target: ReplyTarget,
        invocation: Invocation,
        localize: Localizer,
    ) -> None:
        """Post the job's message unless it exists, then keep its place in line current.

        Raises Rejected where the app may not post there; the order is cancelled then.
        """
        target = placeholders.placeholder_target(
            reply_target.reply_to, reply_target.user, reply.private
        )
        if reply.repeated and await self._placeholder_exists(job):
            return
        web = reply_target.web
        try:
            posted = await self._post_once(web, target, job, localize, search=reply.repeated)
        except Rejected as rejected:
            await self._cancel(job, invocation, rejected)
            raise
        if posted is None:
            # The publisher finds the message by its metadata, or posts one.
            structlog.get_logger().warning("placeholder-not-posted", job=str(job.id))
            return
        claimed = await self.client.jobs.claim_placeholder(job.id, posted)
        if claimed.get("ts") != posted["ts"]:
            await placeholders.delete_duplicate(web, posted)
        self.position_updater.follow(job)

    async def _placeholder_exists(self, job: Job) -> bool:
        """Whether a repeated order has its message; another process may be posting it."""
        for pause in (*CONCURRENT_POST_PAUSES, 0.0):
            current = await self.client.jobs.read(job.id)
            if current is None or current.placeholder or current.state.ended:
                return True
            await asyncio.sleep(pause)
        return False

    async def _post_once(
        self,
        web: Web,
        target: placeholders.PlaceholderTarget,
        job: Job,
        localize: Localizer,
        search: bool,
    ) -> dict[str, str] | None:
        """The job's message; searches for it before posting where it may exist already."""
        job_card = card(job, localize)
        shown = blocks.card_blocks(job_card, (), localize)
        for pause in PLACEHOLDER_PAUSES:
            try:
                found = await placeholders.find(web, target, job) if search else None
                return found or await placeholders.post(
                    web, target, job.id, blocks.card_text(job_card), shown
                )
            except OutcomeUnknown:
                search = True
                await asyncio.sleep(pause)
            except RateLimited as limited:
                await asyncio.sleep(min(limited.after, MAX_PAUSE))
        return None

    async def _cancel(self, job: Job, invocation: Invocation, rejected: Rejected) -> None:
        structlog.get_logger().info("placeholder-rejected", job=str(job.id), reason=str(rejected))
        # The job may be finished by now: this tells the publisher not to search for a message.
        message = placeholders.rejected_placeholder(rejected.code)
        await self.client.jobs.set_placeholder(job.id, message)
        await self.client.jobs.cancel(job.id, invocation.member)
