"""The page's routes: each calls one of core's use cases and answers in JSON."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from anyio import CapacityLimiter
from sse_starlette import EventSourceResponse, JSONServerSentEvent
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bots.core.cards import card
from bots.core.command_grammar import STUDIO_WORDS
from bots.core.command_handler import CommandHandler
from bots.core.commands import (
    ASPECTS,
    MAX_COUNT,
    MAX_PROMPT,
    BadCommand,
    Command,
    Delete,
    Details,
    Invocation,
    Upload,
)
from bots.core.locales import Localizer, localizer_for
from bots.core.model_notes import known_words
from bots.core.refusals import refusal
from bots.core.reply import Reply, ReplyKind
from bots.core.source_images import unusable_file
from bots.web.access_guard import Access, AccessPolicy, access_of, session_of
from bots.web.event_stream import EventBroadcaster, JobUpdate, Notice
from bots.web.examples import examples
from bots.web.locales import negotiate_locale
from bots.web.request_bodies import form_text, read_form, read_json_object
from bots.web.roles import member_of
from bots.web.sessions import Session, set_session_cookie
from bots.web.translate import (
    BadRequest,
    PromptForm,
    command_of,
    command_of_button,
    parse_uuid,
    place_of,
)
from bots.web.views import may_read, message_json, progress_json, progress_of, reply_json
from tasks.jobs.job import Job, Reason
from tasks.jobs.members import Member, Place

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
IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,80}")
NO_STORE = {"Cache-Control": "no-store"}
SMALL_FORM = 64 * 1024  # bytes
MAX_FORMS = 16  # forms with files that are received at once; each keeps up to 3 MB in memory
MAX_WAITING = 16  # further forms with files are refused
MAX_UPLOADS = 2  # forms whose files are in memory and decoded at once


@dataclass(frozen=True, slots=True)
class CommandRoutes:
    """The routes of commands and conversations."""

    handler: CommandHandler
    broadcaster: EventBroadcaster
    policy: AccessPolicy
    _forms: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(MAX_FORMS), init=False)
    _uploads: CapacityLimiter = field(
        default_factory=lambda: CapacityLimiter(MAX_UPLOADS), init=False
    )

    def routes(self) -> list[Route]:
        """Every route of the page's API."""
        return [
            Route("/api/welcome", self.welcome),
            Route("/api/conversation", self.conversation),
            Route("/api/quota", self.quota),
            Route("/api/messages", self.message, methods=["POST"]),
            Route("/api/actions", self.action, methods=["POST"]),
            Route("/api/stream", self.stream),
        ]

    async def welcome(self, request: Request) -> Response:
        """What the page needs to start, and its session."""
        locale = negotiate_locale(request)
        models = await self.handler.client.fleet.models()
        session = session_of(request) or self.policy.signer.issue()
        body = {
            "token": session.csrf_token,
            "operator": access_of(request) is Access.OPERATOR,
            "locale": locale,
            "channels": CHANNELS,
            "commands": COMMANDS,
            "studio": STUDIO_WORDS,
            "aspects": ASPECTS,
            "model": self.handler.model,
            "models": sorted({self.handler.model, *models}),
            "vocabularies": known_words({self.handler.model, *models}),
            "examples": examples(locale, self.handler.model),
            "limits": {
                "upload": self.handler.client.pictures.upload_bytes,
                "prompt": MAX_PROMPT,
                "count": MAX_COUNT,
            },
        }
        response = JSONResponse(body, headers=NO_STORE)
        set_session_cookie(response, session, secure=self.policy.secure)
        return response

    async def conversation(self, request: Request) -> Response:
        """The messages of a channel or thread, oldest first."""
        member, place = member_of(request), place_of(request.query_params)
        read_at = time.time_ns()
        jobs = await self.handler.client.jobs.in_place(place)
        jobs = [*await self._root(place), *jobs]
        localize = localizer_for(member.locale)
        for job in jobs:
            self.broadcaster.watch(job)
        visible = (job for job in jobs if may_read(job, member))
        messages = [message_json(card(job, localize), member, read_at) for job in visible]
        return JSONResponse({"messages": messages}, headers=NO_STORE)

    async def _root(self, place: Place) -> list[Job]:
        """The message that a thread started from, shown as the thread's first."""
        root = await self.handler.client.jobs.read(UUID(place.thread)) if place.thread else None
        if root is None or not _is_in_channel(root, place):
            return []
        return [replace(root, order=replace(root.order, place=place))]

    async def quota(self, request: Request) -> Response:
        """The member's remaining credits and waitlist position."""
        member = member_of(request)
        allowance = await self.handler.client.members.allowance(member)
        place = await self.handler.client.waitlist.place(member)
        locked = await self.handler.client.members.locked_features(member)
        body = {
            "left": allowance.left,
            "limit": allowance.limit,
            "tier": allowance.tier.value,
            "locked": {feature.value: tier.value for feature, tier in locked.items()},
            "waitlist": {
                "position": place.position,
                "invited_until": place.invited_until.isoformat() if place.invited_until else None,
            },
        }
        return JSONResponse(body, headers=NO_STORE)

    async def message(self, request: Request) -> Response:
        """Text from a prompt box, perhaps with pictures."""
        member = member_of(request)
        small = _is_small(request)
        if not small and self._forms.available_tokens < 1:
            return await _refuse_unread(request, Reason("too-many-uploads"), member)
        async with nullcontext() if small else self._forms, read_form(request) as values:
            place, key = place_of(values), _key(values)
            uploads = [each for each in values.values() if isinstance(each, UploadFile)]
            most = self.handler.client.pictures.upload_bytes
            if any((each.size or 0) > most for each in uploads):
                reply = file_too_large(localizer_for(member.locale), most)
                body = reply_json(reply, member, time.time_ns())
                return JSONResponse(body, status_code=413, headers=NO_STORE)
            if uploads and self._uploads.statistics().tasks_waiting >= MAX_WAITING:
                return _refuse(Reason("too-many-uploads"), member)
            thread_picture = await self._latest_picture_in_thread(place)
            async with self._uploads if uploads else nullcontext():
                command = command_of(await _read_form(values), thread_picture)
                return await self._answer(member, place, key, command)

    async def action(self, request: Request) -> Response:
        """A pressed button."""
        member = member_of(request)
        values = await read_json_object(request)
        command = command_of_button(values)
        return await self._answer(member, place_of(values), _key(values), command)

    async def stream(self, request: Request) -> Response:
        """Live events: `hello` at once, then `message`, `progress` and `notice`."""
        events = self._events(member_of(request), session_of(request))
        return EventSourceResponse(events, ping=15, send_timeout=30)

    async def _events(
        self, member: Member, session: Session | None
    ) -> AsyncIterator[JSONServerSentEvent]:
        """The events of a stream, until its session is signed out."""
        localize = localizer_for(member.locale)
        async with self.broadcaster.subscribe(member) as updates:
            yield JSONServerSentEvent({}, event="hello", retry=1000)
            async for update in updates:
                if session is not None and self.policy.signer.has_ended(session):
                    return
                if isinstance(update, Notice):
                    yield JSONServerSentEvent({"text": update.text}, event="notice")
                elif may_read(update.job, member):
                    yield _event(update, member, localize)

    async def _answer(
        self, member: Member, place: Place, key: str, command: Command | BadCommand
    ) -> Response:
        invocation = Invocation(
            member, place, f"web:{member.id}:{key}", moderator=member.administrator
        )
        read_at = time.time_ns()  # read first: what happens meanwhile is newer than the reply
        reply = await self.handler.answer(invocation, command)
        code = "details" if isinstance(command, Details) and reply.kind is ReplyKind.ANSWER else ""
        await self._publish(reply, command)
        return JSONResponse(reply_json(reply, member, read_at, code), headers=NO_STORE)

    async def _publish(self, reply: Reply, command: Command | BadCommand) -> None:
        """Update every other page at once."""
        if reply.kind is ReplyKind.PLACEHOLDER and reply.job:
            await self.broadcaster.refresh(reply.job.id)
        elif isinstance(command, Delete) and reply.kind is not ReplyKind.REFUSAL:
            await self.broadcaster.refresh(command.job)

    async def _latest_picture_in_thread(self, place: Place) -> UUID | None:
        if place.thread is None:
            return None
        newest = await self.handler.client.pictures.last(place)
        if newest is not None:
            return newest.id
        root = await self.handler.client.jobs.read(parse_uuid(place.thread))
        if root is None or not _is_in_channel(root, place):
            return None
        pictures = sorted(root.pictures, key=lambda picture: picture.deleted)
        return pictures[0].id if pictures else None  # a deleted one is refused


