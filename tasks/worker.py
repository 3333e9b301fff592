"""The worker's entry point: one process for one GPU, or the CPU. Run as `python -m tasks.worker`.

Put together here and nowhere else: the engine, the renderer, the postroom with its couriers, and
Celery on threads in this very process. It ends in good order on SIGTERM: no more jobs are leased,
those that run are finished or, after a while, put back in the line, and postings are carried out.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event, Thread, Timer
from typing import Any
from uuid import UUID, uuid4

import anyio.to_thread
import psycopg
import structlog
from celery import Celery
from celery.platforms import SecurityWarning
from celery.signals import setup_logging, worker_ready, worker_shutting_down
from sqlalchemy.exc import DBAPIError, OperationalError

from imaging.engine.blank import BlankRunner
from imaging.engine.engine import Engine
from imaging.errors import ImagingError
from imaging.profiles import Profile, profile_for
from tasks import logs, readiness
from tasks.app import QUEUE, make_app, on_ticket
from tasks.blobs import Blobs, default_url
from tasks.bus import Bus
from tasks.deliver import Connect
from tasks.fairness import RELAXED, RELAXED_WEIGHT
from tasks.identity import claim_identity
from tasks.job import JobEvent
from tasks.loops import Loop, end_if_hung
from tasks.policy import Policy, PolicyError, find, load
from tasks.postroom import Postroom, found_couriers
from tasks.render import Lanes, Renderer, Terms
from tasks.rights import Rights
from tasks.seal import Seal
from tasks.servers import MissingServer, broker_of, database_of, redis_of, seal_of
from tasks.settings import Settings
from tasks.slots import Slots
from tasks.store import installs, transitions, workers
from tasks.store.database import Database
from tasks.store.workers import WorkerCard

log = structlog.get_logger(__name__)

BEAT_SECONDS = 2.0
WATCH_SECONDS = 0.2
HUNG_SECONDS = 600.0
FINISH_SECONDS = 8.0  # for jobs that run, after SIGTERM; `atelier up` ends within 15
GIVE_BACK_SECONDS = 2.0  # for those that were stopped
POST_SECONDS = 3.0  # for postings that go on, after that
HEADROOM = 1
STOP_CHANNEL = "atelier_stop"


@dataclass(frozen=True, slots=True)
class Desk:
    """What couriers may ask of this worker."""

    settings: Settings
    database: Database
    bus: Bus
    seal: Seal

    async def install(self, platform: str, workspace: str) -> Mapping[str, Any] | None:
        """What was kept when the app was installed in a workspace, or None."""
        return await anyio.to_thread.run_sync(
            lambda: self.database.run(
                lambda connection: installs.read(connection, self.seal, platform, workspace)
            )
        )

    async def publish(self, event: JobEvent) -> None:
        """Tell a live event to whoever listens."""
        await anyio.to_thread.run_sync(self.bus.publish, event)


def lanes_of(policy: Policy) -> Lanes:
    """The lanes by weight, heaviest first, and those of paid work within its quota."""
    weights = {tier.value: row.weight for tier, row in policy.tiers.items()}
    paid = {tier.value for tier in policy.tiers if tier.paid}
    every = sorted([*weights, RELAXED], key=lambda lane: -weights.get(lane, RELAXED_WEIGHT))
    return Lanes(every, [lane for lane in every if lane in paid])


@dataclass(slots=True)
class Worker:
    """All the parts of one worker process."""

    app: Celery
    database: Database
    engine: Engine
    renderer: Renderer
    postroom: Postroom
    profiles: Mapping[str, Profile]
    name: str
    token: UUID

    def run(self) -> None:
        """Serve until SIGTERM."""
        heartbeat = Loop("heartbeat", self.beat, BEAT_SECONDS)
        watch = Loop("watch", self.watch, WATCH_SECONDS)
        ears = Ears(self.database, self.renderer)

        def ready(**_: object) -> None:
            # Not before: until then SIGTERM ends the process at once, with what it had taken.
            watch.start()
            readiness.announce()

        self.take_over()
        self.postroom.start()
        self.warm_up()
        self.beat()
        heartbeat.start()
        ears.start()
        on_ticket(self.app, self.renderer.serve)
        worker_ready.connect(ready, weak=False)
        worker_shutting_down.connect(self._drain, weak=False)
        try:
            self.take_tickets()
        finally:
            self.renderer.give_all_back()
            self.renderer.wait_idle(GIVE_BACK_SECONDS)
            self.postroom.stop(POST_SECONDS)
            ears.stop()
            for loop in (watch, heartbeat):
                loop.stop()
            self.engine.stop(timeout=1.0)
            self.leave()

    def take_tickets(self) -> None:
        """Run Celery on threads, in this process, until it is told to end."""
        self.app.Worker(
            pool="threads",
            concurrency=self.renderer.slots.size,
            queues=[QUEUE],
            hostname=f"{self.name}@celery",
            quiet=True,
            without_gossip=True,  # nothing that workers tell each other is needed
            without_mingle=True,
            without_heartbeat=True,
        ).start()

    def take_over(self) -> None:
        """Put back in the line what an earlier process of this name was working on."""
        freed = self.database.run(
            lambda connection: transitions.requeue(
                connection,
                attempts=self.renderer.terms.attempts,
                outcome="lost",
                owner=self.name,
            )
        )
        if freed:
            log.warning("took-over", jobs=[str(job) for job in freed])

    def warm_up(self) -> None:
        """Load the models, so that the first picture is not slow."""
        for name in self.profiles:
            try:
                self.engine.warm_up(name).result()
            except ImagingError as error:  # it serves on: each job fails with this reason
                log.exception("model-broken", model=name, code=error.code)

    def beat(self) -> None:
        """Renew leases, present ourselves, and look whether the engine still lives."""
        self.renderer.beat()
        card = self.card()
        self.database.run(lambda connection: workers.present(connection, card), patience=0)
        end_if_hung(self.engine.load, HUNG_SECONDS)

    def card(self) -> WorkerCard:
        """How we stand."""
        rates = {name: self._seconds_per_picture(name) for name in self.profiles}
        return WorkerCard(
            name=self.name,
            token=self.token,
            device=self.engine.load().device,
            profiles={name: {"steps": profile.steps} for name, profile in self.profiles.items()},
            slots=self.renderer.slots.size,
            running=self.renderer.running,
            rates={name: rate for name, rate in rates.items() if rate is not None},
        )

    def _seconds_per_picture(self, profile: str) -> float | None:
        kinds = [rate for rate in self.engine.rates() if rate.profile == profile]
        return max(kinds, key=lambda rate: rate.pictures).seconds if kinds else None

    def watch(self) -> None:
        """Take ready work that no ticket brought: it was lost, or swallowed by a busy worker."""
        if self.renderer.work_is_ready():
            Thread(target=self.renderer.serve, name="watch-serve", daemon=True).start()

    def leave(self) -> None:
        """Say goodbye, if the record can be reached."""
        try:
            self.database.run(lambda c: workers.leave(c, self.name, self.token), patience=1.0)
        except DBAPIError as error:
            log.warning("left-unannounced", error=str(error).strip())
        self.database.close()

    def _drain(self, **_: object) -> None:
        """SIGTERM: take no more, and give what is not finished in time back to the line."""
        self.renderer.stop_taking()
        timer = Timer(FINISH_SECONDS, self.renderer.give_all_back)
        timer.daemon = True
        timer.start()


def _keep_logs(**_: object) -> None:
    """Celery sets logging up itself unless somebody listens to this signal."""


class Ears:
    """Hears that a running job is to be stopped, so that its device is free within a step."""

    def __init__(self, database: Database, renderer: Renderer) -> None:
        self._database = database
        self._renderer = renderer
        self._stop = Event()
        self._thread = Thread(target=self._run, name="ears", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """End within a second."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._database.listen(STOP_CHANNEL) as connection:
                    while not self._stop.is_set():
                        for notice in connection.notifies(timeout=1.0, stop_after=1):
                            self._renderer.stop_job(UUID(notice.payload))
            except psycopg.Error as error:  # the heartbeat hears the same, if later
                log.warning("ears-interrupted", error=str(error).strip())
                self._stop.wait(1.0)


