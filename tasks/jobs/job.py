"""A job and its states, shared by bots and workers.

    queued → running → delivering → done
       ↓        ↓           ↓
    cancelled, failed, refused

`refused` is a job whose member lost the entitlement while it waited. A running job whose lease
expires returns to `queued`; its attempt counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from imaging.request import ImageRequest
from tasks.jobs.members import Member, Place
from tasks.jobs.states import JobState
from tasks.jobs.tiers import Tier


@dataclass(frozen=True, slots=True)
class Order:
    """A request of a member, before it is a job.

    `key` is the idempotency key: the platform's interaction or event id. `command` is the word that
    the member used (imagine, edit, vary, upscale, blend). `reply_to` is what the platform's
    publisher needs to find the message to answer (interaction token, thread …), plain JSON.
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
    """Why something did not happen: a stable code and the variables of its sentence."""

    code: str
    details: Mapping[str, Any] = field(default_factory=dict)


class Pressure(StrEnum):
    """What makes waits grow."""

    PAID = "paid"  # more orders of heavier tiers
    FLEET = "fleet"  # fewer workers
    DEMAND = "demand"  # more orders of every tier


@dataclass(frozen=True, slots=True)
class Estimate:
    """Time until the picture is delivered: half of all waits are under `p50`, nine in ten `p90`."""

    p50: timedelta
    p90: timedelta


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """A job's place in line (1 is next) and its wait; None where no estimate exists."""

    position: int
    estimate: Estimate | None
    among: Tier | None = None  # the job's tier, where heavier tiers are served before it
    tier_position: int = 0  # the place in the tier's own queue, 1 is next
    pressure: Pressure | None = None  # what makes waits grow at the moment


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
    flagged: bool = False  # the safety check rejected it


@dataclass(frozen=True, slots=True)
class Job:
    """One accepted order, as stored in the database."""

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
    line: QueuePosition | None = None  # while it is queued
    pictures: tuple[Picture, ...] = ()
    placeholder: Mapping[str, Any] = field(default_factory=dict)  # as the bot stored it
    degraded: Mapping[str, Any] | None = None  # what degrading changed: name → [asked, served]
    invited: bool = False  # admitted by an invitation from the waitlist

    @property
    def short(self) -> str:
        """The short name that members type: the last eight digits of the id."""
        return self.id.hex[-8:]

    def in_workspace_of(self, member: Member) -> bool:
        """Whether the job belongs to the member's workspace; others do not learn that it exists."""
        owner = self.order.member
        return (owner.platform, owner.workspace) == (member.platform, member.workspace)

    def visible_to(self, member: Member) -> bool:
        """Whether a member may see the job: their own, or a public one of the same workspace."""
        mine = self.order.member.key == member.key
        return mine or (self.in_workspace_of(member) and not self.order.private)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The order is now a job; `repeated` where its key had been accepted before."""

    job: Job
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """The order is not taken; nothing was charged."""

    reason: Reason


class EventKind(StrEnum):
    """The kind of a `JobEvent`."""

    LINE = "line"  # a new queue position or estimate
    PROGRESS = "progress"  # a step, sometimes with a preview
    ENDED = "ended"  # done, failed, cancelled or refused; read the job for the rest


@dataclass(frozen=True, slots=True)
class JobEvent:
    """A change of a job. Events may be lost or repeated; the job's row is authoritative."""

    kind: EventKind
    job: UUID
    platform: str
    channel: str
    state: JobState
    stage: str = ""
    step: int = 0
    steps: int = 0
    preview: bytes | None = None
