"""The clock's steward: keeps the line's pages, learns costs, moves the doors, invites.

Any number of them may run: each duty is one transaction that only one at a time gets to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from threading import Event

import structlog
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from tasks import capacity
from tasks.doors import AutoDoor, follow
from tasks.fairness import RELAXED, RELAXED_WEIGHT, lane_of
from tasks.glance import Glance, job_seconds, look, newcomer_wait
from tasks.handset import Subject
from tasks.load import Meter
from tasks.policy import Policy
from tasks.store import costs, doors, estimates, flows, lines, waitlist
from tasks.store.database import Database
from tasks.store.doors import Automatic
from tasks.tiers import DoorState, Tier
from tasks.waitlist import INVITATION_LASTS, batch_size

log = structlog.get_logger(__name__)

FOLD_SECONDS = 0.5
LOOK_SECONDS = 2.0
INFLOW_MEMORY = 300.0

_ALONE = text("SELECT pg_try_advisory_xact_lock(hashtext('atelier_steward'))")


class Steward:
    """Runs in the clock process. `now` gives seconds that agree between clocks: the wall's."""

    def __init__(
        self, database: Database, policy: Policy, now: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._policy = policy
        self._now = now

    def run(self, stop: Event) -> None:
        """Do all duties until `stop` is set, through restarts of Postgres."""
        last = float("-inf")
        while not stop.wait(FOLD_SECONDS):
            try:
                self.fold()
                if time.monotonic() - last >= LOOK_SECONDS:
                    last = time.monotonic()
                    self.look_after()
            except DBAPIError as error:
                log.warning("steward-interrupted", error=str(error).strip())

    def fold(self) -> None:
        """Fold the line's changes into pages, and true costs into the lanes."""
        came = self._database.run(lines.fold)
        if came is not None:
            self._database.run(lambda connection: self._measure(connection, came))

    def _measure(self, connection: Connection, came: dict[str, float]) -> None:
        flows.correct(connection)
        now = self._now()
        for lane, meter in lines.meters(connection).items():
            if came.get(lane) or meter:
                before = Meter(**meter) if meter else Meter(INFLOW_MEMORY, at=now)
                after = before.add(max(0.0, came.get(lane, 0.0)), now)
                lines.set_inflow(connection, lane, after.rate(now), asdict(after))

    def look_after(self) -> None:
        """Learn, calibrate, move the automatic doors, invite."""
        self._database.run(self._look_after)

    def _look_after(self, connection: Connection) -> None:
        if not connection.scalar(_ALONE):
            return
        weights = {lane_of(tier, False): p.weight for tier, p in self._policy.tiers.items()}
        flows.weigh(connection, {**weights, RELAXED: RELAXED_WEIGHT})
        glance = look(connection)
        profiles = {name for seen in glance.workers for name in seen.card.profiles}
        steps = {name: glance.usual_steps(name) for name in profiles}
        costs.learn(connection, {name: number for name, number in steps.items() if number})
        for one in glance.lanes:
            outcomes = estimates.outcomes(connection, one.lane)
            if outcomes:
                calibration = capacity.calibrate(outcomes)
                lines.set_calibration(connection, one.lane, asdict(calibration))
        self._look_at_doors(connection, glance)
        for tier in self._policy.tiers:
            self._invite(connection, glance, tier)

    def _look_at_doors(self, connection: Connection, glance: Glance) -> None:
        """Tiers follow their own newcomer's wait; features the longest of the tiers with them."""
        by_hand = {one.subject for one in doors.all_set(connection) if one.state is DoorState.AUTO}
        waits: dict[Subject, float] = {
            tier: newcomer_wait(glance, tier) for tier in self._policy.tiers
        }
        for tier, row in self._policy.tiers.items():
            for feature in row.features:
                waits[feature] = max(waits.get(feature, 0.0), waits[tier])
        for subject, wait in waits.items():
            automatic = self._policy.doors.of(subject) is DoorState.AUTO or subject in by_hand
            if automatic or isinstance(subject, Tier):
                self._look_at_door(connection, glance, subject, wait, automatic)

    def _look_at_door(
        self, connection: Connection, glance: Glance, subject: Subject, wait: float, moves: bool
    ) -> None:
        before = glance.autos.get(subject, AutoDoor(since=0.0))
        after = before
        # While no worker lives nobody knows how long it takes: the door stays as it is.
        if moves and glance.workers:
            waiting = waitlist.waiting(connection, subject) if isinstance(subject, Tier) else 0
            after = follow(before, wait, self._now(), self._policy.auto_doors, waiting)
            if after.rung is not before.rung:
                log.info(
                    "door-moved",
                    door=subject.value,
                    rung=after.rung.name.lower(),
                    wait=round(min(wait, 1e6)),
                )
        doors.remember(connection, subject, Automatic(after, wait))

    def _invite(self, connection: Connection, glance: Glance, tier: Tier) -> None:
        waitlist.lapse(connection, tier)
        limits = self._policy.auto_doors
        each = job_seconds(glance, tier)
        longest = limits.longest_wait * limits.return_at
        room = capacity.room(glance.load(), lane_of(tier, False), each, longest)
        batch = batch_size(room, each, waitlist.invited(connection, tier))
        invited = waitlist.invite(connection, tier, batch, INVITATION_LASTS)
        if invited:
            log.info("invited", tier=tier.value, members=invited)
