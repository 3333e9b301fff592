"""Translates the page's forms and JSON into commands."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from bots.core.command_parser import (
    parse,
    parse_about,
    parse_blend,
    parse_edit,
    parse_in_channel,
    parse_reroll,
)
from bots.core.commands import (
    BadCommand,
    BadInput,
    Cancel,
    Choose,
    Command,
    Delete,
    Details,
    DrawAnyway,
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
from bots.core.reply import Action
from bots.core.report_commands import command_of_action
from bots.web.roles import PLATFORM, WORKSPACE
from tasks.jobs.members import Place

CHANNEL = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class BadRequest(Exception):
    """A request that the page never sends; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class PromptForm:
    """What a prompt box sends: text, the action it belongs to, and perhaps files."""

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
    return Place(PLATFORM, WORKSPACE, channel, parse_uuid(thread).hex if thread else None)


def parse_uuid(value: object) -> UUID:
    """Parse an id. Raises BadRequest."""
    try:
        return UUID(str(value))
    except ValueError:
        raise BadRequest("an id was expected") from None


def command_of(  # noqa: PLR0911 - one return an action
    form: PromptForm, thread_picture: UUID | None = None
) -> Command | BadCommand:
    """The command of a submitted form. In a thread, text edits the thread's latest picture."""
    match form.action:
        case "edit":
            return _edit(form, form.source or form.target)
        case "blend":
            return parse_blend(form.text, form.sources)
        case "reroll" if form.target:
            return parse_reroll(form.text, form.target)
        case "":
            pass
        case _:
            raise BadRequest(f"action: {form.action} does not belong to a prompt box")
    if form.reference:
        command = parse(form.text)
        if isinstance(command, Imagine):
            return replace(command, reference=form.reference)
        return command
    if thread_picture:
        return parse_about(form.text, thread_picture)
    return parse_in_channel(form.text)


def _edit(form: PromptForm, source: Source | None) -> Command | BadCommand:
    if source is None:
        return BadCommand(BadInput.NEEDS_PICTURE)
    return parse_edit(form.text, source, mask=form.mask)


def command_of_button(values: Mapping[str, Any]) -> Command:
    """The command of a pressed button. Raises BadRequest."""
    action = values.get("action")
    maker = _BUTTONS.get(str(action))
    if str(action) in list(Action) and maker is None:
        about_report = command_of_action(Action(str(action)), parse_uuid(values.get("target")))
        if about_report is not None:
            return about_report
    if maker is None:
        raise BadRequest("action: no such button")
    return maker(values)


def _upscale(values: Mapping[str, Any]) -> Command:
    factor = values.get("factor")
    if not isinstance(factor, int):
        raise BadRequest("factor: 2 or 4")
    return Upscale(parse_uuid(values.get("target")), factor)


_BUTTONS: Mapping[str, Callable[[Mapping[str, Any]], Command]] = {
    "cancel": lambda values: Cancel(parse_uuid(values.get("target"))),
    "vary": lambda values: Vary(parse_uuid(values.get("target"))),
    "upscale": _upscale,
    "reroll": lambda values: Reroll(parse_uuid(values.get("target"))),
    "details": lambda values: Details(parse_uuid(values.get("target"))),
    "delete": lambda values: Delete(parse_uuid(values.get("target"))),
    "report": lambda values: Report(
        parse_uuid(values.get("target")), str(values.get("words") or "")[:1000]
    ),
    "undo": lambda values: Undo(parse_uuid(values.get("target"))),
    "join-waitlist": lambda _values: Waitlist("join"),
    "edit-recent": lambda values: Choose(parse_uuid(values.get("target")), edit=True),
    "new-picture": lambda values: Choose(parse_uuid(values.get("target")), edit=False),
    "draw-anyway": lambda values: DrawAnyway(parse_uuid(values.get("target"))),
    "confirm-forget": lambda _values: Privacy("delete", confirmed=True),
}
