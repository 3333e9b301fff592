"""Delivery: what the worker asks of a platform's courier, and what the courier may answer.

A courier lives in a bot's room and is found by the entry point group `atelier.couriers`; it is
handed in, so that this room knows no chat SDK. It runs on the worker's one event loop.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from imaging.request import Progress
from tasks.job import Job, JobEvent, Picture
from tasks.members import Member
from tasks.settings import Settings


@dataclass(frozen=True, slots=True)
class Enclosure:
    """One picture to be posted: its row and its bytes."""

    picture: Picture
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Parcel:
    """All that is needed to turn a job's placeholder into its result, or into its failure.

    `enclosures` is empty where the job failed, was cancelled or refused: `job.reason` says why.
    `memory` is what an earlier try remembered with `remember` (uploaded file ids, a message id); it
    is written to the record before `remember` returns, so a later try, in any process, can go on
    from there instead of posting twice.
    """

    job: Job
    enclosures: Sequence[Enclosure]
    memory: Mapping[str, Any]
    remember: Callable[[Mapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Receipt:
    """The platform has it. `message` is the id of what was posted."""

    message: str


class TryLater(Exception):
    """The platform did not take it now; `after` seconds is a good time to try again."""

    def __init__(self, message: str, after: float = 5.0) -> None:
        super().__init__(message)
        self.after = after


class Undeliverable(Exception):
    """The platform will never take it (message deleted, channel gone, permission lost).

    The hold is voided and nothing more is tried; the courier has told the member where it could.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Courier(Protocol):
    """Posts a platform's pictures. Every call can be repeated without posting anything twice."""

    platform: str

    async def progress(self, job: Job, progress: Progress) -> None:
        """Show how far a running job is. May leave out any, to keep the platform's limits."""

    async def deliver(self, parcel: Parcel) -> Receipt:
        """Turn the placeholder into the pictures, or into the reason why there are none.

        Raises TryLater or Undeliverable.
        """

    async def close(self) -> None:
        """Let go of connections."""


@runtime_checkable
class KnowsRoles(Protocol):
    """A courier that can ask its platform what roles a member has at this moment."""

    async def roles(self, member: Member) -> frozenset[str] | None:
        """Role ids as the platform's room gives them; None where the platform does not tell."""


class CourierDesk(Protocol):
    """What a courier may ask of the worker that it works for."""

    @property
    def settings(self) -> Settings:
        """The worker's settings."""

    async def install(self, platform: str, workspace: str) -> Mapping[str, Any] | None:
        """What was kept when the app was installed in a workspace (tokens), or None."""

    async def publish(self, event: JobEvent) -> None:
        """Tell a live event to whoever listens."""


Connect = Callable[[CourierDesk], Courier | None]
"""What the entry points of `atelier.couriers` are: None where that platform is not set up."""
