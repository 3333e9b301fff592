"""One attempt to deliver a result: edit the placeholder, or post where there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import anyio.to_thread
import discord
import structlog
from discord import ui

from bots.core.cards import card
from bots.core.locales import localizer_for
from bots.discord import message_view
from bots.discord.errors import PermanentFailure, is_too_large
from bots.discord.message_reference import MessageReference, nonce_of
from bots.discord.message_view import MessageFile
from bots.discord.messages import MessageClient
from imaging.errors import ImagingError
from imaging.formats import fit_into
from tasks.delivery.publisher import Delivery, DeliveryResult, PictureAttachment, TryLater
from tasks.jobs.job import Job

PLACEHOLDER_GRACE = 30.0  # seconds for the bot's process to record the placeholder
RETRY_DELAY = 1.0
SIZE_ATTEMPTS = 4
log = structlog.get_logger(platform="discord")


@dataclass(slots=True)
class DeliveryAttempt:
    """One attempt; `now` returns seconds since 1970."""

    client: MessageClient
    delivery: Delivery
    now: Callable[[], float]

    async def run(self) -> DeliveryResult:
        """Deliver, with smaller files each time Discord finds them too large.

        Raises PermanentFailure, TryLater, or what discord.py raises.
        """
        reference = MessageReference.of(self.delivery.job, self.delivery.memory)
        limit = reference.size_limit
        for _ in range(SIZE_ATTEMPTS):
            files = await self._files(limit)
            try:
                delivered = await self._deliver(reference, files)
                return DeliveryResult(str(delivered.message))
            except discord.HTTPException as error:
                if not is_too_large(error):
                    raise
                # A server that lost its boosts has a lower limit than the interaction stated.
                limit = max(len(file.data) for file in files) // 2 if files else 0
        raise PermanentFailure("undeliverable")

    async def _files(self, limit: int) -> list[MessageFile]:
        rendered = card(self._job(), localizer_for(self.delivery.job.order.member.locale))
        files = []
        for number, attachment in enumerate(self.delivery.attachments, 1):
            data, mime = await _fit(attachment, limit)
            name = message_view.file_name(rendered, number, mime)
            covered = message_view.covers(rendered.job, attachment.picture)
            files.append(MessageFile(name, data, rendered.alt, covered))
        return files

    async def _deliver(
        self, reference: MessageReference, files: Sequence[MessageFile]
    ) -> MessageReference:
        """Deliver in place; a private result whose token has expired goes to direct messages.

        An ephemeral message can no longer be edited then, and a new one would be public.
        """
        if reference.direct:
            return await self.client.edit(reference, self._direct_view(files), files)
        try:
            return await self._deliver_in_place(reference, files)
        except PermanentFailure as failure:
            if failure.code != "token-expired":
                raise
        return await self._deliver_directly(files)

    async def _deliver_in_place(
        self, reference: MessageReference, files: Sequence[MessageFile]
    ) -> MessageReference:
        """Edit the placeholder; if none was recorded, find it by the token or the job, or post."""
        job, client = self.delivery.job, self.client
        rendered = card(self._job(), localizer_for(job.order.member.locale))
        view = message_view.card_view(rendered, files)
        if reference.message is not None:
            return await client.edit(reference, view, files)
        if self.now() - job.created_at.timestamp() < PLACEHOLDER_GRACE:
            raise TryLater("the bot has not recorded the placeholder yet", after=RETRY_DELAY)
        if client.tokens.is_valid(reference):
            try:
                return await client.edit(reference, view, files)
            except PermanentFailure as failure:
                if failure.code != "message-gone":
                    raise
        if reference.private:
            raise PermanentFailure("token-expired")
        if existing := await client.find(reference.channel, job):  # posted, but not recorded
            reference = replace(reference, message=existing[0], token=None)
            await self.delivery.remember(reference.memory())
            return await client.edit(reference, view, files)
        posted = await client.post_result(reference, view, files, nonce_of(job))
        await self.delivery.remember(posted.memory())
        return posted

    async def _deliver_directly(self, files: Sequence[MessageFile]) -> MessageReference:
        """Deliver once in the member's direct messages.

        Raises PermanentFailure where those are closed.
        """
        job, view = self.delivery.job, self._direct_view(files)
        reference = await self.client.private.open_channel(job.order.member.id)
        if existing := await self.client.find(reference.channel, job):  # posted, but not recorded
            reference = replace(reference, message=existing[0])
            reference = await self.client.edit(reference, view, files)
        else:
            try:
                nonce = nonce_of(job, "own")
                reference = await self.client.post_result(reference, view, files, nonce)
            except PermanentFailure:
                raise PermanentFailure("token-expired") from None
        await self.delivery.remember(reference.memory())
        return reference

    def _direct_view(self, files: Sequence[MessageFile]) -> ui.LayoutView:
        """Without buttons: they belong to the server, where the member has a tier and a quota."""
        localize = localizer_for(self.delivery.job.order.member.locale)
        rendered = card(self._job(), localize)
        text = f"{rendered.text}\n{localize('shown-directly')}"
        return message_view.card_view(replace(rendered, text=text, buttons=()), files)

    def _job(self) -> Job:
        """The job as the delivered message shows it: with its pictures, and ended now."""
        job = self.delivery.job
        pictures = tuple(attachment.picture for attachment in self.delivery.attachments)
        ended = job.ended_at or datetime.fromtimestamp(self.now(), UTC)
        return replace(job, ended_at=ended, pictures=pictures or job.pictures)


async def _fit(attachment: PictureAttachment, limit: int) -> tuple[bytes, str]:
    """The picture's data in at most `limit` bytes, and its MIME type. Raises PermanentFailure."""
    if len(attachment.data) <= limit:
        return attachment.data, attachment.picture.mime
    try:
        fitting = await anyio.to_thread.run_sync(fit_into, attachment.data, limit)
    except ImagingError as error:
        log.warning("picture-not-resized", limit=limit, error=str(error))
        raise PermanentFailure("undeliverable") from error
    return fitting.data, fitting.mime