def file_too_large(localize: Localizer, upload_bytes: int) -> Reply:
    """The refusal of a file over the limit, which is never read."""
    return refusal(unusable_file("picture-too-large", upload_bytes), localize)


def _is_small(request: Request) -> bool:
    """Whether a form is so small that it needs no slot, as those with text alone are."""
    declared = request.headers.get("content-length", "")
    return declared.isdigit() and int(declared) <= SMALL_FORM


async def _refuse_unread(request: Request, reason: Reason, member: Member) -> Response:
    """Refuse a form without keeping it; a browser reads the answer only when it has sent all."""
    async for _chunk in request.stream():
        pass
    return _refuse(reason, member)


def _refuse(reason: Reason, member: Member) -> Response:
    reply = refusal(reason, localizer_for(member.locale))
    body = reply_json(reply, member, time.time_ns())
    return JSONResponse(body, status_code=429, headers=NO_STORE)


def _is_in_channel(job: Job, place: Place) -> bool:
    """Whether a job belongs to a channel of the playground, and to no other platform's."""
    own = job.order.place
    return (own.platform, own.workspace, own.channel) == (
        place.platform,
        place.workspace,
        place.channel,
    )


def _event(update: JobUpdate, member: Member, localize: Localizer) -> JSONServerSentEvent:
    job, event = update.job, update.event
    if event is None:
        body = message_json(card(job, localize), member, update.read_at)
        return JSONServerSentEvent(body, event="message")
    updated = card(job, localize, progress_of(event))
    return JSONServerSentEvent(progress_json(event, updated), event="progress")


def _key(values: Mapping[str, Any] | FormData) -> str:
    key = str(values.get("key") or "")
    if not IDEMPOTENCY_KEY.fullmatch(key):
        raise BadRequest("key: 1 to 80 printable ASCII characters")
    return key


async def _read_form(values: FormData) -> PromptForm:
    ids = [part for part in form_text(values, "sources").split(",") if part]
    target = form_text(values, "target")
    return PromptForm(
        text=form_text(values, "text"),
        action=form_text(values, "action"),
        target=parse_uuid(target) if target else None,
        sources=tuple(parse_uuid(each) for each in ids),
        reference=await _file(values, "reference"),
        source=await _file(values, "source"),
        mask=await _file(values, "mask"),
    )


async def _file(values: FormData, name: str) -> Upload | None:
    value = values.get(name)
    if value is None:
        return None
    if not isinstance(value, UploadFile):
        raise BadRequest(f"{name}: a file was expected")
    return Upload(await value.read(), (value.filename or name)[:100])
