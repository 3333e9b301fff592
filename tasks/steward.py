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
from tasks.handset import EVERYWHERE, SUBJECTS, Subject
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

_MOMENT = text("SELECT extract(epoch FROM clock_timestamp())")
_ALONE = text("SELECT pg_try_advisory_xact_lock(hashtext('atelier_steward'))")


class Steward:
    """Runs in the clock process. `now` gives seconds; Postgres's own, which all clocks agree on,

    where it is None.
    """

    def __init__(
        self, database: Database, policy: Policy, now: Callable[[], float] | None = None
    ) -> None:
        self._database = database
        self._policy = policy
        self._clock = now

    def _now(self, connection: Connection) -> float:
        return self._clock() if self._clock else float(connection.scalar(_MOMENT) or 0.0)

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
        now = self._now(connection)
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
        by_hand = doors.all_set(connection)
        automatic = {one.subject for one in by_hand if one.state is DoorState.AUTO}
        automatic |= {one for one in SUBJECTS if self._policy.doors.of(one) is DoorState.AUTO}
        shut = {
            one.subject
            for one in by_hand
            if one.platform == EVERYWHERE and one.state is DoorState.CLOSED
        }
        waits: dict[Subject, float] = {
            tier: newcomer_wait(glance, tier) for tier in self._policy.tiers
        }
        for tier, row in self._policy.tiers.items():
            for feature in row.features:
                waits[feature] = max(waits.get(feature, 0.0), waits[tier])
        moment = self._now(connection)
        for subject, wait in waits.items():
            before = glance.autos.get(subject, AutoDoor(since=0.0))
            after = AutoDoor(since=moment) if before.rung else before
            if subject in automatic:
                # While no worker lives nobody knows how long it takes, and what the operator has
                # closed for all will open again to those who wait: the door stays as it is.
                stays = not glance.workers or subject in shut
                after = before if stays else self._moved(connection, before, subject, wait, moment)
            if subject in automatic or subject in glance.autos or isinstance(subject, Tier):
                doors.remember(connection, subject, Automatic(after, wait))

    def _moved(
        self, connection: Connection, before: AutoDoor, subject: Subject, wait: float, now: float
    ) -> AutoDoor:
        waiting = waitlist.waiting(connection, subject) if isinstance(subject, Tier) else 0
        after = follow(before, wait, now, self._policy.auto_doors, waiting)
        if after.rung is not before.rung:
            log.info(
                "door-moved",
                door=subject.value,
                rung=after.rung.name.lower(),
                wait=round(min(wait, 1e6)),
            )
        return after

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
