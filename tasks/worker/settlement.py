"""How a leased job leaves this worker: delivering, back in the queue, or ended without a result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import structlog

from imaging.request import FinishedPicture
from tasks.delivery.dispatcher import CLAIM_SECONDS, DeliveryDispatcher
from tasks.delivery.payload import prepare_delivery
from tasks.jobs.job import Reason
from tasks.jobs.states import JobState
from tasks.runtime.blobs import Blobs, BlobStoreUnavailable, picture_name
from tasks.runtime.events import Bus, ended
from tasks.store import deliveries, jobs, transitions
from tasks.store.batch_executor import BatchExecutor
from tasks.store.database import Database
from tasks.store.deliveries import Claim
from tasks.store.transitions import Finished, Lease, NewPicture, Rendered
from tasks.worker.running_jobs import RunningJob
from tasks.worker.store_patience import StorePatience

log = structlog.get_logger(__name__)

SETTLE_PATIENCE = 60.0  # seconds: a finished picture waits for a database that restarts


@dataclass(slots=True)
class Settlement:
    """Records outcomes. Every method returns once the database has the outcome."""

    database: Database
    blobs: Blobs
    bus: Bus
    dispatcher: DeliveryDispatcher
    patience: StorePatience = field(default_factory=StorePatience)
    _marking: BatchExecutor[Finished, Rendered | None] = field(init=False)

    def __post_init__(self) -> None:
        self._marking = BatchExecutor(self._mark_rendered)

    def finish(self, running: RunningJob, finished: Sequence[FinishedPicture], used: float) -> None:
        """Store the pictures, mark the job rendered and pass it to the dispatcher.

        `used` is the job's share of the device's time in seconds. Waits while the blob store is
        unreachable; raises BlobStoreUnavailable where the job is stopped meanwhile. Where the lease
        is lost, another worker has the job and the pictures are deleted.
        """
        lease = running.lease
        stored = [self._store(running, index, one) for index, one in enumerate(finished)]
        claim = Claim(lease.job.id, uuid4(), 1, {})
        rendered = self._marking(Finished(lease, stored, claim.token, CLAIM_SECONDS, used))
        if rendered is not None:
            log.info("job-rendered", pictures=len(stored))
            prepared = prepare_delivery(lease.job, stored, finished, rendered)
            self.dispatcher.dispatch(claim, prepared if rendered.unlocked else None)
        elif self._owns_delivery(lease.job.id, claim.token):  # only the answer was lost
            self.dispatcher.dispatch(claim)
        else:
            self._delete(stored)
            if not self.end(lease, JobState.CANCELLED, Reason("cancelled")):  # it was not erased
                log.warning("lease-lost", attempt=lease.job.attempt)

    def requeue(self, lease: Lease, attempts: int, reason: Reason) -> None:
        """Put the job back in the queue; fail it where it has begun `attempts` times."""
        requeued = self.database.run(
            lambda connection: transitions.requeue_leased(connection, lease, attempts, reason),
            patience=SETTLE_PATIENCE,
        )
        if not requeued:
            self.end(lease, JobState.FAILED, reason)

    def end(self, lease: Lease, state: JobState, reason: Reason) -> bool:
        """End the job without a result and publish that; False where the lease is lost."""
        has_ended = self.database.run(
            lambda connection: transitions.end_leased(connection, lease, state, reason),
            patience=SETTLE_PATIENCE,
        )
        job = self.database.run(lambda connection: jobs.read(connection, lease.job.id))
        if has_ended and job is not None:
            self.bus.publish(ended(job))
        return has_ended

    def _mark_rendered(self, finished: Sequence[Finished]) -> list[Rendered | None]:
        return self.database.read(
            lambda connection: transitions.mark_rendered(connection, finished),
            patience=SETTLE_PATIENCE,
        )

    def _owns_delivery(self, job: UUID, token: UUID) -> bool:
        return self.database.run(lambda connection: deliveries.is_owner(connection, job, token))

    def _delete(self, stored: Sequence[NewPicture]) -> None:
        """Delete pictures of a lost lease; what cannot be deleted now is an orphan later."""
        try:
            for picture in stored:
                self.blobs.delete(picture.blob)
        except BlobStoreUnavailable as error:
            log.warning("blobs-left", error=str(error))

    def _store(self, running: RunningJob, index: int, one: FinishedPicture) -> NewPicture:
        job, token = running.lease.job, running.lease.token
        name = picture_name(job.id, token, index, one.mime)
        self.patience.call(lambda: self.blobs.put(name, one.data), lambda: running.is_wanted)
        return NewPicture(
            id=uuid4(),
            index=index,
            blob=name,
            mime=one.mime,
            width=one.width,
            height=one.height,
            seed=one.seed,
            request=job.order.request.to_json() | {"seed": one.seed, "count": 1},
            flagged=one.flagged,
        )
