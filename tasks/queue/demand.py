"""Arrival rates by lane: the posterior over the current demand regime. Pure.

Bayesian online change-point detection (R. P. Adams, D. J. C. MacKay, "Bayesian online changepoint
detection", 2007) on arrivals of all lanes together: every regime is a hypothesis of when the
current demand began, with the arrivals since. Short regimes are the fast estimate of the rates,
long ones the slow estimate, and their weights say which one the evidence supports. A new regime has
a wide prior that shrinks with each arrival.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

REGIME_SECONDS = 600.0
"""Expected length of a regime, the prior of the detector."""

PRIOR_ARRIVALS = 0.7
"""Weight of the prior of a new regime's rate, in arrivals."""

PRIOR_SECONDS = 2.0
"""Prior observation time of the very first regime; later ones use the rate before them."""

MAX_REGIMES = 24
SLOW_SECONDS = 3600.0
"""Memory of the slow estimate, which a regime returns to when it ends."""

SURGE = 1.5
"""A surge is a demand above the one before it by this factor."""

TREND_SPREAD = 0.7
"""Standard deviation of a regime's trend before there is evidence, as a share of its mean rate."""

MOST_TREND = 1.6
"""The largest trend: a rate that rose linearly from nothing has 2."""

RISE = 1.25
"""A regime above the one before it by less than this factor is no surge of its own."""

COST_ARRIVALS = 4.0
"""Weight of the mean cost of all lanes in a lane's own mean cost, in arrivals."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Arrivals of one lane: how many, and their expected GPU seconds."""

    jobs: float = 0.0
    seconds: float = 0.0

    def plus(self, other: Arrivals) -> Arrivals:
        """Both together."""
        return Arrivals(self.jobs + other.jobs, self.seconds + other.seconds)

    def scaled(self, factor: float) -> Arrivals:
        """A share of them."""
        return Arrivals(self.jobs * factor, self.seconds * factor)

    def repriced(self, factor: float) -> Arrivals:
        """The same jobs at other costs."""
        return Arrivals(self.jobs, self.seconds * factor)


Lanes = Mapping[str, Arrivals]


@dataclass(frozen=True, slots=True)
class Regime:
    """A hypothesis: the current demand began at `since`, with these arrivals so far.

    `before` is the demand per second that it replaced, and `base` the demand before that one.
    `moment` is the sum of all arrivals' seconds since the beginning: where it is above the half
    of the age for each, the demand rises.
    """

    since: float
    weight: float
    lanes: Lanes
    before: Lanes
    base: Lanes
    prior_seconds: float
    moment: float

    @property
    def jobs(self) -> float:
        """Arrivals since the beginning."""
        return sum(one.jobs for one in self.lanes.values())

    def returns_to(self, now: float) -> Lanes:
        """The demand after the regime: the one it replaced, if it is well above that.

        Else it goes on with what a surge began, or is its end: the demand before both.
        """
        before = sum(one.jobs for one in self.before.values())
        return self.before if self.rate(now) > RISE * before or not self.base else self.base

    def age(self, now: float) -> float:
        """Seconds since the beginning."""
        return max(0.0, now - self.since)

    def rate(self, now: float) -> float:
        """Expected arrivals per second of all lanes."""
        shape, rate = self.rate_parameters(now)
        return shape / rate

    def repriced(self, factor: float) -> Regime:
        """The same arrivals at other costs."""
        lanes, before = _repriced(self.lanes, factor), _repriced(self.before, factor)
        return replace(self, lanes=lanes, before=before, base=_repriced(self.base, factor))

    def trend(self, now: float) -> tuple[float, float]:
        """Mean and standard deviation of the rise over the age, as a share of the mean rate.

        Arrivals at a rate that grows linearly by the share b over the age have a mean time of
        age / 2 + b * age / 12, known within age / sqrt(12 n) after n arrivals.
        """
        age, jobs = self.age(now), self.jobs
        evidence = jobs / 12
        certainty = TREND_SPREAD**-2 + evidence
        found = 12 * (self.moment / (jobs * age) - 0.5) if jobs and age else 0.0
        mean = found * evidence / certainty
        return max(-MOST_TREND, min(MOST_TREND, mean)), certainty**-0.5

    def mean_rate(self, now: float) -> tuple[float, float]:
        """Mean arrivals per second since the beginning, and the weight of the evidence."""
        arrivals = PRIOR_ARRIVALS + self.jobs
        return arrivals / (self.prior_seconds + self.age(now)), arrivals

    def rate_parameters(self, now: float) -> tuple[float, float]:
        """Shape and rate of the gamma posterior of the present arrivals per second of all lanes."""
        mean, arrivals = self.mean_rate(now)
        trend, spread = self.trend(now)
        risen = 1 + trend / 2
        shape = 1 / (1 / arrivals + (spread / 2 / risen) ** 2)
        return shape, shape / (mean * risen)


