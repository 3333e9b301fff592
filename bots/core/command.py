"""What a member asks, free of any platform: each command is one frozen dataclass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from tasks.client import Subject
from tasks.members import Member, Place
from tasks.tiers import DoorState, Tier

ASPECTS = ("1:1", "3:2", "2:3", "4:5", "16:9", "9:16")
MAX_COUNT = 4
MAX_PROMPT = 2000  # characters
FACTORS = (2, 4)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file a member sent, as bytes; it is checked before it is believed to be a picture."""

    data: bytes = field(repr=False)
    name: str = "picture"


Source = UUID | Upload
"""Where a picture comes from: one of Atelier's own (its id), or a file."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Who asks, where, and under which key: asking twice with one key is asking once.

    `key` is the platform's interaction or event id; `reply_to` is what the platform's courier needs
    to find the place of the answer, as plain JSON.
    """

    member: Member
    place: Place
    key: str
    reply_to: Mapping[str, Any] = field(default_factory=dict)
    moderator: bool = False  # may delete and cancel what others made here
    covers: bool = False  # this platform can show a picture covered until somebody opens it


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


@dataclass(frozen=True, slots=True)
class Edit:
    """A picture changed by an instruction; inside the mask alone where one is given."""

    source: Source
    instruction: str
    mask: Upload | None = None
    count: int | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Vary:
    """Pictures like this one; `strength` from 0 (the same) to 1 (anything)."""

    source: Source
    strength: float | None = None
    count: int | None = None


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


@dataclass(frozen=True, slots=True)
class Reroll:
    """The same order again with a new seed, and with another prompt where one is given."""

    job: UUID
    prompt: str | None = None


@dataclass(frozen=True, slots=True)
class Undo:
    """Show the picture that this one was made from."""

    picture: UUID


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
    """Tell the administrators about a picture."""

    job: UUID
    words: str = ""


@dataclass(frozen=True, slots=True)
class Queue:
    """My jobs that have not ended, with their place in line."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of my quota."""


@dataclass(frozen=True, slots=True)
class History:
    """My pictures, newest first."""

    limit: int = 10


@dataclass(frozen=True, slots=True)
class Settings:
    """My defaults: shown where `changes` is empty. A None value takes a default away."""

    changes: Mapping[str, str | int | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Privacy:
    """My data: everything as a file, or deleted once confirmed."""

    action: Literal["export", "delete"]
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Waitlist:
    """Join, leave or look at the waitlist."""

    action: Literal["join", "leave", "status"] = "status"


@dataclass(frozen=True, slots=True)
class Help:
    """What can be asked here, with examples."""


@dataclass(frozen=True, slots=True)
class StudioRole:
    """A role gives a tier from now on; None takes it away."""

    role: str
    tier: Tier | None


@dataclass(frozen=True, slots=True)
class StudioRoles:
    """Which role gives which tier."""


@dataclass(frozen=True, slots=True)
class StudioDoors:
    """The doors of a tier, a feature, everything or new members; all are shown where none is named.

    They are set where there is a state.
    """

    door: Subject | None = None
    state: DoorState | None = None


@dataclass(frozen=True, slots=True)
class StudioCapacity:
    """Queue, waits and workers now."""


@dataclass(frozen=True, slots=True)
class StudioBlock:
    """Block a member, or let them in again."""

    member: str
    blocked: bool = True


@dataclass(frozen=True, slots=True)
class StudioWords:
    """The server's forbidden words: shown, replaced, or tried on a sentence."""

    words: tuple[str, ...] | None = None
    trial: str | None = None


@dataclass(frozen=True, slots=True)
class StudioSettings:
    """The server's settings: shown where `changes` is empty."""

    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StudioAudit:
    """What administrators did."""

    limit: int = 20


@dataclass(frozen=True, slots=True)
class StudioGrant:
    """Give a member credits, or take some (a negative number), and say why."""

    member: str
    credits: float
    why: str = ""


PictureCommand = Imagine | Edit | Vary | Upscale | Blend | Reroll
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
)
Command = PictureCommand | AccountCommand | StudioCommand


class BadInput(StrEnum):
    """What can be wrong with what was typed; each is the name of a sentence."""

    PROMPT_EMPTY = "prompt-empty"
    PROMPT_TOO_LONG = "prompt-too-long"
    UNKNOWN_FLAG = "unknown-flag"
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
    NEEDS_PICTURE = "needs-picture"
    NEEDS_ROLE = "needs-role"
    NEEDS_MEMBER = "needs-member"
    BLEND_NEEDS_MORE = "blend-needs-more"


@dataclass(frozen=True, slots=True)
class BadCommand:
    """What was typed cannot be understood: why, and what the sentence about it needs."""

    code: BadInput
    details: Mapping[str, Any] = field(default_factory=dict)
