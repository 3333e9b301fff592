"""A snapshot of the load, at most a second old: the input of estimates and doors.

Reading it takes a few queries and admission needs it for each order, so it is cached.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Lock

from cachetools import TTLCache
from sqlalchemy import Connection

from imaging.request import ImageRequest, Priority
from tasks.jobs.job import Estimate, Pressure, QueuePosition
from tasks.jobs.tiers import Tier
from tasks.policy.door_overrides import Subject
from tasks.policy.doors import AutoDoor
from tasks.queue import wait_estimate
from tasks.queue.costs import expected_seconds, shape_of
from tasks.queue.demand import Demand, read_demand
from tasks.queue.fairness import RELAXED, lane_of, priority_of
from tasks.queue.forecast import TREND_SECONDS, FleetChange, Forecast, forecast
from tasks.queue.load import HEADROOM, FleetLoad, LaneLoad, Load, crowding
from tasks.queue.repricing import QueuedWork
from tasks.queue.wait_estimate import Calibration, corrected
from tasks.store import costs, doors, queue_position, workers
from tasks.store.queue_position import LaneQueue, WorkAhead
from tasks.store.workers import SeenWorker

CACHE_SECONDS = 1.0
SEEN_RATE = 0.01  # arrivals per second below which a heavier lane counts as empty
DEVIATIONS = 1.5  # standard deviations in a clipped mean absolute deviation with some outliers
MOST_SPREAD = 0.7
SHARED_SPREAD = 0.6
"""Share of the spread of single jobs' costs that all jobs of some seconds have in common."""

MOST_PRICE_SPREAD = 0.3
HANDLING_SECONDS = 0.3
"""A poll, a ticket, two transactions and a step: a wait of a second is not known to a tenth."""

UNDERWAY = 0.5  # what a running job still needs of its cost, on average
RECENT_SECONDS = 120.0  # in which a change of the fleet explains a longer wait


@dataclass(frozen=True, slots=True)
class _Explanation:
    """Of one lane: whose place in line is told, and why waits grow there."""

    among: Tier
    pressure: Pressure | None


@dataclass(frozen=True, slots=True)
class LoadSnapshot:
    """The load at one moment. A live worker does one GPU second a second."""

    lanes: Sequence[LaneQueue]
    workers: Sequence[SeenWorker]
    costs: costs.Costs
    autos: Mapping[Subject, AutoDoor]
    demand: Demand = field(default_factory=Demand)
    fleet_change: FleetChange | None = None
    forecasts: dict[str | None, Forecast] = field(default_factory=dict, compare=False)
    _explanations: dict[str, _Explanation | None] = field(default_factory=dict, compare=False)

    def usual_steps(self, profile: str) -> int | None:
        """A profile's usual steps, by the workers' cards."""
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
        unit = self.costs.get((profile or "", costs.UNIT))
        fleet = FleetLoad(
            rate=float(len(able)),
            slots=sum(max(1, card.slots - HEADROOM) for card in able),
            running=sum(card.running for card in able),
            job_seconds=usual.seconds if usual else 0.0,
            headroom=sum(min(HEADROOM, card.slots - 1) for card in able),
            price_spread=min(MOST_PRICE_SPREAD, SHARED_SPREAD * unit.spread) if unit else 0.0,
            handling=HANDLING_SECONDS,
        )
        return Load(fleet, {one.lane: self._lane_load(one, profile or "") for one in self.lanes})

    def crowding(self, priority: Priority) -> float:
        """How much longer than alone a job takes beside the jobs that it does not pause.

        Those that wait will run, too, as far as there are slots.
        """
        beside = sum(
            one.running + one.jobs for one in self.lanes if priority_of(one.lane) <= priority
        )
        slots = sum(seen.card.slots for seen in self.workers)
        return crowding(min(beside, slots), len(self.workers))

    def _lane_load(self, lane: LaneQueue, profile: str) -> LaneLoad:
        priority = priority_of(lane.lane)
        stretch = costs.stretch(self.costs, profile, priority)
        cards = [seen.card.profiles.get(profile, {}) for seen in self.workers]
        pauses = priority is not Priority.EXPRESS and any(card.get("pausable") for card in cards)
        waiting = lane.work.present(lane.seconds)
        each = waiting / lane.jobs if lane.jobs else lane.running_seconds / max(1, lane.running)
        return LaneLoad(
            lane.weight,
            lane.jobs,
            waiting,
            lane.inflow,
            stretch.seconds * self.crowding(priority) if stretch else 0.0,
            min(MOST_SPREAD, DEVIATIONS * stretch.spread) if stretch else 0.0,
            pauses,
            lane.running if pauses else 0,
            UNDERWAY * lane.running * each if pauses else 0.0,
        )

    def calibration(self, lane: str) -> Calibration:
        """How accurate a lane's latest estimates were."""
        values = next((one.calibration for one in self.lanes if one.lane == lane), {})
        return Calibration(**values) if values else wait_estimate.correct([])

    def _work(self, lane: str) -> QueuedWork:
        return next((one.work for one in self.lanes if one.lane == lane), QueuedWork())

    def forecast(self, profile: str | None = None) -> Forecast:
        """The forecast on the workers that can make a profile (None: on all), made once."""
        found = self.forecasts.get(profile)
        if found is None:
            now = self.demand.at
            found = forecast(self.load(profile), self.demand, now, self.fleet_change)
            self.forecasts[profile] = found
        return found

    def line(self, before: WorkAhead) -> tuple[QueuePosition, float]:
        """A job's queue position and estimate, and the model's own seconds."""
        found, work = self.forecast(before.profile), self._work(before.lane)
        ahead = work.present(before.seconds)
        mine = work.present(before.seconds + before.cost_seconds) - ahead
        position = wait_estimate.jobs_before(found.load, before.lane, before.jobs, ahead)
        waits = found.wait(before.lane, ahead, mine, before.lead)
        model = waits.at(0.5)
        estimate = corrected(self.calibration(before.lane), model, waits.at(0.9))
        return self._explained(QueuePosition(position, estimate), before), model

    def _explained(self, position: QueuePosition, before: WorkAhead) -> QueuePosition:
        """The position with its meaning: who is served before, and what makes waits grow."""
        lane = before.lane
        if lane not in self._explanations:
            self._explanations[lane] = self._explanation(lane)
        found = self._explanations[lane]
        if found is None:
            return position
        return replace(
            position, among=found.among, tier_position=before.jobs + 1, pressure=found.pressure
        )

    def _explanation(self, lane: str) -> _Explanation | None:
        """None where nobody is served before the lane's jobs."""
        weight = next((one.weight for one in self.lanes if one.lane == lane), 0.0)
        heavier = [one for one in self.lanes if one.weight > weight]
        rates = self.demand.rates()
        coming = any(rates[one.lane].jobs > SEEN_RATE for one in heavier if one.lane in rates)
        if lane == RELAXED or not (coming or any(one.jobs for one in heavier)):
            return None
        names = [one.lane for one in heavier]
        return _Explanation(Tier(lane), self._pressure(names, [*names, lane]))

    def _pressure(self, heavier: Sequence[str], lanes: Sequence[str]) -> Pressure | None:
        change, now = self.fleet_change, self.demand.at
        recent = change is not None and now - change.at < RECENT_SECONDS
        if change is not None and recent and change.rate_before > len(self.workers):
            return Pressure.FLEET
        if self.demand.surged(heavier):
            return Pressure.PAID
        return Pressure.DEMAND if self.demand.surged(lanes) else None


