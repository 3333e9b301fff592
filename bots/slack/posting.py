"""Showing a core `Reply`: a placeholder for all, a whisper for one, pictures shown again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from bots.core.cards import card
from bots.core.command import Ask
from bots.core.invitations import Tell
from bots.core.line import LineKeeper, OutOfSight
from bots.core.reply import Attachment, Card, Reply, ReplyKind
from bots.core.sentences import Sentences
from bots.slack import blocks, files, placeholders
from bots.slack.mrkdwn import escape
from bots.slack.web import MESSAGE_GONE, PLACE_GONE, Limited, Lost, Refused, Web
from bots.slack.workspaces import Seat, Workspaces
from tasks.client import Client, Invitation
from tasks.job import Job, Picture

PLACEHOLDER_PAUSES = (1.0, 3.0, 0.0)  # seconds before a placeholder is looked for and tried again
OTHERS_TIME = (0.5, 1.0, 1.5)  # seconds that another process has to store what it posted
LONGEST_PAUSE = 20.0  # seconds; later the worker's courier sees to the placeholder itself

Respond = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Answers an interaction at its `response_url`; raises SlackFault."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where an answer goes. `thread` is None for a slash command; `respond` is there for
    interactions and works even where the app is no member of the channel."""

    seat: Seat
    channel: str
    user: str
    thread: str | None
    respond: Respond | None = None

    @property
    def direct(self) -> bool:
        """Whether nobody but the member reads here."""
        return self.channel.startswith(("D", "U", "W"))

    @property
    def reply_to(self) -> dict[str, Any]:
        """What the courier needs to find the place of the answer."""
        return {"channel": self.channel, "thread": self.thread, "user": self.user}


@dataclass(slots=True)
class Poster:
    """Posts answers. `keeper` goes on telling the place in line on the placeholders."""

    client: Client
    keeper: LineKeeper

    async def show(self, reply: Reply, where: Where, ask: Ask, say: Sentences) -> None:
        """Show an answer to those it is for."""
        if reply.kind is ReplyKind.PLACEHOLDER and reply.job is not None:
            await self._placeholder(reply, reply.job, where, ask, say)
        elif reply.kind is ReplyKind.PICTURE and reply.pictures:
            await self._pictures(reply, where, say)
        elif reply.attachment is not None:
            await self._file(reply.attachment, blocks.reply_text(reply), where)
        else:
            await self.whisper(reply, where, say)
            if reply.drawing is not None:
                await self._file(await reply.drawing(), reply.title, where)

    async def whisper(self, reply: Reply, where: Where, say: Sentences) -> None:
        """An answer for one member's eyes: as an ephemeral message, or in their direct messages.

        Raises SlackFault where no way is left.
        """
        shown = {"text": blocks.reply_text(reply), "blocks": blocks.reply_blocks(reply, say)}
        for way in self._ways(where):
            try:
                await way(shown)
            except Refused as refused:
                structlog.get_logger().info("an answer takes another way", why=str(refused))
            else:
                return

    def _ways(self, where: Where) -> Sequence[Respond]:
        web = where.seat.web

        async def in_thread(shown: Mapping[str, Any]) -> None:
            await web.call(
                "chat.postEphemeral",
                channel=where.channel,
                user=where.user,
                thread_ts=where.thread,
                **shown,
            )

        async def in_person(shown: Mapping[str, Any]) -> None:
            thread = where.thread if where.direct else None
            channel = where.channel if where.direct else where.user
            await web.call("chat.postMessage", channel=channel, thread_ts=thread, **shown)

        if where.direct:
            return (in_person,)
        if where.respond is None:
            return (in_thread, in_person)
        if where.thread is None:
            return (where.respond, in_person)
        return (in_thread, where.respond, in_person)

    # -- placeholders ---------------------------------------------------------

    async def _placeholder(
        self, reply: Reply, job: Job, where: Where, ask: Ask, say: Sentences
    ) -> None:
        """Post the job's message unless it stands already; then keep its place in line true."""
        spot = placeholders.spot_of(where.reply_to, where.user, reply.private)
        if reply.repeated and await self._stands(job):
            return
        try:
            found = await self._post_once(where.seat.web, spot, job, say, look_first=reply.repeated)
        except Refused as refused:
            await self._unpostable(refused, job, where, ask, say)
            return
        if found is None:
            # The worker's courier finds the message by its metadata, or posts its own.
            structlog.get_logger().warning("a placeholder could not be posted", job=str(job.id))
            return
        stands = await self.client.claim_placeholder(job.id, found)
        if stands.get("ts") != found["ts"]:
            await placeholders.take_back(where.seat.web, found)
        self.keeper.follow(job)

    async def _stands(self, job: Job) -> bool:
        """Whether an order that comes again has its message; another process may be posting it."""
        for pause in (*OTHERS_TIME, 0.0):
            now = await self.client.job(job.id)
            if now is None or now.placeholder or now.state.ended:
                return True
            await asyncio.sleep(pause)
        return False

    async def _post_once(
        self, web: Web, spot: placeholders.Spot, job: Job, say: Sentences, look_first: bool
    ) -> dict[str, str] | None:
        drawn = card(job, say)
        shown = blocks.card_blocks(drawn, (), say)
        look = look_first
        for pause in PLACEHOLDER_PAUSES:
            try:
                found = await placeholders.find(web, spot, job) if look else None
                return found or await placeholders.post(
                    web, spot, job.id, blocks.card_text(drawn), shown
                )
            except Lost:
                look = True
                await asyncio.sleep(pause)
            except Limited as limited:
                await asyncio.sleep(min(limited.after, LONGEST_PAUSE))
        return None

    async def _unpostable(
        self, refused: Refused, job: Job, where: Where, ask: Ask, say: Sentences
    ) -> None:
        """The app may not write here: the order is given up and the member is told."""
        structlog.get_logger().info("no place for a picture", job=str(job.id), why=str(refused))
        # The job may be drawn by now: then its courier need not look for a message.
        await self.client.set_placeholder(job.id, placeholders.refused(refused.code))
        await self.client.cancel(job.id, ask.member)
        told = Reply(ReplyKind.REFUSAL, say("slack-invite-me"), title=say("refusal-title"))
        await self.whisper(told, where, say)

    # -- pictures and files ---------------------------------------------------------

    async def _pictures(self, reply: Reply, where: Where, say: Sentences) -> None:
        web = where.seat.web
        ids = [await self._again(web, picture, reply) for picture in reply.pictures]
        alt = reply.card.alt if reply.card else reply.title
        shown = [blocks.section(escape(reply.text))]
        for number, file in enumerate(ids, 1):
            shown.append(blocks.picture_block(file, alt, reply.title, number, len(ids)))
        shown += blocks.button_rows(reply.buttons, say)
        spot = placeholders.spot_of(where.reply_to, where.user, reply.private)
        await files.taken(
            lambda: web.call(
                "chat.postMessage",
                patience=15.0,
                channel=spot.channel,
                thread_ts=spot.thread,
                text=blocks.reply_text(reply),
                blocks=shown,
            )
        )

    async def _again(self, web: Web, picture: Picture, reply: Reply) -> str:
        data = await self.client.read_blob(picture.blob)
        alt = reply.card.alt if reply.card else reply.title
        file = await files.upload(
            web, files.Upload(f"{picture.id.hex[-8:]}.png", reply.title, alt, data)
        )
        await files.wait_ready(web, file)
        return file

    async def _file(self, file: Attachment, words: str, where: Where) -> None:
        """A file for the member alone: in their direct messages."""
        web = where.seat.web
        opened = await web.call("chat.postMessage", channel=where.user, text=words)
        upload = files.Upload(file.name, file.name, file.name, file.data)
        await files.upload_into(web, upload, str(opened["channel"]), file.name)


