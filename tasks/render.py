"""The worker's side of a job: lease it, have it rendered, store the pictures, hand them on.

A ticket calls `serve`, which works while there are jobs to lease; a watch thread does the same when
it finds ready work and a free place, so a lost ticket costs a fifth of a second. A heartbeat renews
the leases; a job whose lease was lost is dropped, for somebody else has it now.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Protocol
from uuid import UUID, uuid4

import structlog
from sqlalchemy.exc import DBAPIError

from imaging.engine.engine import EngineLoad
from imaging.engine.rendering import Rendering
from imaging.errors import ImagingError, RenderCancelled
from imaging.request import FinishedPicture, ImageRequest
from tasks.blobs import Blobs, picture_name
from tasks.bus import Bus, ended, progressed
from tasks.job import JobState, Reason
from tasks.load import SharedClock
from tasks.packing import pack
from tasks.postroom import HOLD_SECONDS, Postroom
from tasks.rights import Rights
from tasks.slots import Slots
from tasks.store import deliveries, jobs, leases, transitions
from tasks.store.database import Database
from tasks.store.deliveries import Claim
from tasks.store.leases import Taker
from tasks.store.together import Together
from tasks.store.transitions import Finished, Lease, NewPicture, Rendered

log = structlog.get_logger(__name__)

LEASE_SECONDS = 10.0
SETTLE_PATIENCE = 60.0  # a finished picture is worth waiting for a database that restarts
PATIENCE_SECONDS = 0.2  # between looks whether the worker is told to end
STOPPING = "worker-stopping"
LEASE_LOST = "lease-lost"


class Painter(Protocol):
    """The engine, as far as the worker needs it: `imaging.engine.engine.Engine`."""

    def submit(self, request: ImageRequest, *, seconds: float | None = None) -> Rendering:
        """Take a request; its result says how it went."""

    def load(self) -> EngineLoad:
        """How busy the engine is."""


@dataclass(eq=False, slots=True)
class Running:
    """A job that this worker has a lease on."""

    lease: Lease
    rendering: Rendering
    stop: Reason | None = None  # why it was asked to stop
    dropped: bool = False  # the lease is somebody else's now


@dataclass(frozen=True, slots=True)
class Lanes:
    """The lanes a worker takes from, most pressing first, and those that express places take."""

    every: Sequence[str]
    express: Sequence[str]


@dataclass(frozen=True, slots=True)
class Terms:
    """How a worker works. `attempts` is how many times a job may begin."""

    name: str
    profiles: Sequence[str]
    lanes: Lanes
    attempts: int
    lease_seconds: float = LEASE_SECONDS


@dataclass(slots=True)
class Renderer:
    """Leases and renders. `serve` may be called by any number of threads at once."""

    database: Database
    blobs: Blobs
    bus: Bus
    postroom: Postroom
    engine: Painter
    terms: Terms
    slots: Slots
    rights: Rights
    _running: dict[UUID, Running] = field(init=False, default_factory=dict)
    _device: SharedClock = field(init=False, default_factory=SharedClock)
    _lock: Lock = field(init=False, default_factory=Lock)
    _stopping: Event = field(init=False, default_factory=Event)
    _helpers: ThreadPoolExecutor = field(init=False)
    _leasing: Together[Sequence[bool], Sequence[Lease]] = field(init=False)
    _settling: Together[Finished, Rendered | None] = field(init=False)

    def __post_init__(self) -> None:
        self._helpers = ThreadPoolExecutor(self.slots.size, "serve")
        self._leasing = Together(self._lease)
        self._settling = Together(self._record)

    # -- taking work ----------------------------------------------------------------------------

    def serve(self, jobs: int = 1) -> None:
        """Work while there is work, on as many threads as there may be `jobs` and are places.

        Waits for a place first: a worker without one must not take the tickets that others could
        use, and takes no more of them than it has threads.
        """
        while not self._stopping.is_set() and not self.slots.wait(PATIENCE_SECONDS):
            pass
        leased = self._take(jobs)
        for lease in leased[1:]:
            self._helpers.submit(self._help, lease)
        if leased:
            self._go_on(leased[0])

    def _help(self, lease: Lease) -> None:
        try:
            self._go_on(lease)
        except Exception:  # nobody waits for this thread's result
            log.exception("serve-broken")

    def _go_on(self, lease: Lease) -> None:
        """Work on a job, then on the next, until there is none for this place."""
        following: Sequence[Lease] = [lease]
        while following:
            try:
                with structlog.contextvars.bound_contextvars(job=str(following[0].job.id)):
                    self._work(following[0])
            except DBAPIError as error:
                log.warning("worker-interrupted", error=str(error).strip())
                return
            finally:
                self.slots.release()
            following = self._take(1)

    def _take(self, jobs: int) -> Sequence[Lease]:
        """Leases for so many jobs, as far as there are places and work; each holds a place."""
        places = [] if self._stopping.is_set() else self.slots.take(jobs)
        leased: Sequence[Lease] = ()
        try:
            if places:
                leased = self._leasing(places)
        except DBAPIError as error:
            log.warning("worker-interrupted", error=str(error).strip())
        finally:
            self.slots.release(len(places) - len(leased))
        return leased

    def _lease(self, wanted: Sequence[Sequence[bool]]) -> list[list[Lease]]:
        """Leases for places; False stands for one that only express work may take."""
        lanes, terms = self.terms.lanes, self.terms
        taker = Taker(terms.name, lanes.every, terms.profiles, lanes.express)
        places = sorted(
            ((whose, place) for whose, part in enumerate(wanted) for place in part),
            key=lambda one: not one[1],
        )
        express = sum(not place for _, place in places)
        taken = self.database.read(
            lambda connection: leases.lease_several(
                connection, taker, terms.lease_seconds, len(places), express
            ),
            patience=0,
        )
        leased: list[list[Lease]] = [[] for _ in wanted]
        for (whose, _), lease in zip(places, taken, strict=False):
            leased[whose].append(lease)
        return leased

    def work_is_ready(self) -> bool:
        """Whether there is a job for a place that is free."""
        free = self.slots.size - self.slots.taken
        if free == 0 or self._stopping.is_set():
            return False
        return self.database.read(
            lambda connection: leases.any_ready(
                connection, self.terms.lanes.every, self.terms.profiles
            ),
            patience=0,
        )

    # -- one job --------------------------------------------------------------------------------

    def _work(self, lease: Lease) -> None:
        job = lease.job
        if (lost := self.rights.lost(job)) is not None:
            log.info("right-lost", tier=job.tier.value, code=lost.code)
            self._end(lease, JobState.REFUSED, lost)
            return
        log.info("rendering", attempt=job.attempt, tier=job.tier.value)
        running = Running(lease, self.engine.submit(job.order.request))
        with self._lock:
            self._running[job.id] = running
            begun = self._device.begin(time.monotonic())
        used: float | None = None
        try:
            for progress in running.rendering.updates():
                self.bus.publish(progressed(job, progress))
                self.postroom.tell(job, progress)
            finished = running.rendering.result()
            used = self._used(begun)
            self._settle(running, finished, used)
        except ImagingError as error:
            self._failed(running, error)
        except Exception as error:  # ours, not the request's: another try may go well
            log.exception("render-broken")
            self._give_back(running, Reason("imaging-failed", {"error": type(error).__name__}))
        finally:
            with self._lock:
                self._running.pop(job.id, None)
            self.postroom.forget(job.id)  # which a posting that goes on does not mind
            if used is None:
                self._used(begun)

    def _used(self, begun: float) -> float:
        """A job has left the device: its share of the device's time, in seconds."""
        with self._lock:
            return self._device.end(begun, time.monotonic())

    def _settle(self, running: Running, finished: Sequence[FinishedPicture], used: float) -> None:
        """Store the pictures, then say so in the record, then hand them to the postroom."""
        lease = running.lease
        made = [self._store(lease, index, one) for index, one in enumerate(finished)]
        poster = uuid4()
        claim = Claim(lease.job.id, poster, 1, {})
        settled = self._settling(Finished(lease, made, poster, HOLD_SECONDS, used))
        if settled is not None:
            log.info("rendered", pictures=len(made))
            ready = pack(lease.job, made, finished, settled)
            self.postroom.carry(claim, ready if settled.unfenced else None)
        elif self._settled_before(lease, poster):
            self.postroom.carry(claim)
        else:
            log.warning("lease-was-lost", attempt=lease.job.attempt)
            for picture in made:
                self.blobs.delete(picture.blob)

    def _record(self, finished: Sequence[Finished]) -> list[Rendered | None]:
        return self.database.read(
            lambda connection: transitions.rendered(connection, finished), patience=SETTLE_PATIENCE
        )

    def _settled_before(self, lease: Lease, poster: UUID) -> bool:
        """Whether it was this very call that settled, and only its answer was lost on the way."""
        return self.database.run(
            lambda connection: deliveries.is_ours(connection, lease.job.id, poster)
        )

    def _store(self, lease: Lease, index: int, one: FinishedPicture) -> NewPicture:
        job = lease.job
        name = picture_name(job.id, lease.token, index, one.mime)
        self.blobs.put(name, one.data)
        request = job.order.request.to_json() | {"seed": one.seed, "count": 1}
        return NewPicture(
            id=uuid4(),
            index=index,
            blob=name,
            mime=one.mime,
            width=one.width,
            height=one.height,
            seed=one.seed,
            request=request,
            flagged=one.flagged,
        )

    def _failed(self, running: Running, error: ImagingError) -> None:
        if running.dropped:
            log.warning("lease-was-lost", attempt=running.lease.job.attempt)
        elif running.stop is not None and running.stop.code == STOPPING:
            self._give_back(running, running.stop)
        elif running.stop is not None and isinstance(error, RenderCancelled):
            self._end(running.lease, JobState.CANCELLED, running.stop)
        elif error.lasting:
            log.info("render-failed", code=error.code, error=str(error))
            self._end(running.lease, JobState.FAILED, Reason(error.code, error.details))
        else:
            log.warning("render-interrupted", code=error.code, error=str(error))
            self._give_back(running, Reason(error.code, error.details))

    def _give_back(self, running: Running, reason: Reason) -> None:
        """Back to the line; or failed, where it has begun often enough."""
        lease = running.lease
        # A worker that was told to stop is not the job's fault, so it always may begin once more.
        attempts = self.terms.attempts if reason.code != STOPPING else 2**31 - 1
        given_back = self.database.run(
            lambda connection: transitions.requeue(
                connection, attempts=attempts, outcome="requeued", reason=reason, lease=lease
            ),
            patience=SETTLE_PATIENCE,
        )
        if not given_back:
            self._end(running.lease, JobState.FAILED, reason)

    def _end(self, lease: Lease, state: JobState, reason: Reason) -> None:
        gone = self.database.run(
            lambda connection: transitions.end(
                connection,
                lease.job.id,
                [JobState.RUNNING],
                state,
                reason,
                attempt=lease.job.attempt,
                token=lease.token,
            ),
            patience=SETTLE_PATIENCE,
        )
        row = self.database.run(lambda connection: jobs.read(connection, lease.job.id))
        if gone and row is not None:
            self.bus.publish(ended(row))

    # -- heartbeat, stopping --------------------------------------------------------------------

    def beat(self) -> None:
        """Hold leases and postings longer; stop what is to be stopped, drop what was lost."""
        with self._lock:
            held = list(self._running.values())
        renewed = self.database.run(
            lambda connection: leases.renew(
                connection, [one.lease for one in held], self.terms.lease_seconds
            ),
            patience=0,
        )
        for one in held:
            if one.lease.token not in renewed:
                self._drop(one)
            elif reason := renewed[one.lease.token]:
                self._stop(one, reason)
        posters = self.postroom.claims()
        if posters:
            self.database.run(
                lambda connection: deliveries.hold(connection, posters, HOLD_SECONDS), patience=0
            )

    def _drop(self, one: Running) -> None:
        """Its lease is gone, unless it has just been settled and is no longer among the running."""
        with self._lock:
            if self._running.get(one.lease.job.id) is not one:
                return
        one.dropped = True
        one.rendering.cancel(LEASE_LOST)

    def _stop(self, one: Running, reason: Reason) -> None:
        if one.stop is None:
            one.stop = reason
        one.rendering.cancel(one.stop.code)

    def stop_job(self, job: UUID) -> None:
        """A member has cancelled this job; nothing happens where it is not here."""
        with self._lock:
            one = self._running.get(job)
        if one is not None:
            self._stop(one, Reason("cancelled"))

    def stop_taking(self) -> None:
        """Lease no more jobs; those that run go on."""
        self._stopping.set()

    def give_all_back(self) -> None:
        """Stop what runs and put it back in the line: this worker is about to end."""
        self.stop_taking()
        with self._lock:
            held = list(self._running.values())
        for one in held:
            self._stop(one, Reason(STOPPING))

    def wait_idle(self, patience: float) -> None:
        """Wait until nothing runs, `patience` seconds at most."""
        deadline = time.monotonic() + patience
        while self.running and time.monotonic() < deadline:
            time.sleep(0.02)

    @property
    def running(self) -> int:
        """How many jobs are being rendered."""
        with self._lock:
            return len(self._running)