@dataclass(frozen=True, slots=True)
class Equipment:
    """What benches and tests put in the place of the model and of the platforms."""

    blank: BlankRunner | None = None
    couriers: Mapping[str, Connect] | None = None
    engine: Engine | None = None


def build(settings: Settings, policy: Policy, name: str, equipment: Equipment) -> Worker:
    """The worker of these settings. Raises MissingServer or ImagingError."""
    database = Database(database_of(settings), size=8)
    bus = Bus(redis_of(settings))
    blobs = Blobs(settings.blobs_url or default_url(settings.home))
    profile = profile_for(settings.model)
    engine = equipment.engine or Engine([profile], blobs.get, blank=equipment.blank)
    desk = Desk(settings, database, bus, seal_of(settings))
    postroom = Postroom(database, blobs, bus, desk, equipment.couriers or found_couriers())
    slots = Slots(engine.load().slots + HEADROOM, HEADROOM)
    terms = Terms(name, [profile.name], lanes_of(policy), policy.limits.attempts)
    rights = Rights(database, policy, postroom.roles)
    renderer = Renderer(database, blobs, bus, postroom, engine, terms, slots, rights)
    app = make_app(broker_of(settings))
    profiles = {profile.name: profile}
    return Worker(app, database, engine, renderer, postroom, profiles, name, uuid4())


def main(equipment: Equipment = Equipment()) -> int:
    """Run a worker by the environment's settings; its exit status."""
    settings = Settings()
    logs.configure(settings.log_format)
    logging.getLogger("celery").setLevel(logging.WARNING)  # or each ticket makes two lines
    setup_logging.connect(_keep_logs, weak=False)
    # It warns root of pickled messages; ours are empty, and only JSON is read.
    warnings.simplefilter("ignore", SecurityWarning)
    identity = claim_identity(settings.home)
    try:
        policy = load(find(settings.config))
        worker = build(settings, policy, identity.name, equipment)
    except (MissingServer, PolicyError, ImagingError) as error:
        print(error, file=sys.stderr)
        return 1
    try:
        worker.run()
    except OperationalError as error:
        check = "check ATELIER_DATABASE_URL, where it is set"
        print(f"The record cannot be reached ({check}): {error.orig}", file=sys.stderr)
        return 1
    finally:
        identity.release()
    return 0


if __name__ == "__main__":
    status = main()
    logging.shutdown()
    # Everything is put away. Python would now take torch's objects apart one by one, for seconds.
    os._exit(status)
