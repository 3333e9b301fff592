"""The clock's entry point: outbox relay, sweeper, steward. Run as `python -m tasks.clock`.

One is enough, several do no harm. It knows no engine and no courier.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from threading import Event, Thread

import structlog

from tasks import logs, readiness
from tasks.app import make_app
from tasks.blobs import Blobs, default_url
from tasks.bus import Bus
from tasks.outbox import Relay
from tasks.policy import Policy, PolicyError, find, load
from tasks.servers import MissingServer, broker_of, database_of, redis_of
from tasks.settings import Settings
from tasks.steward import Steward
from tasks.store.database import Database
from tasks.sweep import Sweeper

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 1.0  # before a duty that broke is begun again

Duty = Callable[[Event], None]
"""Runs until the event is set, through restarts of the servers."""


def duties(settings: Settings, policy: Policy, database: Database) -> Sequence[Duty]:
    """Everything that has to happen from time to time. Raises MissingServer."""
    blobs = Blobs(settings.blobs_url or default_url(settings.home))
    relay = Relay(database, make_app(broker_of(settings)))
    sweeper = Sweeper(database, blobs, Bus(redis_of(settings)), policy)
    steward = Steward(database, policy)
    return [relay.run, sweeper.run, steward.run]


def run(all_duties: Sequence[Duty], stop: Event) -> None:
    """Do all duties until `stop` is set; one that breaks is begun again."""
    threads = [Thread(target=_keep, args=[duty, stop], daemon=True) for duty in all_duties]
    for thread in threads:
        thread.start()
    readiness.announce()
    stop.wait()
    for thread in threads:
        thread.join(timeout=5.0)


def _keep(duty: Duty, stop: Event) -> None:
    """A thread that ended would not be missed: tickets, leases or doors would just stand still."""
    while not stop.is_set():
        try:
            duty(stop)
        except Exception:
            log.exception("duty-broken")
            stop.wait(PAUSE_SECONDS)


def main() -> int:
    """Run the clock by the environment's settings; its exit status."""
    settings = Settings()
    logs.configure(settings.log_format)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        policy = load(find(settings.config))
        database = Database(database_of(settings))
        run(duties(settings, policy, database), stop)
    except (MissingServer, PolicyError) as error:
        print(error, file=sys.stderr)
        return 1
    database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
