"""The fair queue as a fluid: service curves of all lanes under given inflows and fleet rates. Pure.

Each lane drains by its weight, and the other lanes take what a lane leaves unused. Between two
changes (a lane runs empty, an inflow or the fleet changes) all speeds are constant, so a replay
takes a few steps, whatever the backlog.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from operator import sub

from tasks.queue.load import Load

HORIZON = 6 * 3600.0
"""Seconds that are replayed; longer waits continue at the last speed."""

PAUSED_SHARE = 1 / 9
"""The device's share for paused jobs while others run (`imaging.engine.step_scheduler`)."""

EMPTY = 1e-9
ROUNDING = 1e-6  # GPU seconds; sums of many steps


@dataclass(frozen=True, slots=True)
class Curve:
    """Service and arrivals of one lane: GPU seconds at each time, linear between them.

    `gained` is the service beyond what has arrived, the most of it so far.
    """

    times: Sequence[float]
    served: Sequence[float]
    arrived: Sequence[float]
    gained: Sequence[float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Once a curve, not once a job: admission asks every curve for every order.
        gained = list(accumulate(map(sub, self.served, self.arrived), max, initial=0.0))[1:]
        object.__setattr__(self, "gained", gained)

    def time_of(self, ahead: float) -> float:
        """Seconds until `ahead` GPU seconds are served."""
        return _inverse(self.times, self.served, ahead)

    def arrived_by(self, seconds: float) -> float:
        """GPU seconds that arrive until then, no later than the replay goes."""
        n = min(bisect_left(self.times, seconds), len(self.times) - 1)
        if n == 0:
            return 0.0
        share = (seconds - self.times[n - 1]) / (self.times[n] - self.times[n - 1])
        before = self.arrived[n - 1]
        return before + min(1.0, share) * (self.arrived[n] - before)

    def speed_before(self, number: int) -> float:
        """GPU seconds served per second until the time of this number; the last one goes on."""
        n = min(number, len(self.times) - 1)
        if n == 0:
            return 0.0
        return (self.served[n] - self.served[n - 1]) / (self.times[n] - self.times[n - 1])

    def overtaken_time_of(self, ahead: float) -> float:
        """The same where the lane's newcomers are served first."""
        return _inverse(self.times, self.gained, ahead)


def _inverse(times: Sequence[float], values: Sequence[float], wanted: float) -> float:
    """The time of a value, continued at the last slope; infinite where that is 0."""
    if wanted <= 0:
        return 0.0
    if values[-1] >= wanted - ROUNDING:
        wanted = min(wanted, values[-1])  # all that waited is served, but for a rounding error
    n = min(bisect_left(values, wanted), len(values) - 1)
    rise = values[n] - values[n - 1] if n else 0.0
    if rise <= 0:
        return math.inf
    return times[n - 1] + (wanted - values[n - 1]) / rise * (times[n] - times[n - 1])


@dataclass(frozen=True, slots=True)
class Phase:
    """From `at` seconds on: the fleet's rate, and each lane's inflow in GPU seconds per second."""

    at: float
    rate: float
    inflow: Mapping[str, float]


def service_curves(load: Load, phases: Sequence[Phase], beyond: float = 0.0) -> dict[str, Curve]:
    """The curve of each lane, until all is served that waits now or comes in `beyond` seconds.

    The first phase begins at 0.
    """
    names = list(load.lanes)
    pauses = [load.lanes[name].pauses for name in names]
    weights = [load.lanes[name].weight for name in names]
    backlog = [load.lanes[name].seconds for name in names]
    wanted = list(backlog)
    waiting, served, arrived = list(backlog), [0.0] * len(names), [0.0] * len(names)
    times = [0.0]
    history: list[tuple[list[float], list[float]]] = [([0.0], [0.0]) for _ in names]
    for number, phase in enumerate(phases):
        inflow = [phase.inflow.get(name, 0.0) for name in names]
        ends = phases[number + 1].at if number + 1 < len(phases) else HORIZON
        while times[-1] < min(ends, HORIZON) - EMPTY:
            speeds = _speeds(phase.rate, weights, waiting, inflow, pauses)
            edge = beyond if times[-1] < beyond - EMPTY else HORIZON
            step = _step(waiting, speeds, inflow, min(ends, edge) - times[-1])
            times.append(times[-1] + step)
            for n, (of_served, of_arrived) in enumerate(history):
                served[n] += step * speeds[n]
                arrived[n] += step * inflow[n]
                left = waiting[n] + step * (inflow[n] - speeds[n])
                waiting[n] = left if left > EMPTY else 0.0
                of_served.append(served[n])
                of_arrived.append(arrived[n])
            if times[-1] <= beyond + EMPTY:
                wanted = [b + a for b, a in zip(backlog, arrived, strict=True)]
            if times[-1] >= beyond - EMPTY and _all_served(served, wanted):
                break
        if times[-1] >= beyond - EMPTY and _all_served(served, wanted):
            break
    return {name: Curve(times, *history[n]) for n, name in enumerate(names)}


def _all_served(served: Sequence[float], wanted: Sequence[float]) -> bool:
    return all(done >= all_of - ROUNDING for done, all_of in zip(served, wanted, strict=True))


def _step(
    waiting: Sequence[float], speeds: Sequence[float], inflow: Sequence[float], longest: float
) -> float:
    """Seconds until the first lane runs empty."""
    step = longest
    for seconds, speed, arriving in zip(waiting, speeds, inflow, strict=True):
        drain = speed - arriving
        if seconds > EMPTY and drain > 1e-12:
            step = min(step, seconds / drain)
    return step


def _speeds(
    rate: float,
    weights: Sequence[float],
    waiting: Sequence[float],
    inflow: Sequence[float],
    pauses: Sequence[bool],
) -> list[float]:
    """`share_out`, but paused lanes together have the device's share for them at most.

    Only where another lane has a backlog: else they take what is left.
    """
    speeds = share_out(rate, weights, waiting, inflow)
    paused = sum(speed for speed, one in zip(speeds, pauses, strict=True) if one)
    others = [n for n, one in enumerate(pauses) if not one]
    if paused <= PAUSED_SHARE * rate or all(waiting[n] <= EMPTY for n in others):
        return speeds
    for n, one in enumerate(pauses):
        if one:
            speeds[n] *= PAUSED_SHARE * rate / paused
    parts = ([one[n] for n in others] for one in (weights, waiting, inflow))
    for n, speed in zip(others, share_out((1 - PAUSED_SHARE) * rate, *parts), strict=True):
        speeds[n] = speed
    return speeds


def share_out(
    rate: float, weights: Sequence[float], waiting: Sequence[float], inflow: Sequence[float]
) -> list[float]:
    """GPU seconds per second of each lane: by weight; a lane without backlog gets its inflow."""
    speeds = [0.0] * len(weights)
    active = [n for n in range(len(weights)) if waiting[n] > EMPTY or inflow[n] > 0]
    while active:
        unit = rate / sum(weights[n] for n in active)
        hungry = []
        for n in active:
            if waiting[n] > EMPTY or inflow[n] > unit * weights[n]:
                hungry.append(n)
                speeds[n] = unit * weights[n]
            else:
                speeds[n] = inflow[n]
                rate -= inflow[n]
        if len(hungry) == len(active):
            break
        active = hungry
    return speeds
