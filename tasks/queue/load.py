"""The load: the backlog and the inflow of each lane, and the speed of the fleet.

Pure. All work is in expected GPU seconds, the unit of fairness. A busy worker completes one GPU
second a second: where pictures share a batch, each is charged its part, so batches show in what
jobs cost.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

HEADROOM = 2
"""A worker's slots reserved for paid work: one that interrupts free work, and the next one.

They add no speed, so estimates leave them out.
"""


@dataclass(frozen=True, slots=True)
class LaneLoad:
    """One lane: weight, waiting jobs and GPU seconds, and inflow in GPU seconds per second.

    `stretch` is the seconds from lease to delivery for each expected GPU second of its jobs, and
    `spread` the standard deviation of the logarithm of a job's time over the expected one: paid
    jobs pause others, so that lanes differ. Both are 0 where they are not known. `pauses` tells
    that its jobs pause while those of other lanes run that do not; `running` is then how many of
    them are on a device, and `underway` the GPU seconds that these still need.
    """

    weight: float
    jobs: int = 0
    seconds: float = 0.0
    inflow: float = 0.0
    stretch: float = 0.0
    spread: float = 0.0
    pauses: bool = False
    running: int = 0
    underway: float = 0.0

    def with_underway(self) -> LaneLoad:
        """The lane with what its running jobs still need as if it waited."""
        return replace(self, seconds=self.seconds + self.underway) if self.underway else self


@dataclass(frozen=True, slots=True)
class FleetLoad:
    """All live workers together. `rate` is in completed GPU seconds per second.

    `slots` is the number of jobs they run at once, `running` the number running now, `job_seconds`
    the time of a usual one from lease to delivery, 0 where it is not known. `headroom` is the slots
    beside these for lanes that pause others. `price_spread` is the standard deviation of the
    logarithm of what work will cost over what it is expected to cost, beside what is due to each
    job alone. `handling` is the standard deviation, in seconds, of what passes beside the renders:
    polls, tickets, transactions and the step that runs.
    """

    rate: float
    slots: int = 1
    running: int = 0
    job_seconds: float = 0.0
    headroom: int = 0
    price_spread: float = 0.0
    handling: float = 0.0


@dataclass(frozen=True, slots=True)
class Load:
    """All lanes and all workers at one moment."""

    fleet: FleetLoad
    lanes: Mapping[str, LaneLoad] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """GPU seconds waiting in all lanes."""
        return sum(lane.seconds for lane in self.lanes.values())

    def seconds_of(self, lane: str, cost: float) -> float:
        """Seconds from lease to delivery of a lane's job of `cost` expected GPU seconds."""
        stretch = self.lanes[lane].stretch
        if stretch and cost > 0:
            return cost * stretch
        return self.fleet.job_seconds or cost * self.fleet.slots / self.fleet.rate


def crowding(running: int, workers: int) -> float:
    """How much longer a job takes among `running` others that it shares `workers` devices with.

    The square root of the jobs on a device: they share batches, so that it is less than their
    number.
    """
    return math.sqrt(1 + running / max(1, workers))


_MIN_OBSERVED = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Meter:
    """An exponentially decaying rate: amount per second over about the last `memory` seconds."""

    memory: float = 120.0
    level: float = 0.0
    weight: float = 0.0
    at: float = 0.0

    def add(self, amount: float, now: float) -> Meter:
        """The meter after `amount` arrived at `now` (seconds)."""
        kept = math.exp(-max(0.0, now - self.at) / self.memory)
        passed = (1 - kept) * self.memory
        return Meter(self.memory, self.level * kept + amount, self.weight * kept + passed, now)

    def rate(self, now: float) -> float:
        """Amount per second. The first minute counts as a whole one: one early job is no rate."""
        seen = self.add(0.0, now)
        return seen.level / max(seen.weight, min(_MIN_OBSERVED, self.memory))
