"""The worker's entry point: one process for one GPU, or the CPU.

Run as `python -m tasks.worker.process`. It composes the engine, the renderer, the delivery
dispatcher with its publishers, and Celery on threads in this very process.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio.to_thread
from celery.platforms import SecurityWarning
from celery.signals import setup_logging
from sqlalchemy.exc import OperationalError

from imaging.engine.batch_limits import MAX_BATCH
from imaging.engine.blank_runner import BlankRunner
from imaging.errors import ImagingError
from tasks.admission.recheck import Rights
from tasks.delivery.dispatcher import DeliveryDispatcher, installed_publishers
from tasks.delivery.publisher import Connect
from tasks.jobs.job import JobEvent
from tasks.policy.config import Policy, PolicyError, find, load
from tasks.queue.fairness import RELAXED, RELAXED_WEIGHT
from tasks.queue.load import HEADROOM
from tasks.runtime import logs
from tasks.runtime.addresses import (
    MissingServer,
    UnsuitableServer,
    broker_of,
    cipher_of,
    database_of,
    redis_of,
)
from tasks.runtime.blobs import blobs_of
from tasks.runtime.celery_app import make_app
from tasks.runtime.encryption import TokenCipher
from tasks.runtime.events import Bus
from tasks.runtime.settings import WRONG_CONFIGURATION, Settings, environment
from tasks.store import installs
from tasks.store.database import Database
from tasks.store.startup_checks import check_servers, check_storage
from tasks.store.storage_pairing import StoreMismatch
from tasks.worker.config import Lanes, WorkerConfig
from tasks.worker.engines import WorkerEngine, WorkerModels, combined, engines_of
from tasks.worker.identity import claim_identity
from tasks.worker.lease_loop import LeaseLoop
from tasks.worker.lease_loops import LeaseLoops
from tasks.worker.renderer import Renderer
from tasks.worker.served_models import AllServedModels, ServedModels
from tasks.worker.settlement import Settlement
from tasks.worker.slots import Slots
from tasks.worker.store_patience import StorePatience
from tasks.worker.worker import Worker


@dataclass(frozen=True, slots=True)
class WorkerPublisherContext:
    """What publishers may ask of this worker."""

    settings: Settings
    database: Database
    bus: Bus
    seal: TokenCipher

    async def install(self, platform: str, workspace: str) -> Mapping[str, Any] | None:
        """What was stored when the app was installed in a workspace, or None."""
        return await anyio.to_thread.run_sync(
            lambda: self.database.run(
                lambda connection: installs.read(connection, self.seal, platform, workspace)
            )
        )

    async def publish(self, event: JobEvent) -> None:
        """Publish a live event."""
        await anyio.to_thread.run_sync(self.bus.publish, event)


def lanes_of(policy: Policy) -> Lanes:
    """The lanes by weight, heaviest first, and those of paid work within its quota."""
    weights = {tier.value: row.weight for tier, row in policy.tiers.items()}
    paid = {tier.value for tier in policy.tiers if tier.paid}
    every = sorted([*weights, RELAXED], key=lambda lane: -weights.get(lane, RELAXED_WEIGHT))
    return Lanes(every, [lane for lane in every if lane in paid])


@dataclass(frozen=True, slots=True)
class WorkerOverrides:
    """What benches and tests use instead of the model and the platforms."""

    blank: BlankRunner | None = None
    publishers: Mapping[str, Connect] | None = None
    engines: Sequence[WorkerEngine] = ()


def build(settings: Settings, policy: Policy, name: str, overrides: WorkerOverrides) -> Worker:
    """The worker of these settings.

    Raises MissingServer, UnsuitableServer, StoreMismatch or ImagingError.
    """
    check_servers(settings)
    database = Database(database_of(settings), size=8)
    bus = Bus(redis_of(settings))
    blobs = blobs_of(settings)
    check_storage(database, blobs)
    patience = StorePatience()

    def read(name: str) -> bytes:
        return patience.call(lambda: blobs.get(name))

    wanted = WorkerModels(
        default=settings.model,
        servers=policy.models,
        environment=environment(),
        local=policy.local_models,
        only=names_of(settings.models),
        folder=settings.home / "models",
    )
    engines = overrides.engines or engines_of(wanted, read, blank=overrides.blank)
    context = WorkerPublisherContext(settings, database, bus, cipher_of(settings))
    dispatcher = DeliveryDispatcher(
        database, blobs, bus, context, overrides.publishers or installed_publishers()
    )
    config = WorkerConfig(name, lanes_of(policy), policy.limits.attempts)
    rights = Rights(database, policy, dispatcher.roles)
    engine = combined(engines)
    served = [ServedModels(one.engine, one.profiles, one.prepare) for one in engines]
    models = AllServedModels(served)
    settlement = Settlement(database, blobs, bus, dispatcher, patience)
    renderer = Renderer(engine, config, rights, settlement, models)
    loops = [_lease_loop(*pair, renderer) for pair in zip(engines, served, strict=True)]
    return Worker(
        name=name,
        app=make_app(broker_of(settings)),
        database=database,
        engine=engine,
        dispatcher=dispatcher,
        renderer=renderer,
        lease_loops=LeaseLoops(loops),
        models=models,
        drain_seconds=settings.drain_seconds,
    )


def names_of(setting: str | None) -> Sequence[str] | None:
    """The names of ATELIER_MODELS; None where it is unset."""
    names = [name.strip() for name in (setting or "").split(",")]
    return [name for name in names if name] or None


def _lease_loop(one: WorkerEngine, models: ServedModels, renderer: Renderer) -> LeaseLoop:
    """The loop that leases jobs for one engine."""
    load = one.engine.load
    return LeaseLoop(
        database=renderer.settlement.database,
        config=renderer.config,
        slots=Slots(load().slots + HEADROOM, HEADROOM, MAX_BATCH),
        profiles=models.names,
        run_job=renderer.run,
        batch_limit=lambda: load().batch_limit,
    )


def main(overrides: WorkerOverrides = WorkerOverrides()) -> int:
    """Run a worker by the environment's settings; its exit status."""
    settings = Settings()
    logs.configure(settings.log_format)
    _configure_celery_logging()
    identity = claim_identity(settings.home)
    try:
        policy = load(find(settings.config))
        worker = build(settings, policy, identity.name, overrides)
    except (MissingServer, PolicyError, ImagingError) as error:
        print(error, file=sys.stderr)
        return 1
    except (StoreMismatch, UnsuitableServer) as error:
        print(error, file=sys.stderr)
        return WRONG_CONFIGURATION
    try:
        worker.run()
    except OperationalError as error:
        check = "check ATELIER_DATABASE_URL, if it is set"
        print(f"Postgres cannot be reached ({check}): {error.orig}", file=sys.stderr)
        return 1
    finally:
        identity.release()
    return 0


def _configure_celery_logging() -> None:
    logging.getLogger("celery").setLevel(logging.WARNING)  # or each ticket makes two lines
    setup_logging.connect(_keep_logging, weak=False)
    # It warns root of pickled messages; ours are empty, and only JSON is read.
    warnings.simplefilter("ignore", SecurityWarning)


def _keep_logging(**_: object) -> None:
    """A receiver of `setup_logging`: without one, Celery configures logging itself."""


if __name__ == "__main__":
    status = main()
    logging.shutdown()
    # Nothing is left to do. Python would now free torch's objects one by one, for seconds.
    os._exit(status)
