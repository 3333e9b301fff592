"""What every listener shares to turn a member's action into a reply."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import structlog

from bots.core.command_handler import CommandHandler
from bots.core.commands import BadCommand, Command, Invocation, Upload
from bots.core.locales import Localizer, localizer_for
from bots.core.refusals import refusal
from bots.core.reply import Reply
from bots.core.source_images import UnusableImage, unusable_file
from bots.slack import files
from bots.slack.dedupe import Accepted, Deduplicator
from bots.slack.mrkdwn import mentioned_users, name_mentions
from bots.slack.replies import ReplyPoster
from bots.slack.reply_target import ReplyTarget
from bots.slack.response_url import responder
from bots.slack.roles import MemberDirectory
from bots.slack.transport import SlackError, Web
from bots.slack.workspaces import Workspaces
from tasks.client import Client, Unavailable
from tasks.jobs.job import Picture, Reason
from tasks.jobs.members import Member, Place

MAX_NAMES = 5  # members whose names one message looks up


@dataclass(slots=True)
class ListenerContext:
    """The services a listener needs. Built by the entry point."""

    handler: CommandHandler
    workspaces: Workspaces
    directory: MemberDirectory
    poster: ReplyPoster
    deduplicator: Deduplicator
    api_url: str

    @property
    def client(self) -> Client:
        """The client of the task queue."""
        return self.handler.client

    async def member(self, web: Web, user: str) -> Member:
        """A member with their current role, language and user groups."""
        return await self.directory.member(web, user)

    async def reply_target(self, body: Mapping[str, Any]) -> ReplyTarget:
        """Where an interaction happened; the member's direct messages where it had no channel."""
        # An organisation-wide installation sends no team of its own.
        team = (body.get("team") or {}).get("id") or body["user"]["team_id"]
        workspace_client = await self.workspaces.workspace_client(str(team))
        user = str(body["user"]["id"])
        channel = str((body.get("channel") or {}).get("id") or user)
        message = body.get("message") or {}
        container = body.get("container") or {}
        thread = container.get("thread_ts") or message.get("thread_ts") or message.get("ts")
        url = str(body.get("response_url") or "")
        respond = responder(workspace_client.web, url, self.api_url) if url else None
        return ReplyTarget(
            workspace_client, channel, user, str(thread) if thread else None, respond
        )

    async def invocation(
        self, reply_target: ReplyTarget, key: str, place: Place | None = None
    ) -> Invocation:
        """The member, the place and the idempotency key of a command."""
        member = await self.member(reply_target.web, reply_target.user)
        place = place or Place(
            "slack", reply_target.web.team, reply_target.channel, reply_target.thread
        )
        return Invocation(member, place, key, reply_target.reply_to, moderator=member.administrator)

    async def localizer(self, invocation: Invocation) -> Localizer:
        """The localizer of the member's language, even while the database is unavailable."""
        try:
            return await self.handler.localizer(invocation)
        except Unavailable:
            return localizer_for(invocation.member.locale)

    async def answer(
        self,
        invocation: Invocation,
        command: Command | BadCommand,
        reply_target: ReplyTarget,
        accepted: Accepted,
    ) -> Reply:
        """Execute a command and post the reply; sets `accepted` once the command is stored."""
        reply = await self.handler.answer(invocation, command)
        accepted.set()
        await self.post(reply, invocation, reply_target)
        return reply

    async def post(self, reply: Reply, invocation: Invocation, reply_target: ReplyTarget) -> None:
        """Post a reply; logs a reply that Slack rejects by every route."""
        try:
            await self.poster.post(
                reply, reply_target, invocation, await self.localizer(invocation)
            )
        except SlackError as error:
            structlog.get_logger().warning(
                "reply-not-posted", reason=str(error), team=reply_target.web.team
            )

    async def refuse(
        self, invocation: Invocation, reply_target: ReplyTarget, reason: Reason, accepted: Accepted
    ) -> None:
        """Post a refusal with its reason."""
        accepted.set()
        localize = await self.localizer(invocation)
        await self.post(refusal(reason, localize), invocation, reply_target)

    async def name_mentions(self, web: Web, text: str) -> str:
        """A message's text with mentions of members and channels as names."""
        users = mentioned_users(text)[:MAX_NAMES]
        names = await asyncio.gather(*(self.directory.display_name(web, user) for user in users))
        return name_mentions(text, dict(zip(users, names, strict=True)))

    def uploads(self, web: Web, sent: Sequence[Mapping[str, Any]]) -> tuple[Upload, ...]:
        """The files a member sent, downloaded once the member's rights are checked."""
        return tuple(
            Upload(name=str(file.get("name") or ""), fetch=partial(self._download, web, file))
            for file in sent
        )

    async def _download(self, web: Web, file: Mapping[str, Any]) -> bytes:
        most = self.client.pictures.upload_bytes
        try:
            return await files.download(web, file, self.api_url, most)
        except files.FileUnreadable as error:
            raise UnusableImage(unusable_file(error.code, most)) from error

    async def latest_picture(self, place: Place, user: str) -> Picture | None:
        """The picture an instruction in this thread applies to: its newest, or its root's."""
        newest = await self.client.pictures.last(place)
        if newest is not None or place.thread is None:
            return newest
        return await self.picture_of_message(place, place.thread, user)

    async def picture_of_message(self, place: Place, message: str, user: str) -> Picture | None:
        """The first picture of a message, in a thread or at its root.

        Orders from the Home tab are posted in direct messages but stored under the member's id.
        """
        channels = (place.channel, user) if place.channel.startswith("D") else (place.channel,)
        for channel in channels:
            conversation = Place(place.platform, place.workspace, channel)
            picture = await self.client.pictures.of_message(conversation, message)
            if picture is not None:
                return picture
        return None

    async def prompt_of_job(self, job: UUID, member: Member) -> str:
        """The prompt of a job; empty where the member may not see the job, or it is deleted."""
        found = await self.client.jobs.read(job)
        if found is None or not found.visible_to(member):
            return ""
        return found.order.request.prompt
