"""Trial of wait estimators on a virtual clock: what was shown, second by second, against the truth.

Arrivals wait in the product's fair queue and run on GPUs that may change. At every tick each
estimator gives a range for the jobs that wait; when a job is delivered, its ranges are compared
with its true remaining wait. Used by `atelier bench waits` and `atelier plan --check`.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random
from typing import Protocol

from tasks.planner.queue_disciplines import WEIGHTS
from tasks.planner.trace import LANES
from tasks.queue.demand import Arrivals, Demand
from tasks.queue.fairness import Entry, FairQueue
from tasks.queue.forecast import FleetChange, Forecast, forecast
from tasks.queue.load import FleetLoad, LaneLoad, Load, Meter
from tasks.queue.wait_estimate import KEPT, Outcome, correct, corrected

TICK = 1.0
"""Seconds between two moments at which estimates are shown."""

SHOWN_JOBS = 6
"""Jobs of a lane whose ranges are followed at a tick, spread evenly over its queue."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What the estimators know: the load, the arrivals since the last tick, the fleet's change."""

    now: float
    load: Load
    arrived: Mapping[str, Arrivals]
    change: FleetChange | None
    longest_running: float  # expected seconds that the longest running job still needs


EMPTY = Moment(0.0, Load(FleetLoad(0.0)), {}, None, 0.0)


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A waiting job as an estimator sees it: its lane, the work ahead in it, and its own."""

    lane: str
    ahead: float
    cost: float
    position: int


class Estimator(Protocol):
    """Gives ranges for waiting jobs; seconds until delivery."""

    def update(self, moment: Moment) -> None:
        """Take in a new moment."""
        ...

    def estimate(self, job: QueuedJob) -> tuple[float, float]:
        """p50 and p90 of a job's remaining wait."""
        ...

    def model(self, job: QueuedJob) -> float:
        """The expected wait before calibration, where the estimator has one."""
        ...

    def learn(self, lane: str, shown: tuple[float, float, float], true: float) -> None:
        """A job was delivered after `true` seconds; `shown` is (model, p50, p90) at its entry."""
        ...


class ForecastEstimator:
    """The product's estimator: `tasks.queue.forecast`, corrected by outcomes."""

    def __init__(self) -> None:
        self._outcomes: dict[str, deque[Outcome]] = {lane: deque(maxlen=KEPT) for lane in LANES}
        self._corrections = {lane: correct([]) for lane in LANES}
        self.demand = Demand()
        self._moment = EMPTY
        self._forecast: Forecast | None = None

    def update(self, moment: Moment) -> None:
        """Observe the arrivals; the scenarios are replayed when an estimate is asked for."""
        self.demand = self.demand.observe(moment.arrived, moment.now)
        self._moment, self._forecast = moment, None
        if int(moment.now) % 2 == 0:
            self._corrections = {lane: correct(list(o)) for lane, o in self._outcomes.items()}

    def estimate(self, job: QueuedJob) -> tuple[float, float]:
        """The corrected quantiles of the ensemble."""
        p50, p90 = self._quantiles(job)
        found = corrected(self._corrections[job.lane], p50, p90)
        if found is None:
            return math.inf, math.inf
        return found.p50.total_seconds(), found.p90.total_seconds()

    def _quantiles(self, job: QueuedJob) -> tuple[float, float]:
        if self._forecast is None:
            moment = self._moment
            self._forecast = forecast(moment.load, self.demand, moment.now, moment.change)
        waits = self._forecast.wait(job.lane, job.ahead, job.cost)
        return waits.at(0.5), waits.at(0.9)

    def model(self, job: QueuedJob) -> float:
        """The ensemble's median."""
        return self._quantiles(job)[0]

    def learn(self, lane: str, shown: tuple[float, float, float], true: float) -> None:
        """Keep the outcome for the correction."""
        model, _, p90 = shown
        self._outcomes[lane].append(Outcome(model, p90, true))


