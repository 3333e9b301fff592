"""The clock's entry point: outbox relay, sweeper and periodic tasks.

Run as `python -m tasks.maintenance.process`. One is enough; several do no harm. It imports no
engine and no publisher.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from threading import Event, Thread

import structlog

from tasks.maintenance.erasure_sweep import ErasureSweep
from tasks.maintenance.ledger_audit import LedgerAudit
from tasks.maintenance.orphan_check import OrphanCheck
from tasks.maintenance.outbox_relay import Relay
from tasks.maintenance.periodic import PeriodicTasks
from tasks.maintenance.sweeper import Sweeper
from tasks.policy.config import Policy, PolicyError, find, load
from tasks.runtime import logs, readiness
from tasks.runtime.addresses import (
    MissingServer,
    UnsuitableServer,
    broker_of,
    database_of,
    redis_of,
)
from tasks.runtime.blobs import blobs_of
from tasks.runtime.celery_app import make_app
from tasks.runtime.events import Bus
from tasks.runtime.settings import WRONG_CONFIGURATION, Settings
from tasks.store.database import Database
from tasks.store.startup_checks import check_servers, check_storage
from tasks.store.storage_pairing import StoreMismatch

log = structlog.get_logger(__name__)

RESTART_SECONDS = 1.0  # before a service that crashed is started again

Service = Callable[[Event], None]
"""Runs until the event is set, through restarts of the servers."""


def services(settings: Settings, policy: Policy, database: Database) -> Sequence[Service]:
    """The services of the clock process. Raises MissingServer."""
    blobs = blobs_of(settings)
    relay = Relay(database, make_app(broker_of(settings)))
    sweeper = Sweeper(database, Bus(redis_of(settings)), policy)
    periodic_tasks = PeriodicTasks(database, policy)
    orphan_check = OrphanCheck(database, blobs)
    audit, erasure = LedgerAudit(database), ErasureSweep(database, blobs)
    return [
        relay.run,
        sweeper.run,
        periodic_tasks.run,
        orphan_check.run,
        audit.run,
        erasure.run,
    ]


def run(all_services: Sequence[Service], stop: Event) -> None:
    """Run all services until `stop` is set; one that crashes is started again."""
    threads = [Thread(target=_supervise, args=[one, stop], daemon=True) for one in all_services]
    for thread in threads:
        thread.start()
    readiness.announce()
    stop.wait()
    for thread in threads:
        thread.join(timeout=5.0)


def _supervise(service: Service, stop: Event) -> None:
    """Without this, a thread that ended would stop tickets, leases or doors unnoticed."""
    while not stop.is_set():
        try:
            service(stop)
        except Exception:
            log.exception("service-crashed", service=getattr(service, "__qualname__", ""))
            stop.wait(RESTART_SECONDS)


def main() -> int:
    """Run the clock by the environment's settings; its exit status."""
    settings = Settings()
    logs.configure(settings.log_format)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        policy = load(find(settings.config))
        check_servers(settings)
        database = Database(database_of(settings))
        check_storage(database, blobs_of(settings))
        run(services(settings, policy, database), stop)
    except (MissingServer, PolicyError) as error:
        print(error, file=sys.stderr)
        return 1
    except (StoreMismatch, UnsuitableServer) as error:
        print(error, file=sys.stderr)
        return WRONG_CONFIGURATION
    database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
