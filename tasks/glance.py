"""The studio at a glance, as it was a second ago at most: what estimates and doors are made from.

Reading it takes a few queries; admission looks at it for each order, so it is kept for a moment.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock

from sqlalchemy import Connection

from imaging.request import ImageRequest
from tasks import capacity
from tasks.capacity import Calibration
from tasks.costs import expected_seconds, shape_of
from tasks.doors import AutoDoor
from tasks.fairness import lane_of
from tasks.handset import Subject
from tasks.job import Estimate, Line
from tasks.load import FleetLoad, LaneLoad, Load
from tasks.store import costs, doors, lines, workers
from tasks.store.lines import Ahead, LaneLine
from tasks.store.workers import SeenWorker
from tasks.tiers import Tier

HEADROOM = 1
"""A worker's slots that only paid work may take; they do not make the device quicker."""

KEPT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Glance:
    """One look. A live worker does one GPU second a second: costs are shares of its time."""

    lanes: Sequence[LaneLine]
    workers: Sequence[SeenWorker]
    costs: costs.Costs
    autos: Mapping[Subject, AutoDoor]

    def usual_steps(self, profile: str) -> int | None:
        """A profile's usual steps, as the workers say."""
        steps = (seen.card.profiles.get(profile, {}).get("steps") for seen in self.workers)
        return next((int(number) for number in steps if number), None)

    def expected(self, request: ImageRequest) -> float:
        """Expected GPU seconds of a request."""
        shape = shape_of(request, self.usual_steps(request.profile))
        known = self.costs.get((shape.profile, shape.key))
        unit = self.costs.get((shape.profile, costs.UNIT))
        return expected_seconds(shape, request.count, known, unit)

    def load(self, profile: str | None = None) -> Load:
        """The load on the workers that can make a profile (None: on all)."""
        able = [
            seen.card for seen in self.workers if profile is None or profile in seen.card.profiles
        ]
        jobs = [cost for (_, key), cost in self.costs.items() if key == costs.JOB]
        usual = self.costs.get((profile or "", costs.JOB)) or (jobs[0] if jobs else None)
        fleet = FleetLoad(
            rate=float(len(able)),
            slots=sum(max(1, card.slots - HEADROOM) for card in able),
            running=sum(card.running for card in able),
            job_seconds=usual.seconds if usual else 0.0,
        )
        return Load(
            fleet,
            {
                one.lane: LaneLoad(one.weight, one.jobs, one.seconds, one.inflow)
                for one in self.lanes
            },
        )

    def calibration(self, lane: str) -> Calibration:
        """How true a lane's estimates were of late."""
        values = next((one.calibration for one in self.lanes if one.lane == lane), {})
        return Calibration(**values) if values else capacity.calibrate([])

    def line(self, before: Ahead) -> tuple[Line, float]:
        """A job's place in line with its range, and the model's seconds behind it."""
        load = self.load(before.profile)
        position = capacity.jobs_before(load, before.lane, before.jobs, before.seconds)
        model = capacity.wait_seconds(
            load, before.lane, before.seconds, before.cost_seconds, before.lead
        )
        return Line(position, self.calibration(before.lane).estimate(model)), model


def job_seconds(glance: Glance, tier: Tier) -> float:
    """GPU seconds of a usual job: of those that wait, else of those that were learnt."""
    lane = next((one for one in glance.lanes if one.lane == tier.value), None)
    if lane is not None and lane.jobs > 0 and lane.seconds > 0:
        return lane.seconds / lane.jobs
    learnt = [
        c.seconds for (_, key), c in glance.costs.items() if key not in (costs.JOB, costs.UNIT)
    ]
    return min(learnt, default=1.0)


def newcomer_wait(glance: Glance, tier: Tier) -> float:
    """Seconds until a job would begin that came in last now; infinite without a worker."""
    return capacity.newcomer_wait(glance.load(), lane_of(tier, False), job_seconds(glance, tier))


def newcomer_estimate(glance: Glance, tier: Tier) -> Estimate | None:
    """What a member would be told who came in last now; None without a worker."""
    load, lane = glance.load(), lane_of(tier, False)
    waiting = load.lanes[lane].seconds if lane in load.lanes else 0.0
    model = capacity.wait_seconds(load, lane, waiting, job_seconds(glance, tier))
    return glance.calibration(lane).estimate(model)


def wait_of(glance: Glance, tier: Tier) -> timedelta | None:
    """The wait that a tier's doors follow; None without a worker."""
    wait = newcomer_wait(glance, tier)
    return None if wait == float("inf") else timedelta(seconds=wait)


def look(connection: Connection) -> Glance:
    """Look now."""
    return Glance(
        lanes=lines.lanes(connection),
        workers=workers.alive(connection),
        costs=costs.read(connection),
        autos={subject: one.door for subject, one in doors.automatic(connection).items()},
    )


class Glances:
    """Keeps the last look for a moment. One for each process, made by its entry point."""

    def __init__(
        self, kept: float = KEPT_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._kept = kept
        self._clock = clock
        self._lock = Lock()
        self._last: tuple[float, Glance] | None = None

    def forget(self) -> None:
        """Look anew the next time."""
        with self._lock:
            self._last = None

    def now(self, connection: Connection) -> Glance:
        """The last look where it is young enough, else a new one."""
        with self._lock:
            moment = self._clock()
            if self._last is None or moment - self._last[0] >= self._kept:
                self._last = (moment, look(connection))
            return self._last[1]
