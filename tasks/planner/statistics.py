"""Results of a simulated day: waits, refusals and shares, by lane and over time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

STARVED_AFTER = 6 * 3600.0
"""Seconds of waiting after which a job counts as starved."""

_FINE = 50  # buckets for each factor e: a bucket is 2 % wide


class Histogram:
    """Seconds, counted in buckets 2 % wide: ten million waits in a few hundred numbers."""

    def __init__(self) -> None:
        self.buckets: Counter[int] = Counter()
        self.count = 0
        self.total = 0.0
        self.longest = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        self.buckets[int(math.log1p(seconds) * _FINE)] += 1
        self.count += 1
        self.total += seconds
        self.longest = max(self.longest, seconds)

    def quantile(self, level: float) -> float:
        """Seconds below which a share `level` of all lies; 0 where nothing was counted."""
        left = level * self.count
        for bucket in sorted(self.buckets):
            left -= self.buckets[bucket]
            if left <= 1e-9:
                return min(self.longest, math.expm1((bucket + 0.5) / _FINE)) if bucket else 0.0
        return self.longest

    def above(self, seconds: float) -> int:
        """How many lie above (to 2 %)."""
        edge = int(math.log1p(seconds) * _FINE)
        return sum(count for bucket, count in self.buckets.items() if bucket > edge)

    @property
    def mean(self) -> float:
        """The mean in seconds."""
        return self.total / self.count if self.count else 0.0


@dataclass(slots=True)
class LaneTally:
    """One lane's day. Waits are from asking to the start of the render, in seconds."""

    asked: int = 0
    accepted: int = 0
    degraded: int = 0
    invited: int = 0
    served: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    waits: Histogram = field(default_factory=Histogram)
    apart: Histogram = field(default_factory=Histogram)  # of one member who is counted separately
    told: int = 0  # estimates given
    kept: int = 0

    def as_json(self) -> dict[str, Any]:
        """Plain values; waits in seconds."""
        never = self.accepted - self.served
        return {
            "asked": self.asked,
            "accepted": self.accepted,
            "degraded": self.degraded,
            "invited": self.invited,
            "served": self.served,
            "unserved": never,
            "refused": dict(self.refused),
            "refused_share": sum(self.refused.values()) / self.asked if self.asked else 0.0,
            "wait_mean": round(self.waits.mean, 3),
            "wait_p50": round(self.waits.quantile(0.5), 3),
            "wait_p90": round(self.waits.quantile(0.9), 3),
            "wait_p99": round(self.waits.quantile(0.99), 3),
            "wait_longest": round(self.waits.longest, 3),
            "starved": self.waits.above(STARVED_AFTER) + never,
            "within_p90": round(self.kept / self.told, 4) if self.told else None,
        }


@dataclass(slots=True)
class Moment:
    """One moment of the day, for the charts."""

    at: float
    waiting: dict[str, int]
    predicted: dict[str, float]  # a newcomer's wait by lane, seconds
    door_level: int  # of the first automatic door
    busy: float  # share of GPUs at work
    waitlist: int


@dataclass(slots=True)
class Day:
    """A whole simulated day."""

    trace: str
    gpus: int
    seconds: float
    events: int
    busy_seconds: float
    lanes: Mapping[str, LaneTally]
    moments: Sequence[Moment]
    received: Mapping[tuple[int, int], list[float]]  # (lane, member) → [asked, given] GPU seconds
    door_moves: int = 0

    def shares(self, lane: int) -> list[float]:
        """Each member's service in a lane over their fair share of the lane's service."""
        pairs = [pair for (number, _), pair in self.received.items() if number == lane]
        return fair_ratios([asked for asked, _ in pairs], [given for _, given in pairs])


def fair_ratios(asked: Sequence[float], given: Sequence[float]) -> list[float]:
    """Service over the max-min fair share of what was requested; 1 is exactly fair."""
    fair = max_min(asked, sum(given))
    return [g / f for g, f in zip(given, fair, strict=True) if f > 0]


def jain_index(ratios: Sequence[float]) -> float:
    """Jain's fairness index: 1 where all are equal, 1/n where one has all.

    (R. Jain, D. Chiu, W. Hawe, "A quantitative measure of fairness", DEC-TR-301, 1984.)
    """
    squares = sum(ratio * ratio for ratio in ratios)
    return sum(ratios) ** 2 / (len(ratios) * squares) if squares else 1.0


def max_min(asked: Sequence[float], total: float) -> list[float]:
    """`total` divided max-min fairly: nobody gets more than requested."""
    level, left, many = 0.0, total, len(asked)
    for number, wish in enumerate(sorted(asked)):
        level = wish
        if wish * (many - number) >= left:
            level = left / (many - number)
            break
        left -= wish
    return [min(wish, level) for wish in asked]
