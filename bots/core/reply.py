"""What a platform renders: a `Reply` to a member, and a `Card` for a job's message."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from tasks.client import Archive
from tasks.jobs.job import Job, Picture
from tasks.jobs.tiers import Tier

Export = Callable[[int], AsyncGenerator[Archive, None]]
"""A member's data as archives of at most so many bytes. See `tasks.client.export.Exports`."""


class ReplyKind(StrEnum):
    """How a platform presents a reply."""

    PLACEHOLDER = "placeholder"  # a job was accepted; its card later becomes the result
    ANSWER = "answer"
    REFUSAL = "refusal"
    CONFIRM = "confirm"  # an answer with a button to confirm
    PICTURE = "picture"  # stored pictures, shown again


class Action(StrEnum):
    """What a button does. A platform stores the action and the target's id in the button."""

    CANCEL = "cancel"
    VARY = "vary"
    UPSCALE = "upscale"
    EDIT = "edit"
    REROLL = "reroll"
    DETAILS = "details"
    DELETE = "delete"
    REPORT = "report"
    UNDO = "undo"
    JOIN_WAITLIST = "join-waitlist"
    CONFIRM_FORGET = "confirm-forget"
    REPORT_KEEP = "report-keep"
    REPORT_REMOVE = "report-remove"
    REPORT_BLOCK = "report-block"
    REPORT_SHOW = "report-show"
    EDIT_RECENT = "edit-recent"
    NEW_PICTURE = "new-picture"
    DRAW_ANYWAY = "draw-anyway"


class Style(StrEnum):
    """A button's appearance."""

    PRIMARY = "primary"
    PLAIN = "plain"
    DANGER = "danger"


@dataclass(frozen=True, slots=True)
class Button:
    """One button: `target` is the picture's id for VARY, UPSCALE, EDIT and UNDO, the question's for
    EDIT_RECENT, NEW_PICTURE and DRAW_ANYWAY, else the job's.

    `index` is the picture's number (1-based) where a job has several.
    """

    action: Action
    label: str
    target: UUID | None = None
    index: int | None = None
    style: Style = Style.PLAIN


@dataclass(frozen=True, slots=True)
class Field:
    """A name and its value, for lists of facts."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file sent with an answer."""

    name: str
    mime: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Card:
    """A job's message in its present state; `bar` is the share done (0–1) while it is running.

    A card of a job in progress has a cancel button; a finished one has neither bar nor cancel.
    """

    job: Job
    title: str  # the prompt, shortened
    text: str  # the state in a sentence
    tier: Tier
    alt: str  # alternative text of the pictures
    bar: float | None = None
    pictures: tuple[Picture, ...] = ()
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to a command. A private one is visible to the member alone."""

    kind: ReplyKind
    text: str
    private: bool = True
    code: str = ""
    title: str = ""
    fields: tuple[Field, ...] = ()
    buttons: tuple[Button, ...] = ()
    pictures: tuple[Picture, ...] = ()
    export: Export | None = field(default=None, repr=False)
    card: Card | None = None
    chart: Callable[[], Awaitable[Attachment]] | None = field(default=None, repr=False)
    """Renders a chart to show with the text, where a platform can. May raise Unavailable."""
    repeated: bool = False  # this key was handled before: don't post a second placeholder

    @property
    def job(self) -> Job | None:
        """The job this reply is about."""
        return self.card.job if self.card else None
