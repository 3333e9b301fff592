"""How long until a picture is there: the real order replayed against the measured rates.

Pure. The replay is fluid: each lane drains by its weight, as the fair queue serves it, and what one
leaves the others take, so an estimate costs a handful of steps whatever the backlog. What the fluid
leaves out (unequal jobs, new paid work, a worker that stops) is learnt: each estimate is kept with
what came true, and the ratios of the last ones widen or narrow the range that members are told.
The level of p90 follows what was reached (I. Gibbs, E. Candès, "Adaptive conformal inference under
distribution shift", 2021), so that nine in ten are served within it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import NormalDist

from tasks.fairness import AGEING
from tasks.job import Estimate
from tasks.load import LaneLoad, Load

FOREVER = math.inf
TARGET = 0.9
KEPT = 300
"""How many of a lane's last outcomes the range is made from."""

_PRIOR_SPREAD = 0.25
_PRIOR_SIZE = 30
_PRIOR = [
    math.exp(_PRIOR_SPREAD * NormalDist().inv_cdf((n + 0.5) / _PRIOR_SIZE))
    for n in range(_PRIOR_SIZE)
]
_LEVEL_STEP = 0.02
_FLOOR = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Replayed:
    """`seconds` until the lane had its work, and the GPU seconds given to every lane by then."""

    seconds: float
    served: Mapping[str, float]


def replay(
    load: Load, lane: str, ahead: float, longest: float = FOREVER, overtaken: bool = False
) -> Replayed:
    """Serve until `lane` has been given `ahead` GPU seconds, the others beside it.

    No longer than `longest` seconds; endless where no worker lives. `overtaken`: what comes into
    the lane meanwhile is served before, too, which may be endless.
    """
    served = dict.fromkeys(load.lanes, 0.0)
    if ahead <= 0 or longest <= 0:
        return Replayed(0.0, served)
    if load.fleet.rate <= 0:
        return Replayed(FOREVER, served)
    waiting = {name: other.seconds for name, other in load.lanes.items() if name != lane}
    clock, left = 0.0, ahead
    newcomers = load.lanes[lane].inflow if overtaken else 0.0
    while True:
        speeds = _share_out(load, {*_backlogged(waiting), lane})
        lasts = [
            (waiting[name] / drain, name)
            for name in _backlogged(waiting)
            if (drain := speeds[name] - load.lanes[name].inflow) > 0
        ]
        step, emptied = min(lasts, default=(FOREVER, ""))
        gain = speeds[lane] - newcomers
        mine = min(left / gain if gain > 0 else FOREVER, longest - clock)
        last = mine <= step
        step = min(mine, step)
        if step == FOREVER:
            return Replayed(FOREVER, served)
        clock += step
        for name, speed in speeds.items():
            served[name] += step * speed
        if last:
            return Replayed(clock, served)
        left -= step * gain
        for name, seconds in waiting.items():
            growth = load.lanes[name].inflow - speeds[name]
            waiting[name] = max(0.0, seconds + step * growth)
        waiting[emptied] = 0.0


def _backlogged(waiting: Mapping[str, float]) -> list[str]:
    return [name for name, seconds in waiting.items() if seconds > 1e-9]


def _share_out(load: Load, busy: set[str]) -> dict[str, float]:
    """GPU seconds a second of each lane: by weight, but an idle lane no more than comes in."""
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

    Those are of its own lane; of every other lane come as many as are served meanwhile.
    """
    served = replay(load, lane, ahead).served
    between = sum(
        min(other.jobs, round(served[name] * other.jobs / other.seconds))
        for name, other in load.lanes.items()
        if name != lane and other.seconds > 0
    )
    return 1 + jobs_ahead + between


def begin_seconds(load: Load, lane: str, ahead: float, mine: float, lead: float = 0.0) -> float:
    """The model's expected seconds until a job of `mine` GPU seconds begins.

    `ahead` is the GPU seconds before it in its own lane. `lead` is above 0 for a job behind others
    of its member: how far its start tag lies before the lane's virtual time. Newcomers go before it
    until that time has come, which ageing bounds (rule 6 of `tasks.fairness`).
    """
    fleet = load.fleet
    if fleet.rate <= 0 or fleet.slots <= 0:
        return FOREVER
    first_free = 0.0
    if fleet.running >= fleet.slots:
        # The soonest of `slots` ends, spread evenly over a render.
        first_free = _own_seconds(load, mine) / (fleet.slots + 1)
    straight = replay(load, lane, ahead).seconds
    if lead > 0:
        overtaken = replay(load, lane, ahead, overtaken=True).seconds
        straight = min(overtaken, straight + lead / AGEING)
    return first_free + straight


def wait_seconds(load: Load, lane: str, ahead: float, mine: float, lead: float = 0.0) -> float:
    """The same until its picture is there: with its own render."""
    begins = begin_seconds(load, lane, ahead, mine, lead)
    return begins + _own_seconds(load, mine) if math.isfinite(begins) else FOREVER


def _own_seconds(load: Load, mine: float) -> float:
    return load.fleet.job_seconds or mine * load.fleet.slots / load.fleet.rate


@dataclass(frozen=True, slots=True)
class Outcome:
    """An estimate that was given and what came true, in seconds."""

    model: float
    p90: float
    true: float

    @property
    def kept(self) -> bool:
        """Whether the member was served within what was said."""
        return self.true <= self.p90


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a lane's outcomes say: how the truth lies to the model at p50 and p90."""

    median: float
    high: float
    share: float | None  # served within p90; None before there is anything
    samples: int

    def estimate(self, model: float) -> Estimate | None:
        """The range a member is told for the model's expected seconds; None where there is none."""
        if not math.isfinite(model) or model < 0:
            return None
        p50 = max(_FLOOR, timedelta(seconds=min(model * self.median, 1e9)))
        return Estimate(p50, max(p50, timedelta(seconds=min(model * self.high, 1e9))))


def calibrate(outcomes: Sequence[Outcome]) -> Calibration:
    """The calibration of a lane from its last outcomes, oldest first."""
    last = [o for o in outcomes[-KEPT:] if o.model > 0 and math.isfinite(o.model)]
    level = TARGET
    for outcome in last:
        level += _LEVEL_STEP * (TARGET - outcome.kept)
        level = min(0.995, max(0.6, level))
    believed = _PRIOR[:: 1 + len(last) // 30]  # the prior fades as outcomes come
    ratios = sorted([*(o.true / o.model for o in last), *believed])
    share = sum(o.kept for o in last) / len(last) if last else None
    return Calibration(_quantile(ratios, 0.5), _quantile(ratios, level), share, len(last))


def _quantile(values: Sequence[float], level: float) -> float:
    """Linear between the two nearest of sorted `values`."""
    place = level * (len(values) - 1)
    low = math.floor(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])


def newcomer_wait(load: Load, lane: str, job_seconds: float) -> float:
    """What a door follows: seconds until a job would begin that came in last now."""
    return begin_seconds(load, lane, load.lanes.get(lane, LaneLoad(1.0)).seconds, job_seconds)


def room(load: Load, lane: str, job_seconds: float, longest: float) -> float:
    """GPU seconds that may still come into a lane before a newcomer waits `longest` seconds."""
    mine = load.lanes.get(lane, LaneLoad(1.0)).seconds
    first_free = begin_seconds(load, lane, 0.0, job_seconds)
    if not first_free < longest:
        return 0.0
    return max(0.0, replay(load, lane, FOREVER, longest - first_free).served[lane] - mine)
