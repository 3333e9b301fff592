"""One attempt to deliver: publish a job's result, then record how it went.

A delivery is a row claimed with a token. What the publisher remembers is written down before it
goes on, and the row is marked sent in the transaction that captures the hold. So any worker may
attempt a delivery again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar, assert_never

import structlog
from sqlalchemy import Connection

from imaging.errors import EncodingFailed
from tasks.delivery.payload import PreparedDelivery
from tasks.delivery.publisher import (
    Delivery,
    PictureAttachment,
    Publisher,
    TryLater,
    Undeliverable,
)
from tasks.jobs.job import Job, Reason
from tasks.jobs.states import JobState
from tasks.runtime.blobs import Blobs, BlobStoreUnavailable
from tasks.runtime.events import Bus, ended
from tasks.store import deliveries, jobs, message_locks, transitions
from tasks.store.batch_executor import BatchExecutor
from tasks.store.database import Database
from tasks.store.deliveries import Claim
from tasks.store.transitions import Posted

T = TypeVar("T")

log = structlog.get_logger(__name__)

PUBLISH_SECONDS = 300.0  # one attempt, at most
SENT_PATIENCE = 60.0  # seconds: what was published is recorded once a restarted database is back
DATABASE_PATIENCE = 10.0
LONGEST_PAUSE = 600.0
MOST_TRIES = 200  # about a day


@dataclass(frozen=True, slots=True)
class Sent:
    """The platform has the result as `message`."""

    message: str


@dataclass(frozen=True, slots=True)
class Retry:
    """The attempt failed and may succeed after `after` seconds."""

    error: str
    after: float


@dataclass(frozen=True, slots=True)
class Rejected:
    """The platform will never take the result."""

    code: str
    error: str


@dataclass(frozen=True, slots=True)
class PicturesLost:
    """The pictures are not in blob storage."""

    error: str


Outcome = Sent | Retry | Rejected | PicturesLost


@dataclass(frozen=True, slots=True)
class SentJob:
    """A published job, to be recorded as sent."""

    posted: Posted
    job: Job

    @property
    def ended(self) -> Job:
        """The job in its final state."""
        return self.job if self.job.state.ended else replace(self.job, state=JobState.DONE)


class DeliveryAttempts:
    """Attempts deliveries on the dispatcher's event loop; database calls run in threads."""

    def __init__(
        self, database: Database, blobs: Blobs, bus: Bus, publishers: Mapping[str, Publisher]
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._bus = bus
        self._publishers = publishers
        self._marking: BatchExecutor[SentJob, bool] = BatchExecutor(self._mark_sent)
        self._threads = ThreadPoolExecutor(1, "mark-sent")

    async def run(self, claim: Claim, prepared: PreparedDelivery | None) -> None:
        """Load the job unless it is prepared, publish it, record the outcome."""
        job = prepared.job if prepared else await self.query(partial(_read_job, claim=claim))
        if job is not None:
            outcome = await self._publish(claim, job, prepared)
            await self._record(claim, job, outcome)

    def close(self) -> None:
        """Release the thread, without waiting."""
        self._threads.shutdown(wait=False)

    async def query(self, work: Callable[[Connection], T]) -> T:
        """Run one statement, or reads, in a thread."""
        return await asyncio.to_thread(self._database.read, work, DATABASE_PATIENCE)

    async def _publish(self, claim: Claim, job: Job, prepared: PreparedDelivery | None) -> Outcome:
        publisher = self._publishers.get(job.order.place.platform)
        if publisher is None:
            return Retry("This worker has no publisher for that platform.", 2.0)
        try:
            attachments = prepared.attachments if prepared else await self._attachments(job)
            async with asyncio.timeout(PUBLISH_SECONDS):
                result = await publisher.deliver(self._delivery(claim, job, attachments))
        except Exception as error:  # noqa: BLE001  a platform's library may raise anything
            return _outcome_of(error)
        return Sent(result.message)

    async def _attachments(self, job: Job) -> list[PictureAttachment]:
        """The pictures' bytes; none where the job ended without. Raises FileNotFoundError."""
        if job.state is not JobState.DELIVERING:
            return []
        return [
            PictureAttachment(picture, await asyncio.to_thread(self._blobs.get, picture.blob))
            for picture in job.pictures
        ]

    def _delivery(
        self, claim: Claim, job: Job, attachments: Sequence[PictureAttachment]
    ) -> Delivery:
        memory = dict(claim.memory)

        async def remember(values: Mapping[str, Any]) -> None:
            if not await self.query(partial(deliveries.remember, claimed=claim, memory=values)):
                raise TryLater("Another worker has claimed this delivery.", after=1.0)
            memory.update(values)

        return Delivery(job, attachments, memory, remember)

    async def _record(self, claim: Claim, job: Job, outcome: Outcome) -> None:
        match outcome:
            case Sent(message):
                sent = SentJob(Posted(claim.job, claim.token, message), job)
                # It is recorded even if this task is cancelled.
                await asyncio.shield(asyncio.wrap_future(self._marking.submit(sent, self._threads)))
            case Retry(error, _) if claim.tries >= MOST_TRIES:
                await self._fail(claim, job, Rejected("delivery-failed", error))
            case Retry(error, after):
                await self._put_off(claim, error, after)
            case Rejected():
                await self._fail(claim, job, outcome)
            case PicturesLost(error):
                await self._fail_without_pictures(job, error)
            case _:
                assert_never(outcome)

    def _mark_sent(self, sent: Sequence[SentJob]) -> list[bool]:
        """Record what was published, and publish that the jobs have ended."""
        mark = partial(transitions.mark_delivered, posted=[one.posted for one in sent])
        marked = self._database.read(mark, SENT_PATIENCE)
        done = [one for one, is_marked in zip(sent, marked, strict=True) if is_marked]
        for one in done:
            about = {"job": str(one.posted.job), "message": one.posted.message}
            log.info("job-delivered", state=one.ended.state.value, **about)
        if done:
            self._bus.publish(*(ended(one.ended) for one in done))
        return marked

    async def _put_off(self, claim: Claim, error: str, after: float) -> None:
        pause = max(after, min(LONGEST_PAUSE, 0.5 * 2 ** min(claim.tries, 12)))
        log.warning("delivery-retried", error=error, seconds=pause, tries=claim.tries)
        await self.query(partial(deliveries.put_off, claimed=claim, after=pause, error=error))

    async def _fail(self, claim: Claim, job: Job, rejected: Rejected) -> None:
        """Give the delivery up; a job with pictures has failed, and its hold is voided."""
        log.warning("delivery-rejected", code=rejected.code, error=rejected.error)

        def fail(connection: Connection) -> None:
            if deliveries.fail(connection, claim, rejected.error) and not job.state.ended:
                transitions.end_undeliverable(connection, job.id, Reason(rejected.code))

        await asyncio.to_thread(self._database.run, fail)
        failed = job if job.state.ended else replace(job, state=JobState.FAILED)
        await asyncio.to_thread(self._bus.publish, ended(failed))

    async def _fail_without_pictures(self, job: Job, error: str) -> None:
        """The job has failed after all; a later delivery notifies its member."""
        log.error("pictures-lost", error=error)
        end = partial(
            transitions.end,
            job=job.id,
            states=[JobState.DELIVERING],
            to=JobState.FAILED,
            reason=Reason("pictures-lost"),
        )
        await asyncio.to_thread(self._database.run, end)


def _outcome_of(error: Exception) -> Outcome:
    """What an error of an attempt means for the delivery."""
    match error:
        case TryLater():
            return Retry(str(error), error.after)
        case Undeliverable() | EncodingFailed():
            return Rejected(error.code, str(error))
        case FileNotFoundError():
            return PicturesLost(str(error))
        case BlobStoreUnavailable():
            return Retry(str(error), 5.0)
        case _:
            log.error("publisher-failed", exc_info=error)
            return Retry(f"{type(error).__name__}: {error}", 1.0)


def _read_job(connection: Connection, claim: Claim) -> Job | None:
    """The job, once the bot's own edit of its placeholder is over."""
    message_locks.acquire(connection, claim.job)
    return jobs.read(connection, claim.job)
