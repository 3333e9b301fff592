"""Platform-free commands, each a frozen dataclass."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from tasks.client import Outcome, Subject
from tasks.jobs.members import Member, Place
from tasks.jobs.tiers import DoorState, Tier

ASPECTS = ("1:1", "3:2", "2:3", "4:5", "16:9", "9:16")
MAX_COUNT = 4
MAX_PROMPT = 2000  # characters
MAX_SOURCES = 4
FACTORS = (2, 4)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that a member uploaded, not yet validated.

    `fetch` downloads one that is still on the platform; it may raise
    `bots.core.source_images.UnusableImage`.
    """

    data: bytes = field(default=b"", repr=False)
    name: str = ""
    fetch: Callable[[], Awaitable[bytes]] | None = field(default=None, repr=False)

    async def read(self) -> bytes:
        """The file's bytes. They are not kept: whoever needs them again downloads them again."""
        return self.data if self.fetch is None else await self.fetch()


Source = UUID | Upload
"""Where a picture comes from: the id of one of Atelier's own, or an uploaded file."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """Who sent a command, where, and under which idempotency key.

    `key` is the platform's interaction or event id: two invocations with one key are one command.
    `reply_to` is the JSON from which the platform's publisher finds where to post the result.
    """

    member: Member
    place: Place
    key: str
    reply_to: Mapping[str, Any] = field(default_factory=dict)
    moderator: bool = False  # may delete and cancel other members' jobs here
    covers: bool = False  # the platform can hide a picture until it is opened


@dataclass(frozen=True, slots=True)
class Imagine:
    """Pictures from a prompt, near a reference picture if there is one."""

    prompt: str
    aspect: str | None = None
    count: int | None = None
    model: str | None = None
    seed: int | None = None
    negative: str = ""
    reference: Source | None = None
    strength: float | None = None
    private: bool = False
    anyway: bool = False  # the member knows that the model does not know all words


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask whether words typed in a channel change the member's recent picture or mean a new one.

    `otherwise` is what they mean where there is no recent picture.
    """

    text: str
    otherwise: Imagine


@dataclass(frozen=True, slots=True)
class Choose:
    """Answer an `Ask`: change the recent picture, or make a new one."""

    question: UUID
    edit: bool


@dataclass(frozen=True, slots=True)
class DrawAnyway:
    """Draw a prompt that was asked about because the model doesn't know its words."""

    question: UUID


@dataclass(frozen=True, slots=True)
class Edit:
    """A picture changed by an instruction; inside the mask alone where one is given."""

    source: Source
    instruction: str
    mask: Upload | None = None
    count: int | None = None
    seed: int | None = None
    aspect: str | None = None
    model: str | None = None
    negative: str = ""
    strength: float | None = None


@dataclass(frozen=True, slots=True)
class Vary:
    """Pictures like this one; `strength` from 0 (the same) to 1 (anything)."""

    source: Source
    strength: float | None = None
    count: int | None = None
    aspect: str | None = None
    model: str | None = None
    seed: int | None = None
    negative: str = ""


@dataclass(frozen=True, slots=True)
class Upscale:
    """The same picture, two or four times as wide and high."""

    source: Source
    factor: int = 2


@dataclass(frozen=True, slots=True)
class Blend:
    """Two to four pictures made into one."""

    sources: tuple[Source, ...]
    prompt: str = ""
    aspect: str | None = None
    count: int | None = None
    model: str | None = None
    seed: int | None = None
    negative: str = ""
    strength: float | None = None


@dataclass(frozen=True, slots=True)
class Reroll:
    """The same order again with a new seed, and with another prompt or options where given.

    Without a job, the one that made `picture`; without either, the member's newest one.
    """

    job: UUID | None = None
    prompt: str | None = None
    aspect: str | None = None
    count: int | None = None
    model: str | None = None
    seed: int | None = None
    negative: str | None = None
    strength: float | None = None
    picture: UUID | None = None


@dataclass(frozen=True, slots=True)
class Undo:
    """Show the picture that this one was made from; by default the member's newest one."""

    picture: UUID | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop a job: by id, by the short name a member types, or the newest of one's own."""

    job: UUID | str | None = None


@dataclass(frozen=True, slots=True)
class Details:
    """Everything needed to make the picture again."""

    job: UUID


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a job's pictures."""

    job: UUID


@dataclass(frozen=True, slots=True)
class Report:
    """Report a picture."""

    job: UUID
    words: str = ""


@dataclass(frozen=True, slots=True)
class Queue:
    """List the member's active jobs with their place in line.

    With `cancelling`, ask which of them to cancel.
    """

    cancelling: bool = False


@dataclass(frozen=True, slots=True)
class Quota:
    """Show the member's quota."""