class HordeEstimator:
    """AI-Horde's rule: work ahead in the whole queue ÷ speed + the longest running job.

    (Haidra-Org/AI-Horde, `horde/classes/base/waiting_prompt.py`: queue position's things per
    second; a lane's priority is the queue's order.)
    """

    def __init__(self) -> None:
        self._moment = EMPTY

    def update(self, moment: Moment) -> None:
        """Keep the load."""
        self._moment = moment

    def estimate(self, job: QueuedJob) -> tuple[float, float]:
        """One number: its range has no width."""
        load = self._moment.load
        ahead = job.ahead + sum(
            one.seconds for name, one in load.lanes.items() if one.weight > WEIGHTS[job.lane]
        )
        seconds = ahead / max(load.fleet.rate, 1e-9) + self._moment.longest_running + job.cost
        return seconds, seconds

    def model(self, job: QueuedJob) -> float:
        """The same number."""
        return self.estimate(job)[0]

    def learn(self, lane: str, shown: tuple[float, float, float], true: float) -> None:
        """Nothing is learnt."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A range on show: of which lane, when the job arrived, when it was shown, and the truth."""

    lane: str
    arrived: float
    at: float
    p50: float
    p90: float
    true: float


@dataclass(slots=True)
class _Job:
    lane: str
    at: float
    true_cost: float
    ranges: dict[str, list[tuple[float, float, float]]] = field(default_factory=dict)
    first: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    first_at: float = 0.0
    followed: bool = False


FleetAt = Callable[[float], int]
"""How many of the GPUs work at a time; a GPU that is lost finishes its job first."""


