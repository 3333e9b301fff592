"""How a worker's device was used during the last minute. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

WINDOW = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class DeviceCounters:
    """Totals since the worker started.

    Seconds in which a request had the device; pauses for more urgent requests; denoiser calls,
    their seconds, and the requests in them.
    """

    busy_seconds: float = 0.0
    pauses: int = 0
    steps: int = 0
    step_seconds: float = 0.0
    batched: int = 0


@dataclass(frozen=True, slots=True)
class DeviceUse:
    """`busy` is the share of the time in which a request had the device, 0 to 1.

    `step_seconds` is the mean duration of a denoiser call, `batch_size` the mean number of requests
    in one; 0 without any. `pauses` counts since the worker started.
    """

    busy: float = 0.0
    step_seconds: float = 0.0
    batch_size: float = 0.0
    pauses: int = 0

    def to_json(self) -> dict[str, float]:
        """The values by name; `from_json` restores them."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, float]) -> DeviceUse:
        """What `to_json` wrote, or no use where a worker of an earlier version wrote nothing."""
        return cls(
            busy=values.get("busy", 0.0),
            step_seconds=values.get("step_seconds", 0.0),
            batch_size=values.get("batch_size", 0.0),
            pauses=int(values.get("pauses", 0)),
        )


@dataclass(slots=True)
class DeviceMeter:
    """Counters over time. Not thread-safe."""

    window: float = WINDOW
    _samples: deque[tuple[float, DeviceCounters]] = field(default_factory=deque)

    def use(self, now: float, counters: DeviceCounters) -> DeviceUse:
        """The use over the last `window` seconds; `now` is on the caller's clock."""
        self._samples.append((now, counters))
        while len(self._samples) > 2 and now - self._samples[1][0] >= self.window:
            self._samples.popleft()
        since, first = self._samples[0]
        steps = counters.steps - first.steps
        return DeviceUse(
            busy=_share(counters.busy_seconds - first.busy_seconds, now - since),
            step_seconds=(counters.step_seconds - first.step_seconds) / steps if steps else 0.0,
            batch_size=(counters.batched - first.batched) / steps if steps else 0.0,
            pauses=counters.pauses,
        )


def _share(part: float, whole: float) -> float:
    """At most 1: a unit that began before the window is counted when it ends."""
    return min(1.0, part / whole) if whole > 0 else 0.0
