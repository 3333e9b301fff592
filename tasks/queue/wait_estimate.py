"""Wait estimates: the fair order replayed at the measured rates.

Pure. The replay is a fluid approximation: each lane drains by its weight, as the fair queue serves
it, and other lanes take the share that a lane leaves unused. The cost is a few steps, whatever the
backlog. The ranges that members see come from `tasks.queue.forecast`; every estimate is stored with
its outcome, and the last outcomes correct the range (`correct`, `corrected`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from tasks.jobs.job import Estimate
from tasks.queue.load import Load

FOREVER = math.inf
TARGET = 0.9
KEPT = 300
"""Outcomes of a lane that the range is computed from, the latest ones."""

_FLOOR = 0.1  # seconds


@dataclass(frozen=True, slots=True)
class Replayed:
    """`seconds` until the lane received its work; `served`: GPU seconds every lane received."""

    seconds: float
    served: Mapping[str, float]


def replay(load: Load, lane: str, ahead: float, longest: float = FOREVER) -> Replayed:
    """Serve all lanes until `lane` has received `ahead` GPU seconds.

    Stops after `longest` seconds; infinite where no worker is alive.
    """
    served = dict.fromkeys(load.lanes, 0.0)
    if ahead <= 0 or longest <= 0:
        return Replayed(0.0, served)
    if load.fleet.rate <= 0:
        return Replayed(FOREVER, served)
    waiting = {name: other.seconds for name, other in load.lanes.items() if name != lane}
    clock, left = 0.0, ahead
    while True:
        speeds = _share_out(load, {*_backlogged(waiting), lane})
        lasts = [
            (waiting[name] / drain, name)
            for name in _backlogged(waiting)
            if (drain := speeds[name] - load.lanes[name].inflow) > 0
        ]
        step, emptied = min(lasts, default=(FOREVER, ""))
        mine = min(left / speeds[lane], longest - clock)
        last = mine <= step
        step = min(mine, step)
        clock += step
        for name, speed in speeds.items():
            served[name] += step * speed
        if last:
            return Replayed(clock, served)
        left -= step * speeds[lane]
        for name, seconds in waiting.items():
            growth = load.lanes[name].inflow - speeds[name]
            waiting[name] = max(0.0, seconds + step * growth)
        waiting[emptied] = 0.0


def _backlogged(waiting: Mapping[str, float]) -> list[str]:
    return [name for name, seconds in waiting.items() if seconds > 1e-9]


def _share_out(load: Load, busy: set[str]) -> dict[str, float]:
    """GPU seconds per second of each lane: by weight; an idle lane gets its inflow at most."""
    speeds = dict.fromkeys(load.lanes, 0.0)
    rate = load.fleet.rate
    at_work = [(name, one) for name, one in load.lanes.items() if name in busy or one.inflow > 0]
    while at_work:
        unit = rate / sum(one.weight for _, one in at_work)
        hungry = []
        for name, one in at_work:
            if name in busy or one.inflow > unit * one.weight:
                hungry.append((name, one))
                speeds[name] = unit * one.weight
            else:
                speeds[name] = one.inflow
                rate -= one.inflow
        if len(hungry) == len(at_work):
            break
        at_work = hungry
    return speeds


def jobs_before(load: Load, lane: str, jobs_ahead: int, ahead: float) -> int:
    """Place in line (1 is next) of a job with `jobs_ahead` jobs of `ahead` GPU seconds before it.

    `jobs_ahead` are of its own lane; the jobs of other lanes served meanwhile are added.
    """
    served = replay(load, lane, ahead).served
    between = sum(
        min(other.jobs, round(served[name] * other.jobs / other.seconds))
        for name, other in load.lanes.items()
        if name != lane and other.seconds > 0
    )
    return 1 + jobs_ahead + between


def begin_seconds(load: Load, lane: str, ahead: float, mine: float) -> float:
    """The expected seconds until a job of `mine` GPU seconds begins, at the present rates.

    `ahead` is the GPU seconds before it in its own lane. Infinite where no worker is alive.
    """
    fleet = load.fleet
    if fleet.rate <= 0 or fleet.slots <= 0:
        return FOREVER
    first_free = 0.0
    if fleet.running >= fleet.slots:
        # The soonest of `slots` ends, spread evenly over a render.
        first_free = own_seconds(load, mine) / (fleet.slots + 1)
    return first_free + replay(load, lane, ahead).seconds


def own_seconds(load: Load, mine: float) -> float:
    """Seconds from lease to delivery of a job of `mine` GPU seconds."""
    return load.fleet.job_seconds or mine * load.fleet.slots / load.fleet.rate


@dataclass(frozen=True, slots=True)
class Outcome:
    """A given estimate and the true wait, in seconds."""

    model: float
    p90: float
    true: float

    @property
    def kept(self) -> bool:
        """Whether the member was served within p90."""
        return self.true <= self.p90


@dataclass(frozen=True, slots=True)
class Calibration:
    """The correction by a lane's outcomes: a factor of p50, and an exponent of p90 ÷ p50."""

    median: float
    high: float
    share: float | None  # served within p90; None before there is anything
    samples: int


