"""Wait forecasts: the fair order replayed with the arrivals that are still to come. Pure.

A forecast is an ensemble of scenarios. Each draws a demand regime and its rate from the posterior
(`tasks.queue.demand`), the time at which the demand returns to what it was before, and the time at
which a lost part of the fleet returns. A fluid replay (`tasks.queue.fluid`) gives the service curve
of every lane. A job's wait in a scenario is the time at which the curve reaches the work ahead of
it. Quantiles over the scenarios are the estimate.

The remaining time of a state is log-normal, with a median in proportion to the time that it has
lasted (`Duration`): a young surge may end soon, and an old one is expected to last.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from random import Random
from statistics import NormalDist

from tasks.queue.demand import Arrivals, Demand, Regime
from tasks.queue.fairness import AGEING
from tasks.queue.fluid import PAUSED_SHARE, Curve, Phase, service_curves
from tasks.queue.load import Load

SCENARIOS = 32
PLANNED_SCENARIOS = 8
TREND_SECONDS = 30.0
"""How far ahead of the present queue the automatic doors look."""


@dataclass(frozen=True, slots=True)
class Duration:
    """How long a state of some age still lasts: log-normal, its median in proportion to the age.

    `ratio` is that proportion, `young` the seconds added to every age, since little is known of a
    state that has just begun, and `spread` the standard deviation of the logarithm.
    """

    ratio: float
    young: float
    spread: float


DEMAND_LASTS = Duration(0.15, 100.0, 1.2)
LOSS_LASTS = Duration(0.8, 60.0, 1.2)
"""Lost workers return in a minute, or stay away."""

LEAST_SHARE = 0.1
"""The least share of its mean rate that a falling demand has at present."""

SERVICE_SPREAD = 0.05
"""Standard deviation of the logarithm of the fleet's true speed over the measured one."""

YOUNG_SPREAD = 0.6
"""The same, in addition, when a surge begins: pictures share batches, and their costs change."""

YOUNG_SECONDS = 10.0
"""In which that falls to a third: the first renders have told what they cost."""

RATE_SPREAD = 0.17
"""The same of the arrival rate, beside the uncertainty that the posterior has."""

OWN_SPREAD = 0.1
"""The same of a job's own render over the expected one, at least: the learnt one may be more."""

USUAL_SHARE = 0.5
"""Weight of the usual demand of this time of the week in what follows a surge."""

COLD_SPREAD = 0.5
"""Spread of the logarithm of the demand over the usual one, before any order came."""

GROWS = 0.12
"""Share of scenarios in which a rising demand grows once more instead of returning."""

GROWTH = 0.8
"""By how much of the last rise it grows again."""

SPREAD = 0.8
"""Factor of that variance: the fair order evens out some of it."""

SLOT = 0.3
"""Standard deviation of when the next job begins, in starts of jobs on a busy fleet."""

TURN = 0.5
"""The same of when a lane has its turn, for each start of other lanes between two of its own."""

BESIDE = 0.25
"""What a paused job's render takes longer for each job that runs beside it and is paused, too."""

MOST_DELAY = 0.5
"""The largest share of the rate that other lanes' random arrivals are taken to delay."""

DRAWS_SEED = 1675
"""A seed with little correlation between the quantities, for both numbers of scenarios."""

_NORMAL = NormalDist()


Inflows = list[tuple[float, Mapping[str, Arrivals]]]
"""Arrivals per second of each lane, from each time (seconds from now) on."""


@dataclass(frozen=True, slots=True)
class FleetChange:
    """The fleet's last change: when, and the rate (GPU seconds per second) before it."""

    at: float
    rate_before: float


@dataclass(frozen=True, slots=True)
class Draw:
    """Uniform numbers of a scenario, one for each uncertain quantity."""

    regime: float
    rate: float
    duration: float
    after: float
    noise: float
    speed: float
    trend: float
    residual: float
    own: float
    fleet: float


def _sequence(count: int) -> list[Draw]:
    """A Latin hypercube: every quantity takes each of `count` levels once, in an order of its own.

    The same scenarios every time, so that estimates do not jitter.
    """
    chance = Random(DRAWS_SEED)  # noqa: S311  a fixed design, not a secret
    levels = [(n + 0.5) / count for n in range(count)]
    columns = [chance.sample(levels, count) for _ in fields(Draw)]
    return [Draw(*row) for row in zip(*columns, strict=True)]


