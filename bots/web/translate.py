"""Forms and JSON of the page into commands; replies and cards into JSON for the page."""

from __future__ import annotations

import base64
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from bots.core.command import (
    ASPECTS,
    BadCommand,
    BadInput,
    Blend,
    Cancel,
    Command,
    Delete,
    Details,
    Edit,
    Imagine,
    Privacy,
    Report,
    Reroll,
    Source,
    Undo,
    Upload,
    Upscale,
    Vary,
    Waitlist,
)
from bots.core.flags import parse_prompt
from bots.core.grammar import parse
from bots.core.reply import Button, Card, Reply
from bots.web.roles import PLATFORM, WORKSPACE
from imaging.request import ImageRequest
from tasks.job import Job, JobState, Picture
from tasks.members import Member, Place

CHANNEL = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class BadRequest(Exception):
    """The page sent something that it never sends; the message says what."""


@dataclass(frozen=True, slots=True)
class Form:
    """What a prompt box sends: words, what is meant by them, and perhaps files."""

    text: str
    action: str = ""
    target: UUID | None = None
    sources: tuple[UUID, ...] = ()
    reference: Upload | None = None
    source: Upload | None = None
    mask: Upload | None = None

    @property
    def files(self) -> tuple[Upload, ...]:
        """Every file that was sent."""
        return tuple(file for file in (self.reference, self.source, self.mask) if file)


def place_of(values: Mapping[str, Any]) -> Place:
    """The channel or thread named in a query or form. Raises BadRequest."""
    channel = str(values.get("channel") or "")
    if not CHANNEL.fullmatch(channel):
        raise BadRequest("channel: lower-case letters, digits and dashes, up to 40")
    thread = values.get("thread")
    return Place(PLATFORM, WORKSPACE, channel, identity(thread).hex if thread else None)


def identity(value: object) -> UUID:
    """An id of ours. Raises BadRequest."""
    try:
        return UUID(str(value))
    except ValueError:
        raise BadRequest("an id was expected") from None


def command_of(form: Form, thread_picture: UUID | None = None) -> Command | BadCommand:
    """What the words in a box mean. In a thread they are an edit of its newest picture."""
    match form.action:
        case "edit":
            return _edit(form, form.source or form.target)
        case "blend":
            return Blend(form.sources, form.text.strip())
        case "reroll" if form.target:
            return Reroll(form.target, form.text.strip() or None)
        case "":
            pass
        case _:
            raise BadRequest(f"action: {form.action} is none of a prompt box")
    if thread_picture and not form.reference and not form.text.lstrip().startswith("/"):
        return _edit(form, thread_picture)
    command = parse(form.text)
    if form.reference and isinstance(command, Imagine):
        return replace(command, reference=form.reference)
    return command


def _edit(form: Form, source: Source | None) -> Command | BadCommand:
    if source is None:
        return BadCommand(BadInput.NEEDS_PICTURE)
    prompt = parse_prompt(form.text)
    if isinstance(prompt, BadCommand):
        return prompt
    return Edit(source, prompt.words, form.mask, prompt.count, prompt.seed)


def command_of_button(values: Mapping[str, Any]) -> Command:
    """What a pressed button means. Raises BadRequest."""
    action = values.get("action")
    maker = _BUTTONS.get(str(action))
    if maker is None:
        raise BadRequest("action: no such button")
    return maker(values)


def _upscale(values: Mapping[str, Any]) -> Command:
    factor = values.get("factor")
    if not isinstance(factor, int):
        raise BadRequest("factor: 2 or 4")
    return Upscale(identity(values.get("target")), factor)


_BUTTONS: Mapping[str, Callable[[Mapping[str, Any]], Command]] = {
    "cancel": lambda values: Cancel(identity(values.get("target"))),
    "vary": lambda values: Vary(identity(values.get("target"))),
    "upscale": _upscale,
    "reroll": lambda values: Reroll(identity(values.get("target"))),
    "details": lambda values: Details(identity(values.get("target"))),
    "delete": lambda values: Delete(identity(values.get("target"))),
    "report": lambda values: Report(
        identity(values.get("target")), str(values.get("words") or "")[:1000]
    ),
    "undo": lambda values: Undo(identity(values.get("target"))),
    "join-waitlist": lambda _values: Waitlist("join"),
    "confirm-forget": lambda _values: Privacy("delete", confirmed=True),
}


