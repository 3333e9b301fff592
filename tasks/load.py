"""The load of the studio: what waits in each lane, what still comes in, how fast the fleet works.

Pure. All work is in expected GPU seconds, the unit of fairness: a worker that makes several
pictures in one batch settles more than one GPU second a second, and its measured rate says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class LaneLoad:
    """One lane: its weight, jobs and GPU seconds that wait, GPU seconds a second that come in."""

    weight: float
    jobs: int = 0
    seconds: float = 0.0
    inflow: float = 0.0


@dataclass(frozen=True, slots=True)
class FleetLoad:
    """The workers together. `rate` is in GPU seconds settled a second, over all live workers.

    `slots` is how many jobs they run at once, `running` how many run now, `job_seconds` what one
    takes, from lease to delivery, by the clock.
    """

    rate: float
    slots: int = 1
    running: int = 0
    job_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Load:
    """The whole studio at one moment."""

    fleet: FleetLoad
    lanes: Mapping[str, LaneLoad] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """GPU seconds that wait in all lanes."""
        return sum(lane.seconds for lane in self.lanes.values())


_TELLS_NOTHING = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Meter:
    """A rate that forgets: `amount` a second, over about the last `memory` seconds."""

    memory: float = 120.0
    level: float = 0.0
    weight: float = 0.0
    at: float = 0.0

    def add(self, amount: float, now: float) -> Meter:
        """The meter after `amount` came at `now` (seconds)."""
        kept = math.exp(-max(0.0, now - self.at) / self.memory)
        passed = (1 - kept) * self.memory
        return Meter(self.memory, self.level * kept + amount, self.weight * kept + passed, now)

    def rate(self, now: float) -> float:
        """Amount a second. What came in the first minute counts as if a whole one had been seen:

        one early job says little about those that will follow it.
        """
        seen = self.add(0.0, now)
        return seen.level / max(seen.weight, min(_TELLS_NOTHING, self.memory))


class SharedClock:
    """Shares out a device's time: each second among the jobs that are in work in it.

    So the costs of all jobs sum up to the time in which anything was in work, and a batch makes
    each of its jobs cheaper. Not for several threads at once without a lock.
    """

    def __init__(self) -> None:
        self._in_work = 0
        self._at = 0.0
        self._shared = 0.0  # what one job that was always in work would have cost

    def begin(self, now: float) -> float:
        """A job begins at `now` (seconds); what `end` wants to have back."""
        self._advance(now)
        self._in_work += 1
        return self._shared

    def end(self, begun: float, now: float) -> float:
        """A job ends; its share of the device's time, in seconds."""
        self._advance(now)
        self._in_work -= 1
        return self._shared - begun

    def _advance(self, now: float) -> None:
        if self._in_work:
            self._shared += max(0.0, now - self._at) / self._in_work
        self._at = now