WIDEST, NARROWEST = 2.0, 0.5
"""Bounds of the exponent by which outcomes change p90 ÷ p50."""

FRESH = 20.0
"""Seconds of wait at which an outcome counts half.

An outcome says how good the forecast was when the job entered, and so is as old as the wait was. In
the middle of a surge those from its beginning were far too short: taken as a bias of the forecast,
they would lengthen every wait until the surge is over.
"""

MOST_WIDENED = 2.5
"""The largest p90 ÷ p50 to which outcomes widen a range: a wider one tells little."""

MOST_MEDIAN_CORRECTION = 1.1
"""The largest factor, or its inverse, by which outcomes move the median."""

COVERAGE_GAIN = 10.0
"""Gain of the feedback from coverage: five points too few widen the logarithm by a half."""

PRIOR_OUTCOMES = 30
"""Weight of an uncorrected forecast, in outcomes."""


def correct(outcomes: Sequence[Outcome]) -> Calibration:
    """The correction of a lane's forecasts by their last outcomes, oldest first.

    `median` is the factor that puts p50 in the middle of the true waits, `high` the exponent of
    p90 ÷ p50 that moves p90's coverage to nine in ten. Both begin at 1 and are bounded.
    """
    last = [o for o in outcomes[-KEPT:] if o.model > 0 and math.isfinite(o.model)]
    weights = [FRESH / (FRESH + o.true) for o in last]
    missed = [weight for o, weight in zip(last, weights, strict=True) if not o.kept]
    total = sum(weights)
    excess = (sum(missed) - (1 - TARGET) * total) / (total + PRIOR_OUTCOMES)
    share = 1 - len(missed) / len(last) if last else None
    median = _median_ratio(last, weights, (total + PRIOR_OUTCOMES) / 2)
    median = min(MOST_MEDIAN_CORRECTION, max(1 / MOST_MEDIAN_CORRECTION, median))
    high = min(WIDEST, max(NARROWEST, math.exp(COVERAGE_GAIN * excess)))
    return Calibration(median, high, share, len(last))


def _median_ratio(outcomes: Sequence[Outcome], weights: Sequence[float], half: float) -> float:
    """The ratio of true to predicted waits with `half` of the weight below it, the prior's at 1."""
    pairs = list(zip(outcomes, weights, strict=True))
    above = [(o.true / o.model, weight) for o, weight in pairs if o.true > o.model]
    below = [(o.true / o.model, weight) for o, weight in pairs if o.true < o.model]
    for side, descending in ((above, True), (below, False)):
        if sum(weight for _, weight in side) > half:
            left = half
            for ratio, weight in sorted(side, reverse=descending):
                left -= weight
                if left < 0:
                    return ratio
    return 1.0


def corrected(calibration: Calibration, p50: float, p90: float) -> Estimate | None:
    """The range that members see for a forecast's quantiles in seconds; None where infinite."""
    if not math.isfinite(p50):
        return None
    width = max(1.0, p90 / max(_FLOOR, p50))
    median = max(_FLOOR, p50 * calibration.median)
    high = median * min(width**calibration.high, max(width, MOST_WIDENED))
    return Estimate(timedelta(seconds=min(median, 1e9)), timedelta(seconds=min(high, 1e9)))


def quantile(values: Sequence[float], level: float) -> float:
    """Linear between the two nearest of sorted `values`."""
    place = level * (len(values) - 1)
    low = math.floor(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])


def spare_seconds(load: Load, lane: str, job_seconds: float, longest: float) -> float:
    """GPU seconds that a lane can still accept before a newcomer waits `longest` seconds."""
    first_free = begin_seconds(load, lane, 0.0, job_seconds)
    if not first_free < longest:
        return 0.0
    served = replay(load, lane, FOREVER, longest - first_free).served[lane]
    return max(0.0, served - load.lanes[lane].seconds)
