"""Cards, replies, pictures and progress as the JSON that the page reads."""

from __future__ import annotations

import base64
import math
from typing import Any
from uuid import UUID

from bots.core.commands import ASPECTS
from bots.core.reply import Action, Button, Card, Reply
from imaging.request import ImageRequest, Progress, Stage
from tasks.jobs.job import Job, JobEvent, Picture
from tasks.jobs.members import Member

EXPORT_URL = "/api/export"
_ENDING = frozenset({Action.CANCEL, Action.DELETE})


def message_json(card: Card, viewer: Member, read_at: int) -> dict[str, Any]:
    """A job's message for one viewer. `read_at` (ns) orders two readings of the same job."""
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
        "buttons": [button_json(button) for button in buttons_for(card, viewer)],
    }


def buttons_for(card: Card, viewer: Member) -> list[Button]:
    """The buttons that a viewer may press: only owners and administrators cancel or delete."""
    may_end = viewer.administrator or card.job.order.member.key == viewer.key
    return [each for each in card.buttons if may_end or each.action not in _ENDING]


def may_read(job: Job, viewer: Member) -> bool:
    """Whether a member may see a job: private results are visible to their owner only."""
    return not job.order.private or job.order.member.key == viewer.key


def flags_of(request: ImageRequest) -> list[str]:
    """The flags that would repeat the request when typed; the seed is shown with the details."""
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
    """The nearest named aspect; models round sizes to the multiples that they support."""

    def distance(aspect: str) -> float:
        across, down = map(int, aspect.split(":"))
        return abs(math.log(width / height) - math.log(across / down))

    return min(ASPECTS, key=distance)


def picture_json(picture: Picture, alt: str) -> dict[str, Any]:
    """A picture as the page reads it."""
    return {
        "id": str(picture.id),
        "url": f"/pictures/{picture.id}",
        "width": picture.width,
        "height": picture.height,
        "alt": alt,
    }


def button_json(button: Button) -> dict[str, Any]:
    """A button as the page reads it."""
    return {
        "action": button.action.value,
        "label": button.label,
        "target": str(button.target) if button.target else None,
        "index": button.index,
        "style": button.style.value,
    }


def reply_json(reply: Reply, viewer: Member, read_at: int, code: str = "") -> dict[str, Any]:
    """A reply as the page reads it; `code` replaces the reply's own."""
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
        "download": EXPORT_URL if reply.export else None,
        "message": message_json(reply.card, viewer, read_at) if in_place and reply.card else None,
    }


def _parent(picture: UUID | None) -> dict[str, str] | None:
    return {"id": str(picture), "url": f"/pictures/{picture}"} if picture else None


def progress_of(event: JobEvent) -> Progress:
    """The progress in an event; a stage that this version does not have counts as steps."""
    stage = Stage(event.stage) if event.stage in set(Stage) else Stage.STEPS
    return Progress(stage, event.step, event.steps, event.preview)


def progress_json(event: JobEvent, card: Card) -> dict[str, Any]:
    """`share` is None while there are no steps yet, for example while the model loads."""
    return {
        "job": str(event.job),
        "text": card.text,
        "share": card.bar if event.steps else None,
        "preview": base64.b64encode(event.preview).decode() if event.preview else None,
    }
