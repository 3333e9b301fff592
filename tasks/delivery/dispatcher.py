"""The delivery dispatcher: claims deliveries that are due and attempts each on an event loop.

Publishers are asynchronous and share one event loop, which runs in a thread of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import entry_points
from threading import Thread
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError

from imaging.request import Progress
from tasks.delivery.attempt import PUBLISH_SECONDS, DeliveryAttempts
from tasks.delivery.payload import PreparedDelivery
from tasks.delivery.progress import ProgressUpdates
from tasks.delivery.publisher import Connect, Publisher, PublisherContext, RoleLookup
from tasks.delivery.removal import Removals
from tasks.jobs.job import Job
from tasks.jobs.members import Member
from tasks.runtime.blobs import Blobs
from tasks.runtime.events import Bus
from tasks.store import deliveries, message_locks
from tasks.store.database import Database
from tasks.store.deliveries import Claim
from tasks.store.removals import RemovalClaim

log = structlog.get_logger(__name__)

ENTRY_POINTS = "atelier.couriers"
CLAIM_SECONDS = 30.0  # renewed while the delivery goes on
POLL_SECONDS = 0.5  # between claims of deliveries that are due
MOST_DELIVERIES = 16  # at once
MOST_REMOVALS = 4
REMOVAL_SECONDS = 120.0  # a claim of a removal, longer than its attempt
ROLES_PATIENCE = 3.0


def installed_publishers() -> dict[str, Connect]:
    """The installed publishers, by entry point."""
    return {point.name: point.load() for point in entry_points(group=ENTRY_POINTS)}


class DeliveryDispatcher:
    """Delivers results until it is stopped. Public methods may be called from any thread."""

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        bus: Bus,
        context: PublisherContext,
        connects: Mapping[str, Connect],
    ) -> None:
        self._database = database
        self._context = context
        self._connects = connects
        self._publishers: dict[str, Publisher] = {}
        self._claims: dict[UUID, Claim] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._removing: set[asyncio.Task[None]] = set()
        self._removals = Removals(database, self._publishers)
        self._attempts = DeliveryAttempts(database, blobs, bus, self._publishers)
        self._progress = ProgressUpdates(self._publishers, self._lock_message)
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="dispatcher", daemon=True)
        self._claiming: asyncio.Task[None] | None = None

    # -- from any thread ------------------------------------------------------------------------

    def start(self) -> None:
        """Connect the publishers and start to claim."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()

    def stop(self, patience: float) -> None:
        """Stop after the deliveries in progress, waiting at most `patience` seconds for them."""
        asyncio.run_coroutine_threadsafe(self._close(patience), self._loop).result()
        self._attempts.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def dispatch(self, claim: Claim, prepared: PreparedDelivery | None = None) -> None:
        """Deliver what was claimed, loading it first unless it is prepared; returns at once."""
        self._claims[claim.job] = claim
        self._loop.call_soon_threadsafe(self._spawn, claim, prepared)

    def show_progress(self, job: Job, progress: Progress) -> None:
        """Show how far a job is; the publisher may leave updates out. Returns at once."""
        self._loop.call_soon_threadsafe(self._show_progress, job, progress)

    def forget(self, job: UUID) -> None:
        """Show no more progress of a job; its delivery goes on."""
        self._loop.call_soon_threadsafe(self._forget, job)

    def roles(self, member: Member, patience: float = ROLES_PATIENCE) -> frozenset[str] | None:
        """A member's current role ids; None where the platform does not say, or not in time."""
        publisher = self._publishers.get(member.platform)
        if not isinstance(publisher, RoleLookup):
            return None
        lookup = asyncio.run_coroutine_threadsafe(publisher.roles(member), self._loop)
        try:
            return lookup.result(patience)
        except Exception as error:  # noqa: BLE001  a failed lookup must not hold up a job
            lookup.cancel()
            log.info("role-lookup-failed", platform=member.platform, error=type(error).__name__)
            return None

    def renew_claims(self) -> None:
        """Extend the claims of deliveries in progress."""
        tokens = [claim.token for claim in list(self._claims.values())]
        if tokens:
            renew = partial(deliveries.renew_claims, tokens=tokens, seconds=CLAIM_SECONDS)
            self._database.run(renew, patience=0)

    # -- on the event loop ----------------------------------------------------------------------

    async def _open(self) -> None:
        for name, connect in self._connects.items():
            try:
                publisher = connect(self._context)
            except Exception:  # the other platforms work on
                log.exception("publisher-connect-failed", publisher=name)
                continue
            if publisher is not None:
                self._publishers[publisher.platform] = publisher
        self._claiming = asyncio.create_task(self._claim_due())

    async def _close(self, patience: float) -> None:
        if self._claiming is not None:
            self._claiming.cancel()
        progress = asyncio.create_task(self._progress.close())
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience)
        for task in (*self._tasks, *self._removing):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._removing, progress, return_exceptions=True)
        for publisher in self._publishers.values():
            with contextlib.suppress(Exception):  # the process ends; nothing depends on it
                await publisher.close()

    async def _claim_due(self) -> None:
        """Claim what is due: failures to report, retries, deliveries of dead workers."""
        while True:
            try:
                free = MOST_DELIVERIES - len(self._tasks)
                if free > 0 and self._publishers:
                    for claim in await self._claim(list(self._publishers), free):
                        self._claims[claim.job] = claim
                        self._spawn(claim)
                    await self._claim_removals()
            except DBAPIError as error:
                log.warning("claiming-interrupted", error=str(error).strip())
            await asyncio.sleep(POLL_SECONDS)

    async def _claim_removals(self) -> None:
        """Delete messages of erased jobs, a few at a time: results come first."""
        free = MOST_REMOVALS - len(self._removing)
        if free <= 0:
            return
        for claim in await self._removals.claim(REMOVAL_SECONDS, free):
            task = asyncio.create_task(self._remove(claim))
            self._removing.add(task)
            task.add_done_callback(self._removing.discard)

    async def _remove(self, claim: RemovalClaim) -> None:
        """Attempt one removal. Never raises: what is left is claimed again later."""
        try:
            await self._removals.run(claim)
        except DBAPIError as error:
            log.warning("removal-interrupted", error=str(error).strip())
        except Exception:
            log.exception("removal-crashed")

    async def _claim(self, platforms: Sequence[str], limit: int) -> list[Claim]:
        claim = partial(deliveries.claim, platforms=platforms, seconds=CLAIM_SECONDS, limit=limit)
        return await self._attempts.query(claim)

    def _spawn(self, claim: Claim, prepared: PreparedDelivery | None = None) -> None:
        task = asyncio.ensure_future(self._deliver(claim, prepared))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, claim: Claim, prepared: PreparedDelivery | None) -> None:
        """Attempt one delivery. Never raises: what is left is claimed again later."""
        with structlog.contextvars.bound_contextvars(job=str(claim.job)):
            try:
                await self._progress.finish(claim.job, PUBLISH_SECONDS)
                await self._attempts.run(claim, prepared)
            except DBAPIError as error:
                log.warning("delivery-interrupted", error=str(error).strip())
            except Exception:
                log.exception("delivery-crashed")
            finally:
                self._claims.pop(claim.job, None)
                self._progress.forget(claim.job)

    def _show_progress(self, job: Job, progress: Progress) -> None:
        if job.id not in self._claims:
            self._progress.show(job, progress)

    def _forget(self, job: UUID) -> None:
        if job not in self._claims:
            self._progress.forget(job)

    async def _lock_message(self, job: UUID) -> None:
        await self._attempts.query(partial(message_locks.acquire, job=job))
