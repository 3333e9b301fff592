"""The periodic tasks of the clock process.

Any number of clock processes may run: each task is one transaction, and an advisory lock gives it
to one process at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from tasks.maintenance.automatic_doors import AutomaticDoors
from tasks.maintenance.cost_learning import calibrate_estimates, learn_costs
from tasks.maintenance.invitations import invite_members
from tasks.maintenance.queue_folding import record_inflow
from tasks.policy.config import Policy
from tasks.queue.fairness import RELAXED, RELAXED_WEIGHT, lane_of
from tasks.store import flows, load_snapshot, metrics, queue_position, server
from tasks.store.database import Database

log = structlog.get_logger(__name__)

FOLD_SECONDS = 0.5
ADJUST_SECONDS = 2.0


class PeriodicTasks:
    """Folds the queue every half second, and adjusts the rest every two seconds.

    `now` gives seconds; where it is None, the clock of the Postgres server does.
    """

    def __init__(
        self, database: Database, policy: Policy, now: Callable[[], float] | None = None
    ) -> None:
        self._database = database
        self._policy = policy
        self._clock = now
        self._doors = AutomaticDoors(policy)

    def run(self, stop: Event) -> None:
        """Run all tasks until `stop` is set, through restarts of Postgres."""
        last = float("-inf")
        while not stop.wait(FOLD_SECONDS):
            try:
                self.fold()
                if time.monotonic() - last >= ADJUST_SECONDS:
                    last = time.monotonic()
                    self.adjust()
            except DBAPIError as error:
                log.warning("periodic-tasks-interrupted", error=str(error).strip())

    def fold(self) -> None:
        """Fold the queue's changes into pages, and record each lane's inflow."""
        arrived = self._database.run(queue_position.fold)
        if arrived is not None:
            self._database.run(
                lambda connection: record_inflow(connection, arrived, self._now(connection))
            )

    def adjust(self) -> None:
        """Fold metrics, learn costs, calibrate estimates, move automatic doors, invite members."""
        self._database.run(self._adjust)

    def _adjust(self, connection: Connection) -> None:
        if not server.try_lock(connection, "atelier_periodic_tasks"):
            return
        weights = {lane_of(tier, False): row.weight for tier, row in self._policy.tiers.items()}
        flows.set_weights(connection, {**weights, RELAXED: RELAXED_WEIGHT})
        snapshot = load_snapshot.read(connection)
        metrics.fold(connection)
        learn_costs(connection, snapshot)
        calibrate_estimates(connection, snapshot)
        self._doors.move(connection, snapshot, self._now(connection))
        for tier in self._policy.tiers:
            invite_members(connection, snapshot, self._policy, tier)

    def _now(self, connection: Connection) -> float:
        return self._clock() if self._clock else server.now(connection)
