"""The page's routes: each acknowledges, calls one of core's use cases, and answers in JSON."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sse_starlette import EventSourceResponse, JSONServerSentEvent
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bots.core.cards import card
from bots.core.command import (
    ASPECTS,
    MAX_COUNT,
    MAX_PROMPT,
    Ask,
    BadCommand,
    Command,
    Delete,
    Details,
    Upload,
)
from bots.core.intake import unreadable
from bots.core.reasons import refusal
from bots.core.reply import Reply, ReplyKind
from bots.core.sentences import Sentences, speak
from bots.core.studio import Studio
from bots.web.examples import EXAMPLES
from bots.web.guard import keep_session, new_session, session_of, token_for
from bots.web.limits import UPLOAD_LIMIT
from bots.web.live import Feed, Happening, Whisper
from bots.web.locales import locale_of
from bots.web.roles import member_of
from bots.web.translate import (
    BadRequest,
    Form,
    command_of,
    command_of_button,
    identity,
    place_of,
)
from bots.web.views import may_read, message_json, progress_json, progress_of, reply_json
from tasks.job import Job
from tasks.members import Member, Place

CHANNELS = ("general", "gallery", "trials")
COMMANDS = (
    "imagine",
    "queue",
    "cancel",
    "quota",
    "history",
    "settings",
    "privacy",
    "waitlist",
    "help",
    "studio",
)
STUDIO_WORDS = ("doors", "capacity", "roles", "role", "grant", "block", "unblock", "words", "audit")
KEY = re.compile(r"[!-~]{1,80}")
FRESH = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class Desk:
    """The routes with what they need: the studio, and the feed of live events."""

    studio: Studio
    feed: Feed

    def routes(self) -> list[Route]:
        """Every route of the page's interface."""
        return [
            Route("/api/welcome", self.welcome),
            Route("/api/conversation", self.conversation),
            Route("/api/quota", self.quota),
            Route("/api/messages", self.message, methods=["POST"]),
            Route("/api/actions", self.action, methods=["POST"]),
            Route("/api/stream", self.stream),
        ]

    async def welcome(self, request: Request) -> Response:
        """What the page needs to begin, and its session."""
        locale = locale_of(request)
        models = await self.studio.client.models()
        session = session_of(request) or new_session()
        body = {
            "token": token_for(session),
            "locale": locale,
            "channels": CHANNELS,
            "commands": COMMANDS,
            "studio": STUDIO_WORDS,
            "aspects": ASPECTS,
            "models": sorted({self.studio.model, *models}),
            "examples": EXAMPLES[locale],
            "limits": {"upload": UPLOAD_LIMIT, "prompt": MAX_PROMPT, "count": MAX_COUNT},
        }
        response = JSONResponse(body, headers=FRESH)
        keep_session(response, session)
        return response

    async def conversation(self, request: Request) -> Response:
        """The messages of a channel or thread, oldest first."""
        member, place = member_of(request), place_of(request.query_params)
        read_at = time.time_ns()
        jobs = await self.studio.client.jobs_in(place)
        jobs = [*await self._root(place), *jobs]
        say = speak(member.locale)
        for job in jobs:
            self.feed.watch(job)
        read = (job for job in jobs if may_read(job, member))
        shown = [message_json(card(job, say), member, read_at) for job in read]
        return JSONResponse({"messages": shown}, headers=FRESH)

    async def _root(self, place: Place) -> list[Job]:
        """The message that a thread began with, shown as the thread's first."""
        root = await self.studio.client.job(UUID(place.thread)) if place.thread else None
        if root is None or root.order.place.channel != place.channel:
            return []
        return [replace(root, order=replace(root.order, place=place))]

    async def quota(self, request: Request) -> Response:
        """What is left of the member's credits, and where they stand on the waitlist."""
        member = member_of(request)
        allowance = await self.studio.client.allowance(member)
        place = await self.studio.client.waitlist_place(member)
        body = {
            "left": allowance.left,
            "limit": allowance.limit,
            "tier": allowance.tier.value,
            "waitlist": {
                "position": place.position,
                "invited_until": place.invited_until.isoformat() if place.invited_until else None,
            },
        }
        return JSONResponse(body, headers=FRESH)

    async def message(self, request: Request) -> Response:
        """Words from a prompt box, perhaps with pictures."""
        member = member_of(request)
        async with request.form(max_files=3, max_fields=12, max_part_size=256 * 1024) as values:
            place, key = place_of(values), _key(values)
            form = await _read(values)
        if any(len(file.data) > UPLOAD_LIMIT for file in form.files):
            refused = reply_json(too_large(speak(member.locale)), member, time.time_ns())
            return JSONResponse(refused, status_code=413, headers=FRESH)
        command = command_of(form, await self._picture_of_thread(place))
        return await self._answer(member, place, key, command)

    async def action(self, request: Request) -> Response:
        """A pressed button."""
        member = member_of(request)
        try:
            values = await request.json()
        except (ValueError, RecursionError):  # no JSON, or brackets in brackets without an end
            raise BadRequest("JSON was expected") from None
        if not isinstance(values, Mapping):
            raise BadRequest("a JSON object was expected")
        command = command_of_button(values)
        return await self._answer(member, place_of(values), _key(values), command)

    async def stream(self, request: Request) -> Response:
        """Live events: `hello` at once, then `message`, `progress` and `whisper` as they come."""
        return EventSourceResponse(self._events(member_of(request)), ping=15, send_timeout=30)

    async def _events(self, member: Member) -> AsyncIterator[JSONServerSentEvent]:
        say = speak(member.locale)
        async with self.feed.subscribe(member) as happenings:
            yield JSONServerSentEvent({}, event="hello", retry=1000)
            async for happening in happenings:
                if isinstance(happening, Whisper):
                    yield JSONServerSentEvent({"text": happening.text}, event="whisper")
                elif may_read(happening.job, member):
                    yield _event(happening, member, say)

    async def _answer(
        self, member: Member, place: Place, key: str, command: Command | BadCommand
    ) -> Response:
        ask = Ask(member, place, f"web:{member.id}:{key}", moderator=member.administrator)
        read_at = time.time_ns()  # before: what happens meanwhile is newer than the reply
        reply = await self.studio.answer(ask, command)
        code = "details" if isinstance(command, Details) and reply.kind is ReplyKind.ANSWER else ""
        await self._pass_on(reply, command)
        return JSONResponse(reply_json(reply, member, read_at, code), headers=FRESH)

    async def _pass_on(self, reply: Reply, command: Command | BadCommand) -> None:
        """Every other page sees at once what this one did."""
        if reply.kind is ReplyKind.PLACEHOLDER and reply.job:
            await self.feed.refresh(reply.job.id)
        elif isinstance(command, Delete) and reply.kind is not ReplyKind.REFUSAL:
            await self.feed.refresh(command.job)

    async def _picture_of_thread(self, place: Place) -> UUID | None:
        if place.thread is None:
            return None
        newest = await self.studio.client.last_picture(place)
        if newest is not None:
            return newest.id
        root = await self.studio.client.job(identity(place.thread))
        pictures = sorted(root.pictures if root else (), key=lambda picture: picture.deleted)
        return pictures[0].id if pictures else None  # a deleted one is refused, not forgotten


