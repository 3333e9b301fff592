"""The one door from bots to jobs. Async outside; every call is one short transaction in a thread.

Bots hold a `Client` and nothing else of this package's inside: no SQL, no Celery, no Redis.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tasks.job import Accepted, Job, JobEvent, Line, Order, Picture, Reason, Refused
from tasks.members import Member, Place
from tasks.tiers import DoorState, Entitlement, Feature, Tier


class Unavailable(Exception):
    """The record cannot be reached just now, also after some tries; nothing was taken or charged."""


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
class WaitlistPlace:
    """Where a member stands on the waitlist; `invited_until` is set while an invitation is open."""

    position: int | None
    joined_at: datetime | None
    invited_until: datetime | None


@dataclass(frozen=True, slots=True)
class WorkspaceSettings:
    """What an administrator has set for a server; None means the default."""

    default_tier: Tier = Tier.FREE
    language: str | None = None
    channels: frozenset[str] = frozenset()  # empty: every channel
    nsfw: str = "refuse"  # refuse | spoiler | allow
    largest_megapixels: float | None = None
    visibility: str = "public"  # public | private


@dataclass(frozen=True, slots=True)
class Doors:
    """A tier's doors: what was set, what holds now, and whether it is degrading first."""

    tier: Tier
    set_to: DoorState
    now: DoorState
    degraded: bool = False
    predicted_wait: timedelta | None = None


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


