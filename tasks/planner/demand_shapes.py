"""Synthetic days of demand: a launch day, a day of the weekly wave, a viral burst.

A day is a curve (relative demand by second of the day) times a mix of tiers; within each minute
arrivals are Poisson. The same seed draws the same day.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from tasks.planner.trace import LANES, Arrival, Trace

DAY = 86_400.0
_MINUTE = 60.0

Curve = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Mix:
    """The mix of demand: each lane's share, requests per member, GPU seconds of a request."""

    share: Mapping[str, float] = field(
        default_factory=lambda: {
            "free": 0.80,
            "plus": 0.10,
            "team": 0.04,
            "pro": 0.05,
            "relaxed": 0.01,
        }
    )
    requests_a_member: float = 4.0
    seconds: float = 5.0
    spread: float = 0.35  # of the logarithm of a picture's seconds


def wave(at: float) -> float:
    """The day's wave: least at five in the morning, most at five in the afternoon."""
    return 1.0 - 0.6 * math.cos(2 * math.pi * (at / DAY - 5 / 24))


def launch_day(at: float) -> float:
    """The wave, and from nine o'clock a spike to eight times that fades over three hours."""
    since = at - 9 * 3600
    if since < 0:
        return wave(at)
    rise = min(1.0, since / 600)
    return wave(at) * (1 + 7 * rise * math.exp(-max(0.0, since - 600) / 5400))


LAUNCH = (9 * 3600.0, 10 * 3600.0, 10.5 * 3600.0)
"""Of a launch day: when the spike begins, its highest part ends, and half an hour more."""


def viral_burst(at: float) -> float:
    """The wave, and half an hour at six times of it in the afternoon."""
    inside = 15 * 3600 <= at < 15.5 * 3600
    return wave(at) * (6.0 if inside else 1.0)


def weekend(at: float) -> float:
    """A busy day of the weekly wave: half as much again, and later."""
    return 1.5 * wave(at - 2 * 3600)


SHAPES: Mapping[str, Curve] = {
    "launch-day": launch_day,
    "weekly-wave": weekend,
    "viral-burst": viral_burst,
}


def draw(name: str, requests: int, seed: int = 1, mix: Mix | None = None) -> Trace:
    """A day of about so many requests. Raises KeyError for a shape that is not in `SHAPES`."""
    curve = SHAPES[name]
    mix = mix or Mix()
    chance = Random(seed)  # noqa: S311  a drawing, not a secret
    minutes = [curve((m + 0.5) * _MINUTE) for m in range(int(DAY / _MINUTE))]
    unit = requests / sum(minutes)
    sizes = _sizes(chance, mix)
    trace = Trace(name, seconds=DAY)
    for number, level in enumerate(minutes):
        begin = number * _MINUTE
        batch: list[Arrival] = []
        for lane, share in mix.share.items():
            members = max(1, round(requests * share / mix.requests_a_member))
            count = _poisson(chance, unit * level * share)
            batch += _arrivals(chance, begin, LANES.index(lane), count, members, sizes)
        batch.sort()
        trace.extend(batch)
    return trace


def _arrivals(
    chance: Random, begin: float, lane: int, count: int, members: int, sizes: list[float]
) -> list[Arrival]:
    """Members are picked with a heavy head: one in ten of them asks for more than a quarter."""
    random, last = chance.random, len(sizes)
    return [
        (
            begin + _MINUTE * random(),
            lane,
            int(members * random() ** 1.7),
            sizes[int(last * random())],
        )
        for _ in range(count)
    ]


def _sizes(chance: Random, mix: Mix) -> list[float]:
    """A table of pictures' GPU seconds to draw from: quicker than a logarithm each."""
    return [mix.seconds * math.exp(chance.gauss(0, mix.spread)) for _ in range(1024)]


def _poisson(chance: Random, mean: float) -> int:
    if mean > 50:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    count, product, limit = 0, chance.random(), math.exp(-mean)
    while product > limit:
        count += 1
        product *= chance.random()
    return count