def message_json(card: Card, viewer: Member, read_at: int) -> dict[str, Any]:
    """A job's message for one viewer. `read_at` (ns) tells which of two readings is the newer."""
    job = card.job
    order, request = job.order, job.order.request
    return {
        "id": str(job.id),
        "read_at": read_at,
        "channel": order.place.channel,
        "thread": str(UUID(order.place.thread)) if order.place.thread else None,
        "author": {"id": order.member.id, "name": order.member.name},
        "mine": order.member.key == viewer.key,
        "private": order.private,
        "tier": job.tier.value,
        "command": order.command,
        "title": card.title,
        "prompt": request.prompt,
        "flags": flags_of(request),
        "sources": bool(request.sources),
        "count": request.count,
        "width": request.width,
        "height": request.height,
        "state": job.state.value,
        "ended": job.state.ended,
        "text": card.text,
        "bar": card.bar,
        "line": {"position": job.line.position} if job.line else None,
        "created_at": job.created_at.isoformat(),
        "pictures": [picture_json(picture, card.alt) for picture in card.pictures],
        "parent": _parent(order.parent),
        "buttons": [button_json(button) for button in card.buttons],
    }


def may_read(job: Job, viewer: Member) -> bool:
    """Private results are for their owner's eyes alone."""
    return not job.order.private or job.order.member.key == viewer.key


def flags_of(request: ImageRequest) -> list[str]:
    """The flags with which the same could be typed again; a seed is among the details."""
    flags = []
    aspect = aspect_of(request.width, request.height)
    if aspect != "1:1":
        flags.append(f"--ar {aspect}")
    if request.count > 1:
        flags.append(f"--count {request.count}")
    if request.strength is not None:
        flags.append(f"--strength {request.strength:g}")
    if request.negative:
        flags.append(f"--no {request.negative}")
    return flags


def aspect_of(width: int, height: int) -> str:
    """The nearest of the known aspects; models round sizes to what they can draw."""

    def distance(aspect: str) -> float:
        across, down = map(int, aspect.split(":"))
        return abs(math.log(width / height) - math.log(across / down))

    return min(ASPECTS, key=distance)


def picture_json(picture: Picture, alt: str) -> dict[str, Any]:
    """A picture as the page shows it."""
    return {
        "id": str(picture.id),
        "url": f"/pictures/{picture.id}",
        "width": picture.width,
        "height": picture.height,
        "alt": alt,
    }


def button_json(button: Button) -> dict[str, Any]:
    """A button as the page shows it."""
    return {
        "action": button.action.value,
        "label": button.label,
        "target": str(button.target) if button.target else None,
        "index": button.index,
        "style": button.style.value,
    }


def reply_json(reply: Reply, viewer: Member, code: str = "") -> dict[str, Any]:
    """A reply as the page shows it; `code` names it in place of core's."""
    file = reply.attachment
    in_place = reply.card is not None and reply.kind == "placeholder"
    return {
        "kind": reply.kind.value,
        "code": code or reply.code,
        "text": reply.text,
        "title": reply.title,
        "private": reply.private,
        "fields": [{"name": field.name, "value": field.value} for field in reply.fields],
        "buttons": [button_json(button) for button in reply.buttons],
        "pictures": [picture_json(each, each.instruction) for each in reply.pictures],
        "attachment": {
            "name": file.name,
            "mime": file.mime,
            "data": base64.b64encode(file.data).decode(),
        }
        if file
        else None,
        "message": message_json(reply.card, viewer, time.time_ns())
        if in_place and reply.card
        else None,
    }


def is_waiting(job: Job) -> bool:
    """Whether the job's message still changes."""
    return job.state in (JobState.QUEUED, JobState.RUNNING, JobState.DELIVERING)


def _parent(picture: UUID | None) -> dict[str, str] | None:
    return {"id": str(picture), "url": f"/pictures/{picture}"} if picture else None