@dataclass(frozen=True, slots=True)
class Capacity:
    """The studio at a glance, for administrators."""

    tiers: Sequence[TierLoad]
    workers: Sequence[WorkerLoad]
    doors: Sequence[Doors]
    waitlist: int
    calibration: Mapping[str, float]  # tier → share of members served within their p90
    at: datetime


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Something an administrator did."""

    at: datetime
    actor: str
    action: str
    details: Mapping[str, Any]


class Client:
    """All that a bot may ask of the studio. Build one per process with `tasks.client.connect`."""

    # -- orders ---------------------------------------------------------------------------------

    async def submit(self, order: Order) -> Accepted | Refused:
        """Admission, in one transaction. The same `order.key` gives the same job again."""
        raise NotImplementedError

    async def set_placeholder(self, job: UUID, placeholder: Mapping[str, Any]) -> None:
        """Record where the job's answer will stand (message id …), as plain JSON."""
        raise NotImplementedError

    def edit_fence(self, job: UUID) -> AbstractAsyncContextManager[Job | None]:
        """Hold off the worker's courier while a bot edits the placeholder of a job that still waits.

        Gives the job while it is queued, or None when it has begun or ended: then do not edit.
        """
        raise NotImplementedError

    async def job(self, job: UUID) -> Job | None:
        """The job with its pictures, and its line while queued."""
        raise NotImplementedError

    async def find_job(self, member: Member, short: str) -> Job | None:
        """One of the member's own jobs by its short name."""
        raise NotImplementedError

    async def line(self, job: UUID) -> Line | None:
        """Place in line and estimate of a queued job; None once it is not."""
        raise NotImplementedError

    async def active_jobs(self, member: Member) -> Sequence[Job]:
        """The member's jobs that have not ended, oldest first."""
        raise NotImplementedError

    async def waiting_jobs(self, platform: str) -> Sequence[Job]:
        """Every queued job of a platform: what a restarted bot goes on telling about."""
        raise NotImplementedError

    async def jobs_in(self, place: Place, limit: int = 100) -> Sequence[Job]:
        """The newest jobs of a Place, oldest first: a conversation."""
        raise NotImplementedError

    async def cancel(self, job: UUID, by: Member, moderator: bool = False) -> Reason:
        """Cancel a job of one's own (or any, as a moderator).

        The Reason's code is "cancelled", "cancelling" (a step is still being finished),
        "already-ended", "not-yours" or "no-such-job".
        """
        raise NotImplementedError

    def events(self, platform: str) -> AsyncIterator[JobEvent]:
        """Live events of a platform's jobs, until the iteration is left."""
        raise NotImplementedError

    # -- pictures -------------------------------------------------------------------------------

    async def picture(self, picture: UUID) -> Picture | None:
        """One picture's row."""
        raise NotImplementedError

    async def picture_of_message(self, place: Place, message: str) -> Picture | None:
        """The first picture that was delivered as this message of this Place."""
        raise NotImplementedError

    async def last_picture(self, place: Place) -> Picture | None:
        """The newest picture of a thread: what a reply in it edits."""
        raise NotImplementedError

    async def history(
        self, member: Member, limit: int = 20, before: datetime | None = None
    ) -> Sequence[Picture]:
        """The member's own pictures, newest first, without deleted ones."""
        raise NotImplementedError

    async def delete_pictures(self, job: UUID, by: Member, moderator: bool = False) -> Reason:
        """Delete a job's pictures from storage. Codes: "deleted", "not-yours", "no-such-job"."""
        raise NotImplementedError

    async def report(self, job: UUID, by: Member, words: str) -> None:
        """Record a member's report of a picture for the administrators."""
        raise NotImplementedError

    async def store_source(self, data: bytes) -> str:
        """Keep an uploaded picture (checked by the caller) and give its blob name."""
        raise NotImplementedError

    async def read_blob(self, name: str) -> bytes:
        """The bytes of a stored picture. Raises FileNotFoundError."""
        raise NotImplementedError

    # -- the member's own account ---------------------------------------------------------------

    async def entitlement(self, member: Member) -> Entitlement:
        """Tier and limits of a member, from their roles and what administrators have set."""
        raise NotImplementedError

    async def allowance(self, member: Member) -> Allowance:
        """What is left of the member's quota."""
        raise NotImplementedError

    async def preferences(self, member: Member) -> Mapping[str, Any]:
        """The member's own defaults (aspect, count, model, locale …)."""
        raise NotImplementedError

    async def set_preferences(self, member: Member, values: Mapping[str, Any]) -> None:
        """Change some of the member's defaults; a None value removes one."""
        raise NotImplementedError

    async def export(self, member: Member) -> bytes:
        """All that is kept about a member: a ZIP of JSON and pictures."""
        raise NotImplementedError

    async def forget(self, member: Member) -> int:
        """Delete a member's pictures, prompts and history; the number of pictures deleted."""
        raise NotImplementedError

    async def join_waitlist(self, member: Member, place: Place) -> WaitlistPlace:
        """Join, or see the place one already has."""
        raise NotImplementedError

    async def leave_waitlist(self, member: Member) -> bool:
        """Leave; whether the member was on it."""
        raise NotImplementedError

    async def waitlist_place(self, member: Member) -> WaitlistPlace:
        """Where the member stands."""
        raise NotImplementedError

    # -- administrators (the caller has checked `member.administrator`) -------------------------

    async def map_role(self, by: Member, role: str, tier: Tier | None) -> None:
        """A role gives a tier from now on; None takes the mapping away."""
        raise NotImplementedError

    async def role_map(self, platform: str, workspace: str) -> Mapping[str, Tier]:
        """Role id → tier: the file's and the administrators', theirs winning."""
        raise NotImplementedError

    async def workspace_settings(self, platform: str, workspace: str) -> WorkspaceSettings:
        """A server's settings."""
        raise NotImplementedError

    async def set_workspace_settings(self, by: Member, settings: WorkspaceSettings) -> None:
        """Replace a server's settings."""
        raise NotImplementedError

    async def set_doors(self, by: Member, tier: Tier, state: DoorState) -> Doors:
        """Set a tier's doors for the administrator's server."""
        raise NotImplementedError

    async def doors(self, platform: str, workspace: str) -> Sequence[Doors]:
        """Each tier's doors as a server's members find them."""
        raise NotImplementedError

    async def capacity(self) -> Capacity:
        """Queue, waits, workers, doors, calibration: now."""
        raise NotImplementedError

    async def block(self, by: Member, member_id: str, blocked: bool) -> None:
        """Block or unblock a member of the administrator's server."""
        raise NotImplementedError

    async def words(self, platform: str, workspace: str) -> Sequence[str]:
        """The server's forbidden words."""
        raise NotImplementedError

    async def set_words(self, by: Member, words: Sequence[str]) -> None:
        """Replace the server's forbidden words."""
        raise NotImplementedError

    async def grant(self, by: Member, member_id: str, credits: float, why: str) -> None:
        """Give (or, negative, take) credits: an entry in the ledger."""
        raise NotImplementedError

    async def audit(self, platform: str, workspace: str, limit: int = 50) -> Sequence[AuditEntry]:
        """What administrators did in a server, newest first."""
        raise NotImplementedError

    async def feature_open(self, member: Member, feature: Feature) -> Reason | None:
        """None where the member may use the feature now; else the refusal's reason."""
        raise NotImplementedError

    async def models(self) -> Sequence[str]:
        """Names of the profiles that live workers can serve."""
        raise NotImplementedError

    # -- installations, and what deliveries remember ---------------------------------------------

    async def save_install(
        self, platform: str, workspace: str, values: Mapping[str, Any]
    ) -> None:
        """Keep a workspace's tokens, sealed (`tasks.seal`), in place of older ones."""
        raise NotImplementedError

    async def find_install(self, platform: str, workspace: str) -> Mapping[str, Any] | None:
        """A workspace's tokens as they were saved. Raises BrokenSeal under another key."""
        raise NotImplementedError

    async def delete_install(self, platform: str, workspace: str) -> bool:
        """Forget a workspace's tokens; whether there were any."""
        raise NotImplementedError

    async def installed(self, platform: str) -> Sequence[str]:
        """Every workspace of a platform with tokens."""
        raise NotImplementedError

    async def delivery_memory(self, job: UUID) -> Mapping[str, Any]:
        """What the courier remembered while it posted this job (uploaded file ids …)."""
        raise NotImplementedError

    async def close(self) -> None:
        """Let go of connections."""
        raise NotImplementedError