class WaitTrial:
    """One run. Build it, call `run`, read `shown` by estimator."""

    def __init__(
        self,
        arrivals: Iterable[tuple[float, str, float]],
        fleet_at: FleetAt,
        estimators: Mapping[str, Estimator],
        counted: tuple[float, float],
        noise: float = 0.1,
        seed: int = 1,
        tick: float = TICK,
    ) -> None:
        self._arrivals = sorted(arrivals)
        self._fleet_at = fleet_at
        self._estimators = estimators
        self._counted = counted
        self._chance = Random(seed)  # noqa: S311  a simulation
        self._noise = noise
        self._tick_seconds = tick
        self._queue: FairQueue[_Job] = FairQueue(WEIGHTS)
        self._running: list[tuple[float, int, Entry, float]] = []
        self._number = 0
        self._arrived: dict[str, Arrivals] = {}
        self._done = Meter(600.0)
        self._lasted = {lane: Meter(600.0) for lane in LANES}
        self._expected = {lane: Meter(600.0) for lane in LANES}
        self._rate = float(fleet_at(0.0))
        self._change: FleetChange | None = None
        self._left = 0  # followed jobs that are not delivered yet
        self.shown: dict[str, list[Shown]] = {name: [] for name in estimators}

    def run(self) -> None:
        """Simulate until every counted job is delivered."""
        pending = deque(self._arrivals)
        last = pending[-1][0] if pending else 0.0
        tick = 0.0
        while pending or self._running or self._queue.waiting:
            if not self._left and (not pending or pending[0][0] >= self._counted[1]):
                break
            following = min(
                pending[0][0] if pending else math.inf,
                self._running[0][0] if self._running else math.inf,
            )
            if tick <= following:
                self._tick(tick)
                tick += self._tick_seconds
                if tick > last + 4 * 3600:
                    break
                self._start(tick - self._tick_seconds)
                continue
            if self._running and self._running[0][0] == following:
                self._finish()
            else:
                at, lane, cost = pending.popleft()
                self._arrive(at, lane, cost)

    def _arrive(self, at: float, lane: str, cost: float) -> None:
        self._number += 1
        job = _Job(lane, at, cost * math.exp(self._chance.gauss(0, self._noise)))
        job.followed = self._counted[0] <= at < self._counted[1]
        self._left += job.followed
        self._queue.push(lane, self._number, cost, at, job)
        before = self._arrived.get(lane, Arrivals())
        self._arrived[lane] = before.plus(Arrivals(1, cost))
        self._start(at)

    def _start(self, now: float) -> None:
        while len(self._running) < self._fleet_at(now):
            entry = self._queue.pop(now)
            if entry is None:
                return
            job: _Job = entry.item  # type: ignore[assignment]
            self._number += 1
            heappush(self._running, (now + job.true_cost, self._number, entry, now))

    def _finish(self) -> None:
        at, _, entry, _begun = heappop(self._running)
        job: _Job = entry.item  # type: ignore[assignment]
        self._queue.settle(entry, job.true_cost)
        self._left -= job.followed
        self._done = self._done.add(1.0, at)
        self._lasted[job.lane] = self._lasted[job.lane].add(job.true_cost, at)
        self._expected[job.lane] = self._expected[job.lane].add(entry.cost, at)
        for name, ranges in job.ranges.items():
            self.shown[name] += [
                Shown(job.lane, job.at, moment, p50, p90, at - moment)
                for moment, p50, p90 in ranges
            ]
        for name, first in job.first.items():
            self._estimators[name].learn(job.lane, first, at - job.first_at)
        self._start(at)

    def _tick(self, now: float) -> None:
        gpus = self._fleet_at(now)
        if gpus != self._rate:
            self._change = FleetChange(now, self._rate)
            self._rate = float(gpus)
        queued = self._queued()
        moment = self._moment(now, gpus, queued)
        self._arrived = {}
        for name, estimator in self._estimators.items():
            estimator.update(moment)
            for lane in LANES:
                self._show(name, estimator, now, queued[lane])

    def _show(
        self, name: str, estimator: Estimator, now: float, queued: Sequence[tuple[_Job, QueuedJob]]
    ) -> None:
        """Show ranges for some jobs of a lane, and for each job once when it is new."""
        stride = max(1, len(queued) // SHOWN_JOBS)
        offset = int(now) % stride
        for number, (job, seen) in enumerate(queued):
            fresh = name not in job.first and (
                job.followed or not isinstance(estimator, HordeEstimator)
            )
            if not fresh and (not job.followed or number % stride != offset):
                continue
            p50, p90 = estimator.estimate(seen)
            if fresh:
                job.first[name] = (estimator.model(seen), p50, p90)
                job.first_at = now
            if job.followed and math.isfinite(p50):
                job.ranges.setdefault(name, []).append((now, p50, p90))

    def _queued(self) -> dict[str, list[tuple[_Job, QueuedJob]]]:
        """Each lane's jobs in order, with the work ahead of each."""
        found: dict[str, list[tuple[_Job, QueuedJob]]] = {}
        for lane in LANES:
            ahead = 0.0
            found[lane] = []
            for _, _, entry in sorted(self._queue.lanes[lane].ready, key=lambda r: r[:2]):
                job: _Job = entry.item  # type: ignore[assignment]
                position = len(found[lane])
                found[lane].append((job, QueuedJob(lane, ahead, entry.cost, position)))
                ahead += entry.cost
        return found

    def _moment(
        self, now: float, gpus: int, queued: Mapping[str, Sequence[tuple[_Job, QueuedJob]]]
    ) -> Moment:
        lasted = {lane: meter.rate(now) for lane, meter in self._lasted.items()}
        expected = {lane: meter.rate(now) for lane, meter in self._expected.items()}
        lanes = {
            lane: LaneLoad(
                WEIGHTS[lane],
                len(jobs),
                sum(seen.cost for _, seen in jobs),
                stretch=lasted[lane] / expected[lane] if expected[lane] else 0.0,
            )
            for lane, jobs in queued.items()
        }
        done = self._done.rate(now)
        each = sum(lasted.values()) / done if done > 0 else 0.0
        fleet = FleetLoad(float(gpus), gpus, min(gpus, len(self._running)), each)
        longest = max((end - now for end, *_ in self._running), default=0.0)
        return Moment(now, Load(fleet, lanes), self._arrived, self._change, max(0.0, longest))
