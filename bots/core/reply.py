"""What a platform shows: a `Reply` to the one who asked, and a `Card` for a job's message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from tasks.job import Job, Picture
from tasks.tiers import Tier


class ReplyKind(StrEnum):
    """What kind of answer this is."""

    PLACEHOLDER = "placeholder"  # a job began; show its card, which later becomes the result
    ANSWER = "answer"
    REFUSAL = "refusal"
    CONFIRM = "confirm"  # an answer with a button that must be pressed to go on
    PICTURE = "picture"  # stored pictures, shown again


class Action(StrEnum):
    """What a button does. A platform keeps the action and its target's id in the button."""

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


class Style(StrEnum):
    """How a button looks."""

    PRIMARY = "primary"
    PLAIN = "plain"
    DANGER = "danger"


@dataclass(frozen=True, slots=True)
class Button:
    """One button: `target` is the picture's id for VARY, UPSCALE, EDIT and UNDO, else the job's.

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
    """A job's message at one moment; `bar` is the share done (0–1) while it is running.

    A card of a job in progress has a cancel button; a finished one has neither bar nor cancel.
    """

    job: Job
    title: str  # the prompt, shortened
    text: str  # the state in a sentence
    tier: Tier
    alt: str  # describes the pictures, for people who do not see them
    bar: float | None = None
    pictures: tuple[Picture, ...] = ()
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. Private ones are for the eyes of the one who asked alone."""

    kind: ReplyKind
    text: str
    private: bool = True
    code: str = ""
    title: str = ""
    fields: tuple[Field, ...] = ()
    buttons: tuple[Button, ...] = ()
    pictures: tuple[Picture, ...] = ()
    attachment: Attachment | None = None
    card: Card | None = None
    drawing: Callable[[], Awaitable[Attachment]] | None = field(default=None, repr=False)
    """Draws a picture that goes with the words, for rooms that show one. May raise Unavailable."""
    repeated: bool = False  # this key was answered before: do not post a second placeholder

    @property
    def job(self) -> Job | None:
        """The job this reply is about."""
        return self.card.job if self.card else None