def too_large(say: Sentences) -> Reply:
    """The refusal of a file over the limit, which is never looked into."""
    return refusal(unreadable("picture-too-large", UPLOAD_LIMIT), say)


def _event(happening: Happening, member: Member, say: Sentences) -> JSONServerSentEvent:
    job, event = happening.job, happening.event
    if event is None:
        body = message_json(card(job, say), member, happening.read_at)
        return JSONServerSentEvent(body, event="message")
    shown = card(job, say, progress_of(event))
    return JSONServerSentEvent(progress_json(event, shown), event="progress")


def _key(values: Mapping[str, Any] | FormData) -> str:
    key = str(values.get("key") or "")
    if not KEY.fullmatch(key):
        raise BadRequest("key: up to 80 letters, digits and signs")
    return key


async def _read(values: FormData) -> Form:
    ids = [part for part in _text(values, "sources").split(",") if part]
    target = _text(values, "target")
    return Form(
        text=_text(values, "text"),
        action=_text(values, "action"),
        target=identity(target) if target else None,
        sources=tuple(identity(each) for each in ids),
        reference=await _file(values, "reference"),
        source=await _file(values, "source"),
        mask=await _file(values, "mask"),
    )


def _text(values: FormData, name: str) -> str:
    value = values.get(name, "")
    if not isinstance(value, str):
        raise BadRequest(f"{name}: text was expected")
    return value.replace("\0", " ")  # which no database takes


async def _file(values: FormData, name: str) -> Upload | None:
    value = values.get(name)
    if value is None:
        return None
    if not isinstance(value, UploadFile):
        raise BadRequest(f"{name}: a file was expected")
    return Upload(await value.read(), (value.filename or name)[:100])
