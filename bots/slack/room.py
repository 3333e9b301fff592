"""The room: what every listener shares to turn something a member did into an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from bots.core.command import Ask, BadCommand, Command, Upload
from bots.core.reasons import refusal
from bots.core.reply import Reply
from bots.core.sentences import Sentences, speak
from bots.core.studio import Studio
from bots.slack import files
from bots.slack.answers import responder
from bots.slack.once import Accepted, Once
from bots.slack.posting import Poster, Where
from bots.slack.roles import Directory
from bots.slack.translate import MAX_FILES
from bots.slack.web import SlackFault, Web
from bots.slack.workspaces import Workspaces
from imaging.formats import LIMITS
from tasks.client import Client, Unavailable
from tasks.job import Picture, Reason
from tasks.members import Member, Place


@dataclass(slots=True)
class Room:
    """Everything a listener needs. Built by the entry point."""

    studio: Studio
    workspaces: Workspaces
    directory: Directory
    poster: Poster
    once: Once
    api_url: str

    @property
    def client(self) -> Client:
        """The door to the jobs."""
        return self.studio.client

    async def member(self, web: Web, user: str) -> Member:
        """Who this is now."""
        return await self.directory.member(web, user)

    async def where(self, body: Mapping[str, Any]) -> Where:
        """Where an interaction happened; in the member's own messages where in no channel."""
        # Where the app is installed for a whole organisation, there is no team but the member's.
        team = (body.get("team") or {}).get("id") or body["user"]["team_id"]
        seat = await self.workspaces.seat(str(team))
        user = str(body["user"]["id"])
        channel = str((body.get("channel") or {}).get("id") or user)
        message = body.get("message") or {}
        container = body.get("container") or {}
        thread = container.get("thread_ts") or message.get("thread_ts") or message.get("ts")
        url = str(body.get("response_url") or "")
        respond = responder(seat.web, url, self.api_url) if url else None
        return Where(seat, channel, user, str(thread) if thread else None, respond)

    async def ask(self, where: Where, key: str, place: Place | None = None) -> Ask:
        """Who asks, where, under which key."""
        member = await self.member(where.seat.web, where.user)
        here = place or Place("slack", where.seat.web.team, where.channel, where.thread)
        return Ask(member, here, key, where.reply_to, moderator=member.administrator)

    async def say(self, ask: Ask) -> Sentences:
        """The member's language, even while the record cannot be asked."""
        try:
            return await self.studio.say(ask)
        except Unavailable:
            return speak(ask.member.locale)

    async def answer(
        self, ask: Ask, command: Command | BadCommand, where: Where, accepted: Accepted
    ) -> Reply:
        """Carry a command out and show the answer; `accepted` is set once it is in the record."""
        reply = await self.studio.answer(ask, command)
        accepted.set()
        await self.show(reply, ask, where)
        return reply

    async def show(self, reply: Reply, ask: Ask, where: Where) -> None:
        """Show an answer; where Slack takes it in no way, that is logged."""
        try:
            await self.poster.show(reply, where, ask, await self.say(ask))
        except SlackFault as fault:
            structlog.get_logger().warning(
                "an answer could not be shown", why=str(fault), team=where.seat.web.team
            )

    async def refuse(self, ask: Ask, where: Where, reason: Reason, accepted: Accepted) -> None:
        """Show why not."""
        accepted.set()
        await self.show(refusal(reason, await self.say(ask)), ask, where)

    async def uploads(self, web: Web, listed: Sequence[Mapping[str, Any]]) -> tuple[Upload, ...]:
        """The files a member sent, as bytes. Raises files.FileUnreadable."""
        return tuple(
            [
                Upload(
                    await files.read(web, file, self.api_url, LIMITS.bytes),
                    str(file.get("name") or "picture"),
                )
                for file in listed[:MAX_FILES]
            ]
        )

    async def picture_in(self, place: Place, user: str) -> Picture | None:
        """What an instruction in this thread is about: its newest picture, or its root's."""
        newest = await self.client.last_picture(place)
        if newest is not None or place.thread is None:
            return newest
        return await self.picture_at(place, place.thread, user)

    async def picture_at(self, place: Place, message: str, user: str) -> Picture | None:
        """The first picture of a message, whether it stands in a thread or heads one.

        What was ordered from the Home tab is posted in direct messages, but belongs to the member.
        """
        channels = (place.channel, user) if place.channel.startswith("D") else (place.channel,)
        for channel in channels:
            here = Place(place.platform, place.workspace, channel)
            found = await self.client.picture_of_message(here, message)
            if found is not None:
                return found
        return None

    async def prompt_of(self, job: UUID) -> str:
        """The prompt of a job; empty where it is not known any more."""
        found = await self.client.job(job)
        return found.order.request.prompt if found else ""
