"""The publisher protocol: what the worker asks of a platform, and what the platform may answer.

A publisher is part of a bot's package and is found by the entry point group `atelier.couriers`, so
that this package imports no chat SDK. It runs on the dispatcher's event loop.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from imaging.request import Progress
from tasks.jobs.job import Job, JobEvent, Picture
from tasks.jobs.members import Member
from tasks.runtime.settings import Settings
from tasks.store.removals import Removal


@dataclass(frozen=True, slots=True)
class PictureAttachment:
    """One picture to publish: its row and its bytes."""

    picture: Picture
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Everything needed to turn a job's placeholder into its result, or into its failure.

    `attachments` is empty where the job failed, was cancelled or refused; `job.reason` says why.
    `memory` is what an earlier attempt stored with `remember` (uploaded file ids, a message id). It
    is in the database before `remember` returns, so a later attempt, in any process, can continue
    from there instead of posting twice.
    """

    job: Job
    attachments: Sequence[PictureAttachment]
    memory: Mapping[str, Any]
    remember: Callable[[Mapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """The platform has the result. `message` is the id of its message."""

    message: str


class TryLater(Exception):
    """The platform did not take the result; try again in `after` seconds."""

    def __init__(self, message: str, after: float = 5.0) -> None:
        super().__init__(message)
        self.after = after


class Undeliverable(Exception):
    """The platform will never take the result (message deleted, channel gone, permission lost).

    The hold is voided and the delivery is not retried. The publisher has notified the member where
    it could.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Publisher(Protocol):
    """Publishes results on a platform. Every call can be repeated without posting twice."""

    platform: str

    async def progress(self, job: Job, progress: Progress) -> float:
        """Show how far a running job is.

        Returns 0 once it is shown or will not be, else the seconds after which the rate limit
        allows it: call again then, with the progress of that moment.
        """

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        """Turn the placeholder into the pictures, or into the reason why there are none.

        Raises TryLater or Undeliverable.
        """

    async def close(self) -> None:
        """Close connections."""


@runtime_checkable
class RoleLookup(Protocol):
    """A publisher that can look up a member's current roles on its platform."""

    async def roles(self, member: Member) -> frozenset[str] | None:
        """Role ids as the bot gives them; None where the platform does not say."""


@runtime_checkable
class MessageRemover(Protocol):
    """A publisher that can delete what it posted."""

    async def remove(self, removal: Removal) -> None:
        """Delete a job's message and files; a message that is gone already is no error.

        Raises TryLater, or Undeliverable whose code says why the platform does not allow it.
        """


class PublisherContext(Protocol):
    """What a publisher may ask of its worker."""

    @property
    def settings(self) -> Settings:
        """The worker's settings."""

    async def install(self, platform: str, workspace: str) -> Mapping[str, Any] | None:
        """What was stored when the app was installed in a workspace (tokens), or None."""

    async def publish(self, event: JobEvent) -> None:
        """Publish a live event."""


Connect = Callable[[PublisherContext], Publisher | None]
"""An `atelier.couriers` entry point; it returns None where its platform is not configured."""