@dataclass(frozen=True, slots=True)
class Demand:
    """The demand as observed until `at` (seconds). `slow` is arrivals of the last hour, decayed.

    `usual` is arrivals per second at this time of the day and of the week, from the record as it
    was read at `usual_at`; empty where there is none.
    """

    at: float = 0.0
    regimes: tuple[Regime, ...] = ()
    slow: Lanes = field(default_factory=dict)
    slow_seconds: float = 0.0
    usual: Lanes = field(default_factory=dict)
    usual_at: float = -math.inf

    def observe(self, arrived: Lanes, now: float) -> Demand:
        """The demand after arrivals between `at` and `now`."""
        if not self.regimes:
            if not any(one.jobs for one in arrived.values()):
                return replace(self, at=now)
            jobs = sum(one.jobs for one in arrived.values())
            first = Regime(now - 1.0, 1.0, arrived, {}, {}, PRIOR_SECONDS, jobs / 2)
            return replace(self, at=now, regimes=(first,), slow=arrived, slow_seconds=1.0)
        step = now - self.at
        if step <= 0:
            return self
        jobs = sum(one.jobs for one in arrived.values())
        prior_seconds = _prior_seconds(self.rate(), step)
        fresh = Regime(self.at, 0.0, {}, self.rates(), self._base(), prior_seconds, 0.0)
        change = -math.expm1(-step / REGIME_SECONDS)
        prior = [replace(one, weight=one.weight * (1 - change)) for one in self.regimes]
        prior.append(replace(fresh, weight=change))
        logs = [_log_likelihood(one, jobs, self.at, step) for one in prior]
        best = max(logs)
        grown = [
            _grow(one, arrived, one.weight * math.exp(log - best), jobs * (now - step / 2))
            for one, log in zip(prior, logs, strict=True)
        ]
        regimes = _kept(grown)
        decay = math.exp(-step / SLOW_SECONDS)
        slow = _add({lane: one.scaled(decay) for lane, one in self.slow.items()}, arrived)
        seconds = self.slow_seconds * decay + step
        return replace(self, at=now, regimes=regimes, slow=slow, slow_seconds=seconds)

    def repriced(self, factor: float) -> Demand:
        """The same arrivals at other costs, after the expected GPU seconds of a job changed."""
        regimes = tuple(one.repriced(factor) for one in self.regimes)
        return replace(self, regimes=regimes, slow=_repriced(self.slow, factor))

    def _base(self) -> dict[str, Arrivals]:
        """The demand that the likeliest present regimes return to."""
        found: dict[str, Arrivals] = {}
        for one in self.regimes:
            for lane, part in one.returns_to(self.at).items():
                found[lane] = found.get(lane, Arrivals()).plus(part.scaled(one.weight))
        return found

    def rate(self) -> float:
        """Expected arrivals per second of all lanes."""
        total = 0.0
        for one in self.regimes:
            shape, rate = one.rate_parameters(self.at)
            total += one.weight * shape / rate
        return total

    def rates(self) -> dict[str, Arrivals]:
        """Expected arrivals per second of each lane."""
        found: dict[str, Arrivals] = {}
        for one in self.regimes:
            shape, rate = one.rate_parameters(self.at)
            for lane, part in self.mix(one).items():
                found[lane] = found.get(lane, Arrivals()).plus(
                    part.scaled(one.weight * shape / rate)
                )
        return found

    def mix(self, regime: Regime) -> dict[str, Arrivals]:
        """Jobs and GPU seconds of each lane in an average arrival of a regime.

        The slow mix counts as a few arrivals, so that a young regime has a usable mix.
        """
        known = sum(one.jobs for one in self.slow.values())
        total = regime.jobs + COST_ARRIVALS
        shares: dict[str, Arrivals] = {}
        for lane in {*self.slow, *regime.lanes}:
            slow, own = self.slow.get(lane, Arrivals()), regime.lanes.get(lane, Arrivals())
            prior = slow.scaled(COST_ARRIVALS / known) if known else Arrivals()
            shares[lane] = own.plus(prior).scaled(1 / total)
        return shares

    def slow_rates(self) -> dict[str, Arrivals]:
        """Arrivals per second of each lane over the last hour."""
        seconds = max(self.slow_seconds, 60.0)
        return {lane: one.scaled(1 / seconds) for lane, one in self.slow.items()}

    def surged(self, lanes: Collection[str]) -> bool:
        """Whether these lanes now receive well more than before the likeliest regime."""
        if not self.regimes:
            return False
        likeliest = max(self.regimes, key=lambda one: one.weight)
        now = self.rates()
        before = sum(likeliest.before.get(lane, Arrivals()).jobs for lane in lanes)
        return sum(now.get(lane, Arrivals()).jobs for lane in lanes) > SURGE * max(before, 0.02)

    def surge_age(self) -> float:
        """Expected age of the current regime in seconds."""
        return sum(one.weight * one.age(self.at) for one in self.regimes)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "at": self.at,
            "slow": _lanes_to_json(self.slow),
            "slow_seconds": self.slow_seconds,
            "usual": _lanes_to_json(self.usual),
            "usual_at": self.usual_at if math.isfinite(self.usual_at) else None,
            "regimes": [
                {
                    "since": one.since,
                    "weight": one.weight,
                    "lanes": _lanes_to_json(one.lanes),
                    "before": _lanes_to_json(one.before),
                    "base": _lanes_to_json(one.base),
                    "prior_seconds": one.prior_seconds,
                    "moment": one.moment,
                }
                for one in self.regimes
            ],
        }