def job_seconds(snapshot: LoadSnapshot, tier: Tier) -> float:
    """GPU seconds of a usual job: the mean of queued jobs, or the least learnt cost."""
    lane = next((one for one in snapshot.lanes if one.lane == tier.value), None)
    if lane is not None and lane.jobs > 0 and lane.seconds > 0:
        return lane.work.present(lane.seconds) / lane.jobs
    return min((one.seconds for one in costs.of_shapes(snapshot.costs)), default=1.0)


def newcomer_wait(snapshot: LoadSnapshot, tier: Tier) -> float:
    """Seconds until a job queued after `TREND_SECONDS` would begin; infinite without a worker.

    The forecast's median, which so grows with the queue before the queue is long.
    """
    waits = snapshot.forecast().newcomer(
        lane_of(tier, False), job_seconds(snapshot, tier), TREND_SECONDS
    )
    return waits.at(0.5)


def newcomer_estimate(snapshot: LoadSnapshot, tier: Tier) -> Estimate | None:
    """The estimate of a job that is queued now; None without a worker."""
    lane, found = lane_of(tier, False), snapshot.forecast()
    waiting = found.load.lanes[lane].seconds if lane in found.load.lanes else 0.0
    waits = found.wait(lane, waiting, job_seconds(snapshot, tier))
    return corrected(snapshot.calibration(lane), waits.at(0.5), waits.at(0.9))


def wait_of(snapshot: LoadSnapshot, tier: Tier) -> timedelta | None:
    """The wait that a tier's door follows; None without a worker."""
    wait = newcomer_wait(snapshot, tier)
    return None if wait == float("inf") else timedelta(seconds=wait)


def read(connection: Connection) -> LoadSnapshot:
    """Read a snapshot."""
    recorded = queue_position.demand(connection)
    fleet = recorded.get("fleet")
    return LoadSnapshot(
        demand=read_demand(recorded.get("arrivals") or {}),
        fleet_change=FleetChange(fleet["at"], fleet["rate_before"]) if fleet else None,
        lanes=queue_position.lanes(connection),
        workers=workers.alive(connection),
        costs=costs.read(connection),
        autos={subject: one.door for subject, one in doors.automatic(connection).items()},
    )


class LoadSnapshotCache:
    """Caches the last snapshot. One for each process, made by its entry point."""

    def __init__(
        self, seconds: float = CACHE_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._cache: TTLCache[None, LoadSnapshot] = TTLCache(1, seconds, timer=clock)
        self._lock = Lock()

    def forget(self) -> None:
        """Read a new snapshot the next time."""
        with self._lock:
            self._cache.clear()

    def now(self, connection: Connection) -> LoadSnapshot:
        """The cached snapshot while it is fresh, else a new one."""
        with self._lock:
            snapshot = self._cache.get(None)
            if snapshot is None:
                snapshot = self._cache[None] = read(connection)
            return snapshot
