"""The wait estimator before the forecast, kept for comparison in `atelier bench waits`.

The present load is replayed; the last ratios of true to replayed wait give the range. The level
behind p90 follows the coverage reached (I. Gibbs, E. Candès, "Adaptive conformal inference under
distribution shift", 2021).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

from tasks.planner.trace import LANES
from tasks.planner.wait_trial import Moment, QueuedJob
from tasks.queue.demand import Arrivals
from tasks.queue.load import FleetLoad, LaneLoad, Load, Meter
from tasks.queue.wait_estimate import KEPT, TARGET, Outcome, begin_seconds, own_seconds, quantile

_PRIOR_SPREAD = 0.25
_PRIOR_SIZE = 30
_PRIOR = [
    math.exp(_PRIOR_SPREAD * NormalDist().inv_cdf((n + 0.5) / _PRIOR_SIZE))
    for n in range(_PRIOR_SIZE)
]
_LEVEL_STEP = 0.02


@dataclass(frozen=True, slots=True)
class _Ratios:
    """Ratios of true to replayed wait, at p50 and p90."""

    median: float
    high: float


class ReplayEstimator:
    """The estimator before the forecast: the present load replayed, calibrated by outcomes."""

    def __init__(self) -> None:
        self._meters = {lane: Meter(300.0) for lane in LANES}
        self._outcomes: dict[str, deque[Outcome]] = {lane: deque(maxlen=KEPT) for lane in LANES}
        self._ratios = {lane: _calibrate([]) for lane in LANES}
        self._load = Load(FleetLoad(0.0))

    def update(self, moment: Moment) -> None:
        """Measure the inflow."""
        for lane, meter in self._meters.items():
            came = moment.arrived.get(lane, Arrivals()).seconds
            self._meters[lane] = meter.add(came, moment.now)
        lanes = {
            name: LaneLoad(one.weight, one.jobs, one.seconds, self._meters[name].rate(moment.now))
            for name, one in moment.load.lanes.items()
        }
        self._load = Load(moment.load.fleet, lanes)
        if int(moment.now) % 2 == 0:
            self._ratios = {lane: _calibrate(list(o)) for lane, o in self._outcomes.items()}

    def model(self, job: QueuedJob) -> float:
        """The replay's expected seconds."""
        return _wait_seconds(self._load, job)

    def estimate(self, job: QueuedJob) -> tuple[float, float]:
        """The calibrated range."""
        model, ratios = self.model(job), self._ratios[job.lane]
        return model * ratios.median, model * max(ratios.median, ratios.high)

    def learn(self, lane: str, shown: tuple[float, float, float], true: float) -> None:
        """Keep the outcome for the calibration."""
        model, _, p90 = shown
        self._outcomes[lane].append(Outcome(model, p90, true))


def _wait_seconds(load: Load, job: QueuedJob) -> float:
    begins = begin_seconds(load, job.lane, job.ahead, job.cost)
    return begins + own_seconds(load, job.cost) if math.isfinite(begins) else math.inf


def _calibrate(outcomes: Sequence[Outcome]) -> _Ratios:
    """The ratios of a lane's last outcomes, oldest first."""
    last = [o for o in outcomes[-KEPT:] if o.model > 0 and math.isfinite(o.model)]
    level = TARGET
    for outcome in last:
        level += _LEVEL_STEP * (TARGET - outcome.kept)
        level = min(0.995, max(0.6, level))
    believed = _PRIOR[:: 1 + len(last) // 30]  # the prior fades as outcomes arrive
    ratios = sorted([*(o.true / o.model for o in last), *believed])
    return _Ratios(quantile(ratios, 0.5), quantile(ratios, level))