@dataclass(frozen=True, slots=True)
class Quantiles:
    """The distribution of a wait, as the sorted waits of all scenarios in seconds."""

    waits: Sequence[float]

    def at(self, level: float) -> float:
        """The wait at a level between 0 and 1, linear between scenarios."""
        place = level * len(self.waits) - 0.5
        low = max(0, min(len(self.waits) - 1, math.floor(place)))
        high = min(low + 1, len(self.waits) - 1)
        share = min(1.0, max(0.0, place - low))
        if self.waits[high] == math.inf:
            return math.inf if share else self.waits[low]
        return self.waits[low] + share * (self.waits[high] - self.waits[low])


@dataclass(frozen=True, slots=True)
class Scenario:
    """One future: the curve of each lane, and the spread of its random arrivals."""

    curves: Mapping[str, Curve]
    noise: float  # a standard normal quantile
    own: float  # a standard normal quantile of the job's own render
    residual: float  # a uniform quantile of the soonest end of a running job
    age: float  # seconds since its demand began
    young: float  # spread of the logarithm of prices, because its surge has just begun
    spread: Mapping[str, float]  # variance of a lane's wait per second of waiting, in seconds

    def render_beside(self, load: Load, begins: float, work: float) -> float:
        """Seconds of a render of `work` GPU seconds from `begins` on, amid jobs that pause it.

        It has what the lanes that are not paused leave of a device, and a share at least.
        """
        pausing = [self.curves[name] for name, one in load.lanes.items() if not one.pauses]
        times = next(iter(self.curves.values())).times
        clock, left = begins, work
        for n in range(max(1, bisect_right(times, begins)), len(times) + 1):
            taken = sum(one.speed_before(n) for one in pausing)
            speed = max(PAUSED_SHARE, 1 - taken / load.fleet.rate)
            if n == len(times) or left <= speed * (times[n] - clock):
                return clock + left / speed - begins
            left -= speed * (times[n] - clock)
            clock = times[n]
        return clock - begins


@dataclass(frozen=True, slots=True)
class Forecast:
    """All scenarios of one moment; the load is the one they began from."""

    load: Load
    scenarios: Sequence[Scenario]

    def wait(self, lane: str, ahead: float, mine: float, lead: float = 0.0) -> Quantiles:
        """Seconds until a job of `mine` GPU seconds is delivered, `ahead` of its lane before it.

        `lead` is the distance of its start tag to the lane's virtual time: above 0 newcomers
        overtake it, which ageing bounds.
        """
        fleet = self.load.fleet
        if fleet.rate <= 0 or fleet.slots <= 0:
            return Quantiles([math.inf])
        mine_lane = self.load.lanes[lane]
        own = self.load.seconds_of(lane, mine)
        usual, slots = fleet.job_seconds or own, fleet.slots
        if fleet.headroom and not mine_lane.pauses:
            # It begins once one of its own kind ends: the others pause for it.
            usual, slots = min(usual, own), slots + fleet.headroom
        own_spread = max(OWN_SPREAD, mine_lane.spread)
        busy = fleet.running >= slots
        # The load may be a second older than `ahead`: what came since then is added to the curve.
        known = min(ahead, mine_lane.seconds)
        share = self._share(lane)
        since = (ahead - known) / share
        starts = math.hypot(SLOT, TURN * (fleet.rate / share - 1)) if busy else 0.0
        turn = starts * usual / slots
        # What a paused lane's running jobs still need is served before, and half of as many beside.
        waits_for_end = busy and not mine_lane.pauses
        beside = 1 + mine_lane.running / fleet.rate * BESIDE
        # Each of them needs anything between nothing and all of its cost.
        left = mine_lane.underway / math.sqrt(3 * max(1, mine_lane.running)) / share
        waits = []
        for scenario in self.scenarios:
            curve = scenario.curves[lane]
            straight = curve.time_of(known + mine_lane.underway) + since
            if lead > 0:
                straight = min(curve.overtaken_time_of(known) + since, straight + lead / AGEING)
            soonest = usual * (1 - (1 - scenario.residual) ** (1 / slots)) if waits_for_end else 0.0
            begins = straight + soonest
            variance = scenario.spread[lane] * begins + turn**2 + fleet.handling**2 + left**2
            jitter = scenario.noise * math.sqrt(variance)
            render = own
            if mine_lane.pauses and straight < math.inf:
                render = scenario.render_beside(self.load, begins, mine * beside)
            render *= math.exp(math.hypot(own_spread, scenario.young) * scenario.own)
            waits.append(max(0.0, begins + jitter) + render)
        return Quantiles(sorted(waits))

    def _share(self, lane: str) -> float:
        """GPU seconds per second that the lane receives at least while it has work."""
        busy = [one.weight for name, one in self.load.lanes.items() if one.seconds or name == lane]
        return self.load.fleet.rate * self.load.lanes[lane].weight / sum(busy)

    def newcomer(self, lane: str, mine: float, later: float = 0.0) -> Quantiles:
        """Seconds until a job queued `later` seconds from now would begin, behind all of its lane.

        The input of automatic doors: with `later` above 0 it rises before the queue is long. A
        scenario looks no further ahead than its demand has been observed.
        """
        fleet = self.load.fleet
        if fleet.rate <= 0 or fleet.slots <= 0 or lane not in self.load.lanes:
            return Quantiles([math.inf])
        own = fleet.job_seconds or self.load.seconds_of(lane, mine)
        first_free = own / (fleet.slots + 1) if fleet.running >= fleet.slots else 0.0
        ahead = self.load.lanes[lane].seconds
        waits = []
        for scenario in self.scenarios:
            ahead_seconds = min(later, scenario.age)
            curve = scenario.curves[lane]
            begins = curve.time_of(ahead + curve.arrived_by(ahead_seconds)) - ahead_seconds
            waits.append(first_free + max(0.0, begins))
        return Quantiles(sorted(waits))


