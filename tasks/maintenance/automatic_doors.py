"""Moves the automatic doors with the load.

A tier's door follows the wait of a newcomer of that tier; a feature's door follows the longest wait
of the tiers that have the feature.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from tasks.jobs.tiers import DoorState, Tier
from tasks.policy.config import Policy
from tasks.policy.door_overrides import EVERYWHERE, SUBJECTS, Subject
from tasks.policy.doors import AutoDoor, follow
from tasks.store import doors, waitlist
from tasks.store.doors import Automatic
from tasks.store.load_snapshot import LoadSnapshot, newcomer_wait

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AutomaticDoors:
    """The automatic doors of a policy."""

    policy: Policy

    def move(self, connection: Connection, snapshot: LoadSnapshot, now: float) -> None:
        """Move each door by its wait, and record it; `now` is in seconds."""
        overrides = doors.all_set(connection)
        automatic = {one.subject for one in overrides if one.state is DoorState.AUTO}
        automatic |= {one for one in SUBJECTS if self.policy.doors.of(one) is DoorState.AUTO}
        closed = {
            one.subject
            for one in overrides
            if one.platform == EVERYWHERE and one.state is DoorState.CLOSED
        }
        for subject, wait in self._waits(snapshot).items():
            before = snapshot.autos.get(subject, AutoDoor(since=0.0))
            after = AutoDoor(since=now) if before.door_level else before
            if subject in automatic:
                # Without a live worker the wait is unknown, and a door that the operator closed
                # opens to the waitlist first: in both cases it keeps its level.
                keeps = not snapshot.workers or subject in closed
                after = before if keeps else self._follow(connection, before, subject, wait, now)
            if subject in automatic or subject in snapshot.autos or isinstance(subject, Tier):
                doors.remember(connection, subject, Automatic(after, wait))

    def _waits(self, snapshot: LoadSnapshot) -> Mapping[Subject, float]:
        """Seconds of wait that each subject's door follows."""
        waits: dict[Subject, float] = {
            tier: newcomer_wait(snapshot, tier) for tier in self.policy.tiers
        }
        for tier, row in self.policy.tiers.items():
            for feature in row.features:
                waits[feature] = max(waits.get(feature, 0.0), waits[tier])
        return waits

    def _follow(
        self, connection: Connection, before: AutoDoor, subject: Subject, wait: float, now: float
    ) -> AutoDoor:
        waiting = waitlist.waiting(connection, subject) if isinstance(subject, Tier) else 0
        after = follow(before, wait, now, self.policy.auto_doors, waiting)
        if after.door_level is not before.door_level:
            log.info(
                "door-moved",
                door=subject.value,
                door_level=after.door_level.name.lower(),
                wait=round(min(wait, 1e6)),
            )
        return after
