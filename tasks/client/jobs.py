"""Jobs from the order to its end: submit, look up, cancel, follow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    ExitStack,
    asynccontextmanager,
    suppress,
)
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import anyio.to_thread
from anyio import CancelScope
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from tasks.admission.enter import position_of
from tasks.admission.service import AdmissionService
from tasks.client.async_database import AsyncDatabase, unavailable_on_error
from tasks.jobs.job import (
    Accepted,
    Job,
    JobEvent,
    Order,
    QueuePosition,
    Reason,
    Refused,
)
from tasks.jobs.members import Member, Place
from tasks.jobs.states import JobState
from tasks.runtime.events import Bus, ended
from tasks.store import audit, deliveries, jobs, leases, message_locks, transitions

LATE_CANCELLATIONS = 20
"""Own orders that a member may cancel in an hour after they have started."""


@dataclass(frozen=True, slots=True)
class Jobs:
    """Every method raises Unavailable where the database cannot be reached."""

    database: AsyncDatabase
    admission: AdmissionService
    bus: Bus

    async def submit(self, order: Order) -> Accepted | Refused:
        """Admit an order, in one transaction. The same `order.key` returns the same job again.

        Cancelling the caller does not cancel the admission: a repeated submit returns its job.
        """
        with unavailable_on_error():
            return await asyncio.shield(asyncio.wrap_future(self.admission.submit_soon(order)))

    async def read(self, job: UUID) -> Job | None:
        """The job with its pictures, and its queue position while queued."""
        return await self.database.run(lambda c: self._with_position(c, jobs.read(c, job)))

    async def find(self, member: Member, short: str) -> Job | None:
        """One of the member's own jobs by its short name."""
        return await self.database.run(
            lambda c: self._with_position(c, jobs.by_short(c, member.key, short))
        )

    async def position(self, job: UUID) -> QueuePosition | None:
        """Queue position and estimate of a queued job; None once it has started."""
        found = await self.read(job)
        return found.line if found else None

    async def active(self, member: Member) -> Sequence[Job]:
        """The member's jobs that have not ended, oldest first."""
        return await self.database.run(
            lambda c: self._with_positions(c, jobs.active(c, member.key))
        )

    async def waiting(self, platform: str) -> Sequence[Job]:
        """Every queued job of a platform, so that a restarted bot resumes its updates."""
        return await self.database.run(lambda c: jobs.waiting_on(c, platform))

    async def in_place(self, place: Place, limit: int = 100) -> Sequence[Job]:
        """The newest jobs of a Place, oldest first: a conversation."""
        return await self.database.run(lambda c: jobs.in_place(c, place, limit))

    async def cancel(self, job: UUID, by: Member, moderator: bool = False) -> Reason:
        """Cancel a job of one's own (or any, as a moderator).

        The Reason's code is "cancelled", "cancelling" (a step is still being finished),
        "already-ended", "not-yours", "no-such-job" or "cancel-limited": who cancels many of their
        own orders late would use the GPUs for nothing.
        """
        reason, cancelled = await self.database.run(lambda c: _cancel(c, job, by, moderator))
        if cancelled is not None:
            event = ended(cancelled)
            await self.database.call(lambda: self.bus.publish(event))
        return reason

    def events(self, platform: str) -> AsyncIterator[JobEvent]:
        """Live events of a platform's jobs, until the iteration is left."""
        return self.bus.listen(platform)

    # -- the placeholder message that the result replaces ---------------------------------------

    async def set_placeholder(self, job: UUID, placeholder: Mapping[str, Any]) -> None:
        """Record the message that the result will replace (message id …), as plain JSON."""
        await self.database.run(lambda c: jobs.set_placeholder(c, job, placeholder))

    async def claim_placeholder(
        self, job: UUID, placeholder: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """As `set_placeholder`, unless another process came first; returns the recorded one.

        For platforms that cannot refuse a second message: the caller deletes its own message where
        another one is recorded.
        """
        return await self.database.run(lambda c: jobs.claim_placeholder(c, job, placeholder))

    def edit_fence(self, job: UUID) -> AbstractAsyncContextManager[Job | None]:
        """Block other edits of a job's placeholder, and the worker's delivery, meanwhile.

        Yields the job while it is queued; None once it has started or ended: then its position in
        line must not be shown. Raises Unavailable.
        """
        return self._edit_fence(job)

    async def delivery_memory(self, job: UUID) -> Mapping[str, Any]:
        """What the publisher recorded while it posted this job (uploaded file ids …)."""
        return await self.database.run(lambda c: deliveries.memory(c, job))

    @asynccontextmanager
    async def _edit_fence(self, job: UUID) -> AsyncIterator[Job | None]:
        transaction = ExitStack()
        try:
            yield await self.database.call(lambda: self._lock_message(transaction, job))
        finally:
            with CancelScope(shield=True):
                await anyio.to_thread.run_sync(_end_transaction, transaction)

    def _lock_message(self, transaction: ExitStack, job: UUID) -> Job | None:
        connection = transaction.enter_context(self.database.database.begin())
        message_locks.acquire(connection, job)
        found = self._with_position(connection, jobs.read(connection, job))
        return found if found is not None and found.state is JobState.QUEUED else None

    def _with_position(self, connection: Connection, job: Job | None) -> Job | None:
        if job is None or job.state is not JobState.QUEUED:
            return job
        snapshot = self.admission.snapshots.now(connection)
        return replace(job, line=position_of(connection, job, snapshot))

    def _with_positions(self, connection: Connection, found: Sequence[Job]) -> list[Job]:
        placed = (self._with_position(connection, job) for job in found)
        return [job for job in placed if job is not None]


def _end_transaction(transaction: ExitStack) -> None:
    """End the fence's transaction; a lost connection has released its lock already."""
    with suppress(DBAPIError):
        transaction.close()


def _cancel(
    connection: Connection, job: UUID, by: Member, moderator: bool
) -> tuple[Reason, Job | None]:
    """The answer to a cancellation, and the job if it was cancelled here."""
    row = jobs.read(connection, job)
    if row is None or not row.in_workspace_of(by):
        return Reason("no-such-job"), None
    mine = row.order.member.key == by.key
    if not mine and not moderator:
        return Reason("not-yours"), None
    if mine and row.state is JobState.RUNNING:
        late = jobs.late_cancellations(connection, by.key)
        if late >= LATE_CANCELLATIONS:
            return Reason("cancel-limited", {"limit": LATE_CANCELLATIONS}), None
    reason = Reason("cancelled", {} if mine else {"moderator": by.id})
    if not mine and not row.state.ended:
        details = {"job": row.short, "member": row.order.member.id}
        audit.write(connection, by, "cancel", details)
    if transitions.end(connection, job, [JobState.QUEUED], JobState.CANCELLED, reason):
        return Reason("cancelled"), jobs.read(connection, job)
    if leases.ask_to_stop(connection, job, reason):
        return Reason("cancelling"), None
    return Reason("already-ended"), None
