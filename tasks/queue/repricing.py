"""Queued work at present prices. Pure.

A job's tag in the fair queue keeps the cost that was expected when it entered. Costs change: in a
backlog pictures share batches and cost a fraction of what they did alone. So a lane's waiting work
is kept in parts, oldest first, each with its GPU seconds as they entered and as they are expected
at present.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

MAX_PARTS = 24
SAME_PRICE = 0.03
"""Difference of the logarithm of two prices up to which parts are merged."""

NOTHING = 1e-9  # GPU seconds


@dataclass(frozen=True, slots=True)
class Part:
    """GPU seconds of jobs that entered one after the other, as expected then and at present."""

    entered: float
    present: float

    @property
    def price(self) -> float:
        """The logarithm of the present cost over the one at entry."""
        return math.log(self.present / self.entered)

    def plus(self, other: Part) -> Part:
        """Both together."""
        return Part(self.entered + other.entered, self.present + other.present)

    def scaled(self, factor: float) -> Part:
        """A share of the part."""
        return Part(self.entered * factor, self.present * factor)


@dataclass(frozen=True, slots=True)
class QueuedWork:
    """What waits in a lane. `index` is the logarithm of the price level at the last change."""

    parts: tuple[Part, ...] = ()
    index: float = 0.0

    def observe(self, arrived: float, waiting: float, index: float) -> QueuedWork:
        """The lane after `arrived` GPU seconds entered at the price level `index`.

        `waiting` is what is left, as it entered: the oldest parts have left. Jobs that were
        queued again count as new.
        """
        factor = math.exp(index - self.index)
        parts = [Part(one.entered, one.present * factor) for one in self.parts]
        before = sum(one.entered for one in parts)
        new = max(arrived, waiting - before)
        if new > NOTHING:
            parts.append(Part(new, new))
        return QueuedWork(_merged(_left(parts, waiting)), index)

    def present(self, entered: float) -> float:
        """Present GPU seconds of the first `entered` seconds of the lane.

        What came after the last observation has the present price.
        """
        found, left = 0.0, entered
        for one in self.parts:
            if left <= one.entered:
                return found + one.scaled(left / one.entered).present
            found += one.present
            left -= one.entered
        return found + left

    def to_json(self) -> dict[str, Any]:
        """Plain values; `read_queued_work` restores them."""
        return {"index": self.index, "parts": [[one.entered, one.present] for one in self.parts]}


def read_queued_work(values: Mapping[str, Any]) -> QueuedWork:
    """What `to_json` wrote; an empty mapping is an empty lane."""
    if not values:
        return QueuedWork()
    return QueuedWork(tuple(Part(*pair) for pair in values["parts"]), values["index"])


def _left(parts: Sequence[Part], waiting: float) -> list[Part]:
    """The newest parts, `waiting` seconds in all."""
    left, found = waiting, []
    for one in reversed(parts):
        if left <= NOTHING:
            break
        found.append(one if one.entered <= left else one.scaled(left / one.entered))
        left -= one.entered
    return found[::-1]


def _merged(parts: list[Part]) -> tuple[Part, ...]:
    """Neighbours of nearly one price together, and so many more that few parts are left."""
    while len(parts) > 1:
        steps = [abs(after.price - before.price) for before, after in pairwise(parts)]
        nearest = min(range(len(steps)), key=steps.__getitem__)
        if steps[nearest] > SAME_PRICE and len(parts) <= MAX_PARTS:
            break
        parts = [
            *parts[:nearest],
            parts[nearest].plus(parts[nearest + 1]),
            *parts[nearest + 2 :],
        ]
    return tuple(parts)