@dataclass(frozen=True, slots=True)
class History:
    """List the member's pictures, newest first."""

    limit: int = 10


@dataclass(frozen=True, slots=True)
class Settings:
    """Show the member's defaults, or apply `changes`; a None value removes a default."""

    changes: Mapping[str, str | int | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Privacy:
    """Export the member's data, or delete it once confirmed."""

    action: Literal["export", "delete"]
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Waitlist:
    """Join or leave the waitlist, or show the place on it."""

    action: Literal["join", "leave", "status"] = "status"


@dataclass(frozen=True, slots=True)
class Help:
    """List the commands, with examples."""


@dataclass(frozen=True, slots=True)
class StudioRole:
    """Map a role to a tier; None removes the mapping."""

    role: str
    tier: Tier | None


@dataclass(frozen=True, slots=True)
class StudioRoles:
    """List the roles that give a tier."""


@dataclass(frozen=True, slots=True)
class StudioDoors:
    """Set a door where there is a state; otherwise list the named door, or all of them.

    A door is that of a tier, a feature, new members, or everything.
    """

    door: Subject | None = None
    state: DoorState | None = None


@dataclass(frozen=True, slots=True)
class StudioCapacity:
    """Show the queue, the waits and the workers."""


@dataclass(frozen=True, slots=True)
class StudioBlock:
    """Block or unblock a member."""

    member: str
    blocked: bool = True


@dataclass(frozen=True, slots=True)
class StudioWords:
    """Show the server's forbidden words, replace them, or test a prompt against them."""

    words: tuple[str, ...] | None = None
    trial: str | None = None


@dataclass(frozen=True, slots=True)
class StudioSettings:
    """Show the server's settings, or apply `changes`."""

    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StudioAudit:
    """List what administrators did."""

    limit: int = 20


@dataclass(frozen=True, slots=True)
class StudioReports:
    """List the open reports."""


@dataclass(frozen=True, slots=True)
class StudioDecideReport:
    """Close a job's reports: keep its pictures, or remove them."""

    job: UUID
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class StudioShowReported:
    """Show a reported job's pictures to a moderator."""

    job: UUID


@dataclass(frozen=True, slots=True)
class StudioGrant:
    """Grant a member credits, or take some (a negative number), with a reason for the log."""

    member: str
    credits: float
    why: str = ""


PictureCommand = Imagine | Ask | Choose | DrawAnyway | Edit | Vary | Upscale | Blend | Reroll
AccountCommand = (
    Undo
    | Cancel
    | Details
    | Delete
    | Report
    | Queue
    | Quota
    | History
    | Settings
    | Privacy
    | Waitlist
    | Help
)
StudioCommand = (
    StudioRole
    | StudioRoles
    | StudioDoors
    | StudioCapacity
    | StudioBlock
    | StudioWords
    | StudioSettings
    | StudioAudit
    | StudioGrant
    | StudioReports
    | StudioDecideReport
    | StudioShowReported
)
Command = PictureCommand | AccountCommand | StudioCommand


class BadInput(StrEnum):
    """What can be wrong with typed input; each is the key of a message."""

    PROMPT_EMPTY = "prompt-empty"
    NOTHING_TO_DRAW = "nothing-to-draw"
    NOTHING_CHANGED = "nothing-changed"
    SEVERAL_WISHES = "several-wishes"
    PROMPT_TOO_LONG = "prompt-too-long"
    UNKNOWN_FLAG = "unknown-flag"
    NEAR_FLAG = "near-flag"
    FLAG_NEEDS_VALUE = "flag-needs-value"
    BAD_ASPECT = "bad-aspect"
    BAD_COUNT = "bad-count"
    BAD_SEED = "bad-seed"
    BAD_STRENGTH = "bad-strength"
    BAD_FACTOR = "bad-factor"
    BAD_LANGUAGE = "bad-language"
    BAD_SETTING = "bad-setting"
    BAD_TIER = "bad-tier"
    BAD_STATE = "bad-state"
    BAD_CREDITS = "bad-credits"
    UNKNOWN_COMMAND = "unknown-command"
    DELETE_BUTTON = "delete-button"
    PRIVACY_CHOICE = "privacy-choice"
    NUMBERED_BUTTON = "numbered-button"
    NEEDS_PICTURE = "needs-picture"
    SEVERAL_PICTURES = "several-pictures"
    NEEDS_ROLE = "needs-role"
    NEEDS_MEMBER = "needs-member"
    BLEND_NEEDS_MORE = "blend-needs-more"


@dataclass(frozen=True, slots=True)
class BadCommand:
    """Input that can't be understood: why, and the variables of the message about it."""

    code: BadInput
    details: Mapping[str, Any] = field(default_factory=dict)
