"""The renderer: runs one leased job on the engine, and settles it whatever happens.

The heartbeat renews the leases of running jobs. A job whose lease is lost is dropped, because
another worker has it by now.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from threading import Event
from uuid import UUID

import structlog

from imaging.engine.protocol import ImageEngine
from imaging.errors import (
    ImagingError,
    ModelFailed,
    ModelUnavailable,
    RenderCancelled,
    ServerUnavailable,
)
from imaging.request import Stage
from tasks.admission.recheck import Rights
from tasks.jobs.job import Reason
from tasks.jobs.states import JobState
from tasks.runtime.blobs import BlobStoreUnavailable
from tasks.runtime.events import progressed
from tasks.store import leases
from tasks.store.transitions import UNLIMITED_ATTEMPTS, Lease
from tasks.worker.config import WorkerConfig
from tasks.worker.running_jobs import RunningJob, RunningJobs
from tasks.worker.served_models import AllServedModels
from tasks.worker.settlement import Settlement

log = structlog.get_logger(__name__)

STOPPING = "worker-stopping"
LEASE_LOST = "lease-lost"
MODEL_ERRORS = (ModelUnavailable, ModelFailed, ServerUnavailable)
"""The model's faults, not the request's: another worker may be able to serve it."""


@dataclass(slots=True)
class Renderer:
    """Renders leased jobs. Every method may be called from any thread."""

    engine: ImageEngine
    config: WorkerConfig
    rights: Rights
    settlement: Settlement
    models: AllServedModels
    running: RunningJobs = field(default_factory=RunningJobs)
    _draining: Event = field(init=False, default_factory=Event)

    def run(self, lease: Lease) -> None:
        """Render a job and settle it. Raises DBAPIError where the database stays unreachable."""
        job = lease.job
        if (lost := self.rights.lost(job)) is not None:
            log.info("entitlement-lost", tier=job.tier.value, code=lost.code)
            self.settlement.end(lease, JobState.REFUSED, lost)
            return
        log.info("job-started", attempt=job.attempt, tier=job.tier.value)
        running = RunningJob(lease, self.engine.submit(job.order.request))
        self.running.add(running)
        if self._draining.is_set():  # leased before, and begun after the others were put back
            running.stop(Reason(STOPPING))
        try:
            self._publish_progress(running)
            finished = running.render.result()
            self.settlement.finish(running, finished, running.render.seconds)
            self.models.confirm(job.order.request.profile)
        except ImagingError as error:
            self._settle_failure(running, error)
        except BlobStoreUnavailable:  # the job was stopped while it waited for the store
            self._settle_failure(running, RenderCancelled("Stopped before it was stored."))
        except Exception as error:  # not the request's fault: another attempt may succeed
            log.exception("render-crashed")
            self._requeue(running, Reason("imaging-failed", {"error": type(error).__name__}))
        finally:
            self.running.remove(running)
            self.settlement.dispatcher.forget(job.id)

    def renew_leases(self) -> None:
        """Extend the leases of running jobs; stop jobs asked to stop, drop lost ones."""
        running = self.running.all()
        renewed = self.settlement.database.run(
            lambda connection: leases.renew(
                connection, [one.lease for one in running], self.config.lease_seconds
            ),
            patience=0,
        )
        for one in running:
            if one.lease.token not in renewed:
                self._drop(one)
            elif reason := renewed[one.lease.token]:
                one.stop(reason)

    def cancel(self, job: UUID) -> None:
        """Cancel a job that a member has cancelled; does nothing where it does not run here."""
        running = self.running.get(job)
        if running is not None:
            running.stop(Reason("cancelled"))

    def requeue_waiting(
        self, most: int | None = None, profiles: Collection[str] | None = None
    ) -> None:
        """Put back in the queue the jobs that have not begun on the device, the newest `most`.

        With `profiles`, only theirs.
        """
        jobs = [
            one
            for one in self.running.all()
            if profiles is None or one.lease.job.order.request.profile in profiles
        ]
        waiting = [one for one in jobs if one.render.progress.stage is Stage.WAITING]
        for one in reversed(waiting[-most:] if most else waiting):
            one.stop(Reason(STOPPING))

    def drain(self) -> None:
        """Put back in the queue what has not begun, also what begins from now on."""
        self._draining.set()
        self.requeue_waiting()

    def requeue_all(self) -> None:
        """Stop every running job and put it back in the queue: the worker shuts down."""
        for one in self.running.all():
            one.stop(Reason(STOPPING))

    def wait_idle(self, patience: float) -> None:
        """Wait until no job runs, at most `patience` seconds."""
        deadline = time.monotonic() + patience
        while self.running and time.monotonic() < deadline:
            time.sleep(0.02)

    def _publish_progress(self, running: RunningJob) -> None:
        """Publish each update until the render ends."""
        job = running.lease.job
        for progress in running.render.updates():
            self.settlement.bus.publish(progressed(job, progress))
            self.settlement.dispatcher.show_progress(job, progress)

    def _settle_failure(self, running: RunningJob, error: ImagingError) -> None:
        lease, stop = running.lease, running.stop_reason
        if running.lease_lost:
            log.warning("lease-lost", attempt=lease.job.attempt)
        elif stop is not None and stop.code == STOPPING:
            self._requeue(running, stop)
        elif stop is not None and isinstance(error, RenderCancelled):
            self.settlement.end(lease, JobState.CANCELLED, stop)
        elif isinstance(error, MODEL_ERRORS):
            log.warning("render-interrupted", code=error.code, error=str(error))
            # Before the job is queued again: this worker would take it.
            self.models.withdraw(lease.job.order.request.profile, error)
            self._requeue(running, Reason(error.code, error.details))
        elif error.permanent:
            log.info("render-failed", code=error.code, error=str(error))
            self.settlement.end(lease, JobState.FAILED, Reason(error.code, error.details))
        else:
            log.warning("render-interrupted", code=error.code, error=str(error))
            self._requeue(running, Reason(error.code, error.details))

    def _requeue(self, running: RunningJob, reason: Reason) -> None:
        """Put the job back. A worker's shutdown is not counted against the job."""
        stopping = reason.code == STOPPING
        attempts = UNLIMITED_ATTEMPTS if stopping else self.config.attempts
        self.settlement.requeue(running.lease, attempts, reason)

    def _drop(self, running: RunningJob) -> None:
        """Cancel a job whose lease is gone, unless it has just been settled."""
        if self.running.get(running.lease.job.id) is running:
            running.lease_lost = True
            running.render.cancel(LEASE_LOST)