_DRAWS = {count: _sequence(count) for count in (SCENARIOS, PLANNED_SCENARIOS)}


def forecast(
    load: Load,
    demand: Demand,
    now: float,
    change: FleetChange | None = None,
    draws: int = SCENARIOS,
) -> Forecast:
    """The forecast from a load and the demand observed until now (seconds).

    `draws` is `SCENARIOS`, or `PLANNED_SCENARIOS` where speed matters more than smooth quantiles.
    """
    served = replace(load, lanes={name: one.with_underway() for name, one in load.lanes.items()})
    return Forecast(load, [_scenario(served, demand, now, change, draw) for draw in _DRAWS[draws]])


def remaining(age: float, level: float, law: Duration) -> float:
    """Seconds that a state of this age still lasts, at a level of its distribution."""
    return law.ratio * (age + law.young) * math.exp(law.spread * _NORMAL.inv_cdf(level))


def _scenario(
    load: Load, demand: Demand, now: float, change: FleetChange | None, draw: Draw
) -> Scenario:
    inflows: Inflows
    regime = _pick(demand.regimes, draw.regime)
    if regime is None:
        share = math.exp(COLD_SPREAD * _NORMAL.inv_cdf(draw.rate))
        inflows = [(0.0, {lane: one.scaled(share) for lane, one in demand.usual.items()})]
    else:
        inflows = _inflows(demand, regime, now, draw)
    current, starts = inflows[0][1], [at for at, _ in inflows]
    returns, rate_after = math.inf, load.fleet.rate
    if change is not None and change.rate_before > load.fleet.rate:
        lost = max(0.0, now - change.at)
        returns, rate_after = remaining(lost, draw.fleet, LOSS_LASTS), change.rate_before
    young = YOUNG_SPREAD * (_young(demand, regime) if regime is not None else 0.0)
    spread = math.hypot(SERVICE_SPREAD, load.fleet.price_spread, young)
    speed = math.exp(spread * _NORMAL.inv_cdf(draw.speed))
    phases = [
        Phase(
            at,
            speed * (rate_after if at >= returns else load.fleet.rate),
            _seconds(inflows[bisect_right(starts, at) - 1][1]),
        )
        for at in sorted({*starts, *([returns] if returns < math.inf else [])})
    ]
    return Scenario(
        service_curves(load, phases, TREND_SECONDS),
        _NORMAL.inv_cdf(draw.noise),
        _NORMAL.inv_cdf(draw.own),
        draw.residual,
        regime.age(now) if regime is not None else 0.0,
        young,
        _spread(load, current),
    )