def read_demand(values: Mapping[str, Any]) -> Demand:
    """The demand that `to_json` wrote; an empty mapping is a cold start."""
    if not values:
        return Demand()
    regimes = tuple(_read_regime(one, values["at"]) for one in values["regimes"])
    usual_at = values.get("usual_at")
    return Demand(
        values["at"],
        regimes,
        _lanes_from_json(values["slow"]),
        values["slow_seconds"],
        _lanes_from_json(values.get("usual", {})),
        -math.inf if usual_at is None else usual_at,
    )


def _read_regime(values: Mapping[str, Any], now: float) -> Regime:
    found = Regime(
        values["since"],
        values["weight"],
        _lanes_from_json(values["lanes"]),
        _lanes_from_json(values["before"]),
        _lanes_from_json(values["base"]),
        values["prior_seconds"],
        0.0,
    )
    # Earlier versions stored no moment: no trend is known.
    return replace(found, moment=values.get("moment", found.jobs * found.age(now) / 2))


def _prior_seconds(rate: float, step: float) -> float:
    return min(60.0, max(step, PRIOR_ARRIVALS / max(rate, 1e-6)))


def _log_likelihood(regime: Regime, jobs: float, now: float, step: float) -> float:
    """Logarithm of the negative binomial probability of `jobs` arrivals in the next `step` seconds.

    Without the terms that are the same for every regime.
    """
    shape, rate = regime.rate_parameters(now)
    return (
        math.lgamma(shape + jobs)
        - math.lgamma(shape)
        + shape * math.log(rate / (rate + step))
        - jobs * math.log(rate + step)
    )


def _grow(regime: Regime, arrived: Lanes, weight: float, when: float) -> Regime:
    """The regime with these arrivals; `when` is the sum of their times."""
    lanes = _add(regime.lanes, arrived)
    came = sum(one.jobs for one in arrived.values())
    moment = regime.moment + when - came * regime.since
    return replace(regime, weight=weight, lanes=lanes, moment=moment)


def _kept(regimes: list[Regime]) -> tuple[Regime, ...]:
    """The likeliest regimes, with weights that add up to 1."""
    best = sorted(regimes, key=lambda one: -one.weight)[:MAX_REGIMES]
    negligible = 1e-5 * sum(one.weight for one in best)
    kept = [one for one in best if one.weight > negligible]
    total = sum(one.weight for one in kept)
    return tuple(replace(one, weight=one.weight / total) for one in kept)


def _repriced(lanes: Lanes, factor: float) -> dict[str, Arrivals]:
    return {lane: one.repriced(factor) for lane, one in lanes.items()}


def _add(lanes: Lanes, more: Lanes) -> dict[str, Arrivals]:
    return {
        lane: lanes.get(lane, Arrivals()).plus(more.get(lane, Arrivals()))
        for lane in {*lanes, *more}
    }


def _lanes_to_json(lanes: Lanes) -> dict[str, list[float]]:
    return {lane: [one.jobs, one.seconds] for lane, one in lanes.items()}


def _lanes_from_json(values: Mapping[str, list[float]]) -> dict[str, Arrivals]:
    return {lane: Arrivals(*pair) for lane, pair in values.items()}
