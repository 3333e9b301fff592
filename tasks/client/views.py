"""What the studio tells about itself and its members: plain values for bots to show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tasks.jobs.model_fault import ModelFault
from tasks.jobs.tiers import DoorState, Tier
from tasks.policy.door_overrides import Subject
from tasks.queue.device_use import DeviceUse
from tasks.store.estimates import EstimateAccuracy


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a quota. `returns` lists when credits come back: (moment, credits)."""

    tier: Tier
    limit: float
    left: float
    held: float  # reserved by jobs that are not delivered yet
    window: timedelta
    returns: Sequence[tuple[datetime, float]]
    relaxed: bool  # past the quota the member goes on, slower
    pool_left: float | None = None  # of the workspace's shared pool, where the tier has one


@dataclass(frozen=True, slots=True)
class WorkspaceSettings:
    """What an administrator has set for a server; None means the default."""

    default_tier: Tier = Tier.FREE
    language: str | None = None
    channels: frozenset[str] = frozenset()  # empty: every channel
    nsfw: str = "refuse"  # refuse | spoiler | allow
    largest_megapixels: float | None = None
    visibility: str = "public"  # public | private
    reports_channel: str | None = None  # where new reports are posted


@dataclass(frozen=True, slots=True)
class Doors:
    """A tier's doors: what was set, what holds now, and whether it is degrading first."""

    tier: Tier
    set_to: DoorState
    now: DoorState
    degraded: bool = False
    predicted_wait: timedelta | None = None


@dataclass(frozen=True, slots=True)
class AnyDoors:
    """Any door as the operator sees it: of a tier, a feature, everything, or new members."""

    subject: Subject
    usual: DoorState  # as the file has it
    everywhere: DoorState | None  # as the operator has set it by hand
    servers: Mapping[str, DoorState]  # `platform:workspace` → as its administrators have set it
    now: DoorState  # in the server that was asked for, else where a server has set nothing
    degraded: bool
    predicted_wait: timedelta | None  # what an automatic door follows; None where nobody knows


@dataclass(frozen=True, slots=True)
class TierLoad:
    """One tier's share of the moment."""

    tier: Tier
    queued: int
    running: int
    backlog_seconds: float
    wait_p50: timedelta | None
    wait_p90: timedelta | None


@dataclass(frozen=True, slots=True)
class WorkerLoad:
    """A live worker and what it does."""

    name: str
    profiles: Sequence[str]
    device: str
    running: int
    slots: int
    seconds_per_picture: Mapping[str, float]
    seen_at: datetime
    device_use: DeviceUse = field(default_factory=DeviceUse)
    model_faults: Mapping[str, ModelFault] = field(default_factory=dict)  # by model


@dataclass(frozen=True, slots=True)
class Capacity:
    """The studio at a glance, for administrators."""

    tiers: Sequence[TierLoad]
    workers: Sequence[WorkerLoad]
    doors: Sequence[Doors]
    waitlist: int
    calibration: Mapping[str, float]  # tier → share of members served within their p90
    at: datetime
    accuracy: Sequence[EstimateAccuracy] = ()  # of the last day, by tier and age of the surge


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Something an administrator did."""

    at: datetime
    actor: str
    action: str
    details: Mapping[str, Any]
