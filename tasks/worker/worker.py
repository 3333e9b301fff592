"""One worker: its start, its heartbeat, and its shutdown in good order.

It is ready once every model was tried and one can be used; a model gets jobs once it has drawn.
On SIGTERM it leases no more jobs and returns those that have not begun to the queue. Running jobs
finish within `drain_seconds`; a second SIGTERM returns them to the queue at once. Deliveries in
progress are completed.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from threading import Event, Lock, Thread, Timer
from uuid import UUID, uuid4

import structlog
from celery import Celery
from celery.signals import worker_ready, worker_shutting_down
from sqlalchemy.exc import DBAPIError

from imaging.engine.protocol import ImageEngine
from imaging.profile_card import card_of
from tasks.delivery.dispatcher import DeliveryDispatcher
from tasks.queue.device_use import DeviceCounters, DeviceMeter, DeviceUse
from tasks.runtime import readiness
from tasks.runtime.celery_app import QUEUE, on_ticket
from tasks.store import transitions, workers
from tasks.store.database import Database
from tasks.store.leases import STOP_CHANNEL
from tasks.store.workers import DRAIN_CHANNEL, WorkerCard
from tasks.worker.lease_loops import LeaseLoops
from tasks.worker.loops import Loop, end_if_hung
from tasks.worker.renderer import Renderer
from tasks.worker.served_models import AllServedModels
from tasks.worker.stop_listener import StopListener

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 2.0
WATCH_SECONDS = 0.2
HUNG_SECONDS = 600.0
REQUEUE_SECONDS = 2.0  # for jobs that were stopped
DELIVER_SECONDS = 3.0  # then, for deliveries in progress


@dataclass(slots=True)
class Worker:
    """All the parts of one worker process. `token` tells this process from its predecessors."""

    name: str
    app: Celery
    database: Database
    engine: ImageEngine
    dispatcher: DeliveryDispatcher
    renderer: Renderer
    lease_loops: LeaseLoops
    models: AllServedModels
    drain_seconds: float = 960.0
    token: UUID = field(default_factory=uuid4)
    _meter: DeviceMeter = field(init=False, default_factory=DeviceMeter)
    _draining: Event = field(init=False, default_factory=Event)
    _drain_requested: Event = field(init=False, default_factory=Event)
    _consuming: Event = field(init=False, default_factory=Event)
    _registering: Lock = field(init=False, default_factory=Lock)

    def run(self) -> None:
        """Serve until SIGTERM."""
        heartbeat = Loop("heartbeat", self.beat, HEARTBEAT_SECONDS)
        watch = Loop("watch", self.watch, WATCH_SECONDS)
        stop_listener = StopListener(self.database, STOP_CHANNEL, self._cancel)
        drain_listener = StopListener(self.database, DRAIN_CHANNEL, self._drain_if_named)

        def ready(**_: object) -> None:
            # Not before: until then SIGTERM ends the process at once, with the jobs it has leased.
            watch.start()
            self._consuming.set()
            self._announce_if_ready()

        self.requeue_lost_jobs()
        self.dispatcher.start()
        self.beat()
        heartbeat.start()
        self.models.start(self._models_changed)
        stop_listener.start()
        drain_listener.start()
        on_ticket(self.app, self.lease_loops.serve)
        worker_ready.connect(ready, weak=False)
        worker_shutting_down.connect(self._drain, weak=False)
        try:
            self.consume_tickets()
            if self._draining.is_set():  # Celery has waited for the jobs of its own threads only
                self.renderer.wait_idle(self.drain_seconds)
        finally:
            self.models.stop()
            self._requeue_all()
            self.renderer.wait_idle(REQUEUE_SECONDS)
            self.dispatcher.stop(DELIVER_SECONDS)
            for listener in (stop_listener, drain_listener):
                listener.stop()
            for loop in (watch, heartbeat):
                loop.stop()
            self.engine.stop(timeout=1.0)
            self.unregister()

    def consume_tickets(self) -> None:
        """Run Celery on threads, in this process, until the worker is told to shut down."""
        self.app.Worker(
            pool="threads",
            concurrency=self.lease_loops.base,
            queues=[QUEUE],
            hostname=f"{self.name}@celery",
            quiet=True,
            without_gossip=True,  # workers coordinate through Postgres only
            without_mingle=True,
            without_heartbeat=True,
        ).start()

    def requeue_lost_jobs(self) -> None:
        """Put back in the queue what an earlier process of this name was working on."""
        requeued = self.database.run(
            lambda connection: transitions.requeue_owned(
                connection, self.name, self.renderer.config.attempts
            )
        )
        if requeued:
            log.warning("lost-jobs-requeued", jobs=[str(job) for job in requeued])

    def _models_changed(self) -> None:
        """A model is served from now on, or no more: tell bots, and whoever started this worker."""
        try:
            self._register()
        except DBAPIError as error:  # the heartbeat repeats it
            log.warning("worker-interrupted", error=str(error).strip())
        self._announce_if_ready()

    def _announce_if_ready(self) -> None:
        if self._consuming.is_set() and self.models.settled:
            readiness.announce()

    def beat(self) -> None:
        """Renew leases and claims, register the worker, and end the process if the engine hangs."""
        self.renderer.renew_leases()
        self.dispatcher.renew_claims()
        self._give_back()
        self._register()
        end_if_hung(self.engine.load, HUNG_SECONDS)

    def _register(self) -> None:
        with self._registering:  # or an older card could replace a newer one
            card = self.card()
            self.database.run(lambda connection: workers.register(connection, card), patience=0)

    def _give_back(self) -> None:
        """Return waiting jobs beyond the usual slots to the queue where another worker is idle."""
        for loop in self.lease_loops.loops:
            profiles, surplus = loop.profiles(), loop.slots.surplus
            if surplus and self._another_is_idle(profiles):
                self.renderer.requeue_waiting(surplus, profiles)

    def _another_is_idle(self, profiles: Sequence[str]) -> bool:
        return self.database.run(
            lambda connection: workers.any_other_idle(connection, self.name, profiles), patience=0
        )

    def card(self) -> WorkerCard:
        """The worker's row, as it is now."""
        profiles, faults = self.models.profiles(), self.models.faults()
        rates = {name: self._seconds_per_picture(name) for name in profiles}
        return WorkerCard(
            name=self.name,
            token=self.token,
            device=self.engine.load().device,
            profiles={name: card_of(profile) for name, profile in profiles.items()},
            slots=self.lease_loops.size,
            running=len(self.renderer.running),
            rates={name: rate for name, rate in rates.items() if rate is not None},
            device_use=self._device_use().to_json(),
            model_faults={name: fault.to_json() for name, fault in faults.items()},
            pending_models=self.models.pending(),
        )

    def _device_use(self) -> DeviceUse:
        counters = DeviceCounters(**asdict(self.engine.device_statistics()))
        return self._meter.use(time.monotonic(), counters)

    def _seconds_per_picture(self, profile: str) -> float | None:
        shapes = [rate for rate in self.engine.render_times() if rate.profile == profile]
        return max(shapes, key=lambda rate: rate.pictures).seconds if shapes else None

    def watch(self) -> None:
        """Take ready work whose ticket was lost or taken by a busy worker."""
        for loop, jobs in self.lease_loops.jobs_to_take():
            serve = partial(loop.serve, jobs)
            Thread(target=serve, name="watch-serve", daemon=True).start()

    def unregister(self) -> None:
        """Delete the worker's row, if the database can be reached."""
        try:
            self.database.run(
                lambda connection: workers.unregister(connection, self.name, self.token),
                patience=1.0,
            )
        except DBAPIError as error:
            log.warning("unregister-failed", error=str(error).strip())
        self.database.close()

    def _drain(self, **_: object) -> None:
        """SIGTERM: lease no more, and requeue what has not begun or does not finish in time."""
        if self._draining.is_set():
            self._requeue_all()
            return
        self._draining.set()
        self.lease_loops.stop()
        self.renderer.drain()
        log.info("worker-draining", running=len(self.renderer.running), seconds=self.drain_seconds)
        timer = Timer(self.drain_seconds, self._requeue_all)
        timer.daemon = True
        timer.start()

    def _cancel(self, job: str) -> None:
        self.renderer.cancel(UUID(job))

    def _drain_if_named(self, name: str) -> None:
        """An operator drains a worker: ours then ends as on SIGTERM."""
        if name != self.name or self._draining.is_set() or self._drain_requested.is_set():
            return
        self._drain_requested.set()  # the request is repeated, and a second signal means more
        os.kill(os.getpid(), signal.SIGTERM)

    def _requeue_all(self) -> None:
        self.lease_loops.stop()
        self.renderer.requeue_all()
        self.renderer.settlement.patience.shut_down()
