"""One attempt to deliver a result: find its message, upload what is missing, edit the message.

Every step can be repeated. An upload that no message shows is invisible, file ids are stored before
they are used, and the one visible step is an edit of an existing message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import structlog

from bots.core.cards import card
from bots.core.locales import Localizer, localizer_for
from bots.core.refusals import sentence
from bots.core.reply import Card
from bots.slack import blocks, files, placeholders
from bots.slack.job_messages import edit_message
from bots.slack.mrkdwn import escape
from bots.slack.transport import (
    APP_GONE,
    CHANNEL_ARCHIVED,
    CHANNEL_UNAVAILABLE,
    FILE_GONE,
    FILES_REFUSED,
    MESSAGE_GONE,
    Rejected,
    SlackError,
    Web,
)
from tasks.delivery.publisher import (
    Delivery,
    DeliveryResult,
    PictureAttachment,
    TryLater,
    Undeliverable,
)
from tasks.jobs.job import Reason
from tasks.jobs.states import JobState

PLACEHOLDER_WAIT = 30.0  # seconds the bot has to post the placeholder
PLACEHOLDER_RETRY = 2.0  # seconds before the next search for it
MAX_UPLOAD_RESETS = 3  # times that deleted uploads are made again


@dataclass(slots=True)
class DeliveryAttempt:
    """The state of one attempt. `memory` is what earlier attempts stored."""

    web: Web
    delivery: Delivery
    localize: Localizer = field(init=False)
    memory: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.localize = localizer_for(self.delivery.job.order.member.locale)
        self.memory = dict(self.delivery.memory)

    async def run(self) -> DeliveryResult:
        """Deliver the result. Raises SlackError, TryLater or Undeliverable."""
        job = self.delivery.job
        message = await self._find_message()
        job_card = card(job, self.localize)
        file_ids = [
            await self._file(number, attachment, job_card)
            for number, attachment in enumerate(self.delivery.attachments)
        ]
        ready = [await files.wait_until_processed(self.web, file) for file in file_ids]
        await self._show(message, job_card, file_ids, in_blocks=all(ready))
        await self._clear_status()
        return DeliveryResult(message["ts"])

    async def handle_rejection(self, rejected: Rejected) -> TryLater | Undeliverable:
        """Decide whether a rejected delivery can be retried; notify the member where it cannot."""
        resets = self.memory.get("begun_anew", 0)
        if rejected.code in FILE_GONE and resets < MAX_UPLOAD_RESETS:
            await self._reset_uploads()
            return TryLater(str(rejected))
        code = _failure_code(rejected)
        structlog.get_logger().warning("result-undeliverable", reason=str(rejected))
        if self.delivery.job.state is not JobState.CANCELLED and code != "app-gone":
            await self._notify_member(code)
        return Undeliverable(code if code != "app-gone" else "no-permission", str(rejected))

    # -- the message ---------------------------------------------------------

    async def _find_message(self) -> Mapping[str, str]:
        """The message to edit: the stored placeholder, one found on Slack, or a new one."""
        job = self.delivery.job
        stored = job.placeholder or self.memory.get("placeholder")
        if stored and "refused" in stored:
            raise Undeliverable("no-permission", f"the bot received {stored['refused']}")
        if stored:
            return dict(stored)
        order = job.order
        target = placeholders.placeholder_target(order.reply_to, order.member.id, order.private)
        found = await placeholders.find(self.web, target, job)
        if found is None:
            age = (datetime.now(UTC) - job.created_at).total_seconds()
            if age < PLACEHOLDER_WAIT:
                raise TryLater("the placeholder is not posted yet", after=PLACEHOLDER_RETRY)
            title = card(replace(job, pictures=()), self.localize).title
            found = await placeholders.post(
                self.web, target, job.id, escape(title), [blocks.section(title)]
            )
        await self._remember({"placeholder": found})
        return found

    async def _show(
        self, message: Mapping[str, str], job_card: Card, file_ids: Sequence[str], in_blocks: bool
    ) -> None:
        """Edit the message so that it shows the result.

        Image blocks show pictures large and beside their buttons. They need files that Slack has
        processed. Slack has also rejected them in `chat.update` for processed files, sometimes only
        briefly (python-slack-sdk issue 1511). In both cases the same edit attaches the files
        instead, with `file_ids` (https://docs.slack.dev/reference/methods/chat.update).
        """
        details: Sequence[str] = ("files-not-processed",)
        if not file_ids:
            await edit_message(self.web, message, job_card, (), self.localize)
            return
        if in_blocks:
            try:
                await files.retry_rejected_blocks(
                    lambda: edit_message(self.web, message, job_card, file_ids, self.localize)
                )
            except Rejected as rejected:
                if rejected.code not in files.BLOCKS_REFUSED:
                    raise
                details = rejected.details
            else:
                return
        structlog.get_logger().warning("pictures-attached-as-files", reason=details)
        await edit_message(self.web, message, job_card, (), self.localize, file_ids=list(file_ids))

    async def _clear_status(self) -> None:
        """Clear the app's status in an assistant thread."""
        place = self.delivery.job.order.reply_to
        if not str(place["channel"]).startswith("D") or not place.get("thread"):
            return
        try:
            await self.web.call(
                "assistant.threads.setStatus",
                channel_id=place["channel"],
                thread_ts=place["thread"],
                status="",
            )
        except SlackError as error:
            structlog.get_logger().debug("assistant-status-not-cleared", reason=str(error))

    # -- the files ---------------------------------------------------------

    async def _file(self, number: int, attachment: PictureAttachment, job_card: Card) -> str:
        """The Slack file of one picture; an earlier attempt's upload where it was completed."""
        name = f"file{number}"
        uploaded = self.memory.get(name)
        if uploaded and await files.exists(self.web, uploaded):
            return str(uploaded)
        suffix = attachment.picture.mime.rpartition("/")[2].replace("jpeg", "jpg")
        upload = files.Upload(
            f"atelier-{self.delivery.job.short}-{number + 1}.{suffix}",
            job_card.title,
            job_card.alt,
            attachment.data,
        )
        return await files.upload(
            self.web, upload, started=lambda file: self._remember({name: file})
        )

    async def _reset_uploads(self) -> None:
        """Forget uploads that Slack no longer has; the next attempt uploads the pictures again."""
        forgotten = {f"file{n}": None for n in range(len(self.delivery.attachments))}
        await self._remember({**forgotten, "begun_anew": self.memory.get("begun_anew", 0) + 1})

    async def _remember(self, values: Mapping[str, Any]) -> None:
        self.memory |= values
        await self.delivery.remember(values)

    # -- failures ---------------------------------------------------------

    async def _notify_member(self, code: str) -> None:
        """Send the failure to the member's direct messages, once."""
        if self.memory.get("told"):
            return
        await self._remember({"told": True})
        job = self.delivery.job
        why = sentence(Reason(code), self.localize)
        text = f"{card(job, self.localize).title}\n{self.localize('failed-prefix', why=why)}"
        try:
            await self.web.call(
                "chat.postMessage", channel=job.order.member.id, **blocks.message(text)
            )
        except SlackError as error:
            structlog.get_logger().warning("member-not-notified", reason=str(error))


def _failure_code(rejected: Rejected) -> str:
    """The job's failure code for a rejection; each but "app-gone" names a sentence."""
    if rejected.code in MESSAGE_GONE:
        return "message-gone"
    if rejected.code in APP_GONE:
        return "app-gone"
    if rejected.code in FILES_REFUSED:
        return "slack-no-files"
    if rejected.code in CHANNEL_ARCHIVED:
        return "channel-archived"
    if rejected.code == "not_in_channel" or rejected.code.startswith("restricted_action"):
        return "no-permission"
    return "channel-gone" if rejected.code in CHANNEL_UNAVAILABLE else "undeliverable"
