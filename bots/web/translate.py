"""Forms and JSON of the page into commands; replies and cards into JSON for the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from bots.core.command import (
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
from bots.core.grammar import parse, takes_back
from bots.web.roles import PLATFORM, WORKSPACE
from tasks.members import Place

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
        undone = takes_back(form.text)
        return Undo(thread_picture) if undone else _edit(form, thread_picture)
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