def _young(demand: Demand, regime: Regime) -> float:
    """1 where a surge has just begun, and less the older it is; 0 where demand has not risen."""
    return math.exp(-regime.age(demand.at) / YOUNG_SECONDS) if _rising(demand, regime) else 0.0


def _rising(demand: Demand, regime: Regime) -> bool:
    return regime.rate(demand.at) >= sum(one.jobs for one in regime.before.values())


def _present(demand: Demand, regime: Regime, draw: Draw) -> dict[str, Arrivals]:
    """Arrivals per second of each lane at present, if this regime is the true one."""
    mean, arrivals = regime.mean_rate(demand.at)
    trend, spread = regime.trend(demand.at)
    risen = 1 + (trend + spread * _NORMAL.inv_cdf(draw.trend)) / 2
    uncertainty = math.sqrt(1 / (arrivals + 1) + RATE_SPREAD**2)
    jobs = mean * math.exp(_NORMAL.inv_cdf(draw.rate) * uncertainty) * max(LEAST_SHARE, risen)
    return {lane: one.scaled(jobs) for lane, one in demand.mix(regime).items()}


def _pick(regimes: Sequence[Regime], level: float) -> Regime | None:
    for one in sorted(regimes, key=lambda one: one.since):
        level -= one.weight
        if level <= 0:
            return one
    return regimes[-1] if regimes else None


def _inflows(demand: Demand, regime: Regime, now: float, draw: Draw) -> Inflows:
    """Arrivals per second from each time on, in seconds from now.

    The regime ends, and the demand that it replaced returns. In some scenarios a rising demand
    first rises once more, and that lasts as long again.
    """
    current = _present(demand, regime, draw)
    before = _blended(regime.returns_to(demand.at), demand.usual)
    lasts = remaining(regime.age(now), draw.duration, DEMAND_LASTS)
    if not _rising(demand, regime) or draw.after >= GROWS:
        return [(0.0, current), (lasts, before)]
    return [(0.0, current), (lasts, _grown(before, current)), (2 * lasts, before)]


def _grown(before: Mapping[str, Arrivals], current: Mapping[str, Arrivals]) -> dict[str, Arrivals]:
    """The demand after one more rise."""
    nothing = Arrivals()

    def moved(old: float, new: float) -> float:
        return max(0.0, new + GROWTH * (new - old))

    pairs = {
        lane: (before.get(lane, nothing), current.get(lane, nothing))
        for lane in {*current, *before}
    }
    return {
        lane: Arrivals(moved(old.jobs, new.jobs), moved(old.seconds, new.seconds))
        for lane, (old, new) in pairs.items()
    }


def _blended(before: Mapping[str, Arrivals], usual: Mapping[str, Arrivals]) -> dict[str, Arrivals]:
    """The demand to return to: half what was before, half what is usual at this time."""
    if not usual:
        return dict(before)
    nothing = Arrivals()
    return {
        lane: before.get(lane, nothing)
        .scaled(1 - USUAL_SHARE)
        .plus(usual.get(lane, nothing).scaled(USUAL_SHARE))
        for lane in {*before, *usual}
    }


def _seconds(lanes: Mapping[str, Arrivals]) -> dict[str, float]:
    return {lane: one.seconds for lane, one in lanes.items()}


def _spread(load: Load, current: Mapping[str, Arrivals]) -> dict[str, float]:
    """Variance per second of a lane's wait, from random arrivals of the other lanes.

    Compound Poisson: arrivals bring `seconds` per second in jobs of `cost`, and a lane that other
    lanes delay by a share `rho` of the rate is slowed by 1 / (1 - rho). Of two lanes with work, the
    heavier goes first by its share of both weights.
    """
    rate = max(load.fleet.rate, 1e-9)
    spread = {}
    for lane, mine in load.lanes.items():
        delay = variance = 0.0
        for name, one in current.items():
            if name == lane or one.jobs <= 0 or name not in load.lanes:
                continue
            weight = load.lanes[name].weight
            before = one.seconds / rate * weight / (weight + mine.weight)
            delay += before
            variance += before * one.seconds / one.jobs / rate
        spread[lane] = SPREAD * variance / (1 - min(MOST_DELAY, delay)) ** 2
    return spread