async def redraw(web: Web, drawn: Card, say: Sentences, reserve: float = 0.0) -> None:
    """Draw a job's message anew without its pictures. Raises SlackFault."""
    placeholder = drawn.job.placeholder
    await web.call(
        "chat.update",
        reserve=reserve,
        patience=1.0 if reserve else 5.0,
        channel=placeholder["channel"],
        ts=placeholder["ts"],
        text=blocks.card_text(drawn),
        blocks=blocks.card_blocks(drawn, (), say),
    )


def inviter(workspaces: Workspaces) -> Tell:
    """Tells invitations in direct messages, or where those are refused, in the Place they asked
    from, for their eyes alone."""

    async def tell(invitation: Invitation, words: str) -> None:
        member, place = invitation.member, invitation.place
        seat = await workspaces.seat(member.workspace)
        text = escape(words)
        try:
            await seat.web.call("chat.postMessage", channel=member.id, text=text)
        except Refused:
            await seat.web.call(
                "chat.postEphemeral",
                channel=place.channel,
                user=member.id,
                thread_ts=place.thread,
                text=text,
            )

    return tell


def line_shower(
    workspaces: Workspaces, speak: Callable[[str], Sentences]
) -> Callable[[Card], Awaitable[None]]:
    """Shows a place in line; half of the rate is left for what cannot wait."""

    async def show(drawn: Card) -> None:
        order = drawn.job.order
        seat = await workspaces.seat(order.place.workspace)
        try:
            await redraw(seat.web, drawn, speak(order.member.locale), reserve=0.5)
        except Refused as refused:
            if refused.code in MESSAGE_GONE | PLACE_GONE:
                raise OutOfSight(refused.code) from None
            raise

    return show
