"""One try at handing over one result: find its message, upload what is missing, show it all.

Everything here can be done again: an upload that is in no message is seen by nobody, the ids of
uploads are remembered before they are used, and the one visible step is an edit of a known message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import structlog

from bots.core.cards import card
from bots.core.reasons import sentence
from bots.core.reply import Card
from bots.core.sentences import Sentences, speak
from bots.slack import blocks, files, placeholders
from bots.slack.mrkdwn import escape
from bots.slack.web import (
    APP_GONE,
    FILE_GONE,
    FILES_REFUSED,
    MESSAGE_GONE,
    PLACE_GONE,
    Refused,
    SlackFault,
    Web,
)
from tasks.deliver import Enclosure, Parcel, Receipt, TryLater, Undeliverable
from tasks.job import JobState, Reason

PATIENCE_FOR_BOT = 30.0  # seconds that a bot has for posting the placeholder itself
LOOK_AGAIN = 2.0
MOST_ANEW = 3  # times that vanished uploads are made again


@dataclass(slots=True)
class Handover:
    """What one try knows and does."""

    web: Web
    parcel: Parcel
    say: Sentences = field(init=False)
    memory: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.say = speak(self.parcel.job.order.member.locale)
        self.memory = dict(self.parcel.memory)

    async def run(self) -> Receipt:
        """Find the message, upload what is missing, and show it all in one edit."""
        job = self.parcel.job
        spot = await self._message()
        drawn = card(job, self.say)
        ids = [
            await self._file(number, enclosure, drawn)
            for number, enclosure in enumerate(self.parcel.enclosures)
        ]
        ready = [await files.wait_ready(self.web, file) for file in ids]
        await self._show(spot, drawn, ids, in_blocks=all(ready))
        await self._end_status()
        return Receipt(spot["ts"])

    async def give_up(self, fault: Refused) -> TryLater | Undeliverable:
        """Slack will not take it: tell the member where that is possible."""
        if fault.code in FILE_GONE and self.memory.get("begun_anew", 0) < MOST_ANEW:
            await self._begin_anew()
            return TryLater(str(fault))
        code = _code(fault)
        structlog.get_logger().warning("a result cannot be posted", why=str(fault))
        if self.parcel.job.state is not JobState.CANCELLED and code != "app-gone":
            await self._tell(code)
        return Undeliverable(code if code != "app-gone" else "no-permission", str(fault))

    # -- the message ---------------------------------------------------------

    async def _message(self) -> Mapping[str, str]:
        """Where the result goes: the stored placeholder, one that is found, or one of our own."""
        job = self.parcel.job
        stored = job.placeholder or self.memory.get("placeholder")
        if stored and "refused" in stored:
            raise Undeliverable("no-permission", f"the bot met {stored['refused']}")
        if stored:
            return dict(stored)
        order = job.order
        spot = placeholders.spot_of(order.reply_to, order.member.id, order.private)
        found = await placeholders.find(self.web, spot, job)
        if found is None:
            age = (datetime.now(UTC) - job.created_at).total_seconds()
            if age < PATIENCE_FOR_BOT:
                raise TryLater("the placeholder is not posted yet", after=LOOK_AGAIN)
            drawn = card(replace(job, pictures=()), self.say)
            shown = [blocks.section(escape(drawn.title))]
            text = escape(drawn.title)
            found = await placeholders.post(self.web, spot, job.id, text, shown)
        await self._remember({"placeholder": found})
        return found

    async def _show(
        self, spot: Mapping[str, str], drawn: Card, ids: Sequence[str], in_blocks: bool
    ) -> None:
        """The edit that makes it visible.

        Image blocks show the pictures large and beside their buttons. They need files that Slack
        has processed, and Slack has refused them in `chat.update` for some that were
        (python-slack-sdk issue 1511), at times for a moment only; else the same edit attaches the
        files to the message instead, as `file_ids` are meant for
        (https://docs.slack.dev/reference/methods/chat.update).
        """
        why: Sequence[str] = ("Slack is still processing them",)
        if not ids:
            await draw(self.web, spot, drawn, (), self.say)
            return
        if in_blocks:
            try:
                await files.taken(lambda: draw(self.web, spot, drawn, ids, self.say))
            except Refused as fault:
                if fault.code not in files.BLOCKS_REFUSED:
                    raise
                why = fault.details
            else:
                return
        structlog.get_logger().warning("pictures are attached instead", why=why)
        await draw(self.web, spot, drawn, (), self.say, file_ids=list(ids))

    async def _end_status(self) -> None:
        """An assistant thread no longer says that the app is working."""
        place = self.parcel.job.order.reply_to
        if not str(place["channel"]).startswith("D") or not place.get("thread"):
            return
        try:
            await self.web.call(
                "assistant.threads.setStatus",
                channel_id=place["channel"],
                thread_ts=place["thread"],
                status="",
            )
        except SlackFault as fault:
            structlog.get_logger().debug("the status was not ended", why=str(fault))

    # -- the files ---------------------------------------------------------

    async def _file(self, number: int, enclosure: Enclosure, drawn: Card) -> str:
        """The Slack file of one picture: the one of an earlier try where it was finished."""
        name = f"file{number}"
        known = self.memory.get(name)
        if known and await files.usable(self.web, known):
            return str(known)
        suffix = enclosure.picture.mime.rpartition("/")[2].replace("jpeg", "jpg")
        upload = files.Upload(
            f"atelier-{self.parcel.job.short}-{number + 1}.{suffix}",
            drawn.title,
            drawn.alt,
            enclosure.data,
        )
        return await files.upload(
            self.web, upload, started=lambda file: self._remember({name: file})
        )

    async def _begin_anew(self) -> None:
        """Forget uploads that Slack does not have any more; the next try makes new ones."""
        forgotten = {f"file{n}": None for n in range(len(self.parcel.enclosures))}
        await self._remember({**forgotten, "begun_anew": self.memory.get("begun_anew", 0) + 1})

    async def _remember(self, what: Mapping[str, Any]) -> None:
        self.memory |= what
        await self.parcel.remember(what)

    # -- bad news ---------------------------------------------------------

    async def _tell(self, code: str) -> None:
        """Say in the member's direct messages that it could not be posted; once."""
        if self.memory.get("told"):
            return
        await self._remember({"told": True})
        job = self.parcel.job
        why = sentence(Reason(code), self.say)
        words = f"{card(job, self.say).title}\n{self.say('failed-prefix', why=why)}"
        try:
            await self.web.call("chat.postMessage", channel=job.order.member.id, text=escape(words))
        except SlackFault as fault:
            structlog.get_logger().warning("the member could not be told", why=str(fault))


async def draw(
    web: Web,
    spot: Mapping[str, Any],
    drawn: Card,
    ids: Sequence[str],
    say: Sentences,
    reserve: float = 0.0,
    **more: Any,
) -> None:
    """Edit a job's message into a card with these files. Raises SlackFault."""
    await web.call(
        "chat.update",
        patience=0.0 if reserve else 5.0,
        reserve=reserve,
        channel=spot["channel"],
        ts=spot["ts"],
        text=blocks.card_text(drawn),
        blocks=blocks.card_blocks(drawn, ids, say),
        **more,
    )


def _code(fault: Refused) -> str:
    """Our word for Slack's refusal; each is the name of a sentence, but for the app's own end."""
    if fault.code in MESSAGE_GONE:
        return "message-gone"
    if fault.code in APP_GONE:
        return "app-gone"
    if fault.code in FILES_REFUSED:
        return "slack-no-files"
    if fault.code == "not_in_channel" or fault.code.startswith("restricted_action"):
        return "no-permission"
    return "channel-gone" if fault.code in PLACE_GONE else "undeliverable"
