"""A job and its states: the nouns that bots and workers share.

    queued → running → delivering → done
       ↓        ↓           ↓
    cancelled, failed, refused

`refused` is a job whose member lost the right to it while it waited. A running job whose lease ends
goes back to `queued` with its attempt counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from imaging.request import ImageRequest
from tasks.members import Member, Place
from tasks.tiers import Tier


class JobState(StrEnum):
    """Where a job is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    DELIVERING = "delivering"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUSED = "refused"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to the job."""
        return self in ENDED


ENDED = frozenset({JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.REFUSED})

TRANSITIONS: Mapping[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset(
        {JobState.RUNNING, JobState.CANCELLED, JobState.REFUSED, JobState.FAILED}
    ),
    JobState.RUNNING: frozenset(
        {
            JobState.QUEUED,
            JobState.DELIVERING,
            JobState.CANCELLED,
            JobState.FAILED,
            JobState.REFUSED,
        }
    ),
    JobState.DELIVERING: frozenset({JobState.DONE, JobState.FAILED}),
    JobState.DONE: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
    JobState.REFUSED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for, before it is a job.

    `key` makes asking twice harmless: the platform's interaction or event id. `command` is the word
    the member used (imagine, edit, vary, upscale, blend). `reply_to` is what the platform's courier
    needs to find the place of the answer (interaction token, placeholder, thread …), plain JSON.
    """

    key: str
    command: str
    member: Member
    place: Place
    request: ImageRequest
    parent: UUID | None = None  # the picture this one is made from
    private: bool = False
    reply_to: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something did not happen: a stable code, and what its sentence needs."""

    code: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Estimate:
    """How long until the picture is there: half of all waits are under `p50`, nine in ten `p90`."""

    p50: timedelta
    p90: timedelta


@dataclass(frozen=True, slots=True)
class Line:
    """A job's place in line (1 is next) and how long that takes; None where nothing is known."""

    position: int
    estimate: Estimate | None


@dataclass(frozen=True, slots=True)
class Picture:
    """One finished picture and its lineage. `blob` is its name in blob storage."""

    id: UUID
    job: UUID
    index: int  # 0-based among the job's pictures
    blob: str
    mime: str
    width: int
    height: int
    seed: int
    parent: UUID | None
    instruction: str  # the prompt or instruction that made it
    request: ImageRequest
    created_at: datetime
    deleted: bool = False
    flagged: bool = False  # the safety check found it unfit


@dataclass(frozen=True, slots=True)
class Job:
    """One accepted order, as it stands in the record."""

    id: UUID
    order: Order
    tier: Tier
    state: JobState
    attempt: int
    cost: float  # credits
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    reason: Reason | None = None  # why it failed, was cancelled or refused
    line: Line | None = None  # while it is queued
    pictures: tuple[Picture, ...] = ()
    placeholder: Mapping[str, Any] = field(default_factory=dict)  # as the bot stored it
    degraded: Mapping[str, Any] | None = None  # what the doors made less: name → [asked, served]
    invited: bool = False  # let in by an invitation from the waitlist

    @property
    def short(self) -> str:
        """What people type to name this job: the last eight digits of its id."""
        return self.id.hex[-8:]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The order is now a job. `repeated` tells that this key had been accepted before."""

    job: Job
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The order is not taken; nothing was charged."""

    reason: Reason


class EventKind(StrEnum):
    """What a `JobEvent` tells."""

    LINE = "line"  # a new place in line or estimate
    PROGRESS = "progress"  # a step, with a preview now and then
    ENDED = "ended"  # done, failed, cancelled or refused; read the job for the rest


@dataclass(frozen=True, slots=True)
class JobEvent:
    """Something happened to a job. Events may be lost or repeated: the job's row is the truth."""

    kind: EventKind
    job: UUID
    platform: str
    channel: str
    state: JobState
    stage: str = ""
    step: int = 0
    steps: int = 0
    preview: bytes | None = None
