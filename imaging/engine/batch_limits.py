"""The largest useful batch of each group of requests, by measured step time. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping

MAX_BATCH = 8
"""Requests in one denoiser call."""
MAX_STEP_SECONDS = 2.0
"""A batch is not made larger if a step would take longer: an urgent request waits for it."""
GAIN = 0.97
"""A larger batch is worth while if it lowers the time per request at least to this share."""
RETRY = 64
"""Calls of a group after which a larger batch is tried once more, in case a measurement was off."""
NEWEST_WEIGHT = 0.3
"""Weight of a new measurement in the moving averages."""


class BatchLimits(Mapping[Hashable, int]):
    """Limits by group. They start at 2 and double while the time per request falls.

    Not thread-safe: the owner holds a lock.
    """

    def __init__(
        self,
        largest: int = MAX_BATCH,
        step_seconds: float = MAX_STEP_SECONDS,
        gain: float = GAIN,
    ) -> None:
        self._largest = largest
        self._step_seconds = step_seconds
        self._gain = gain
        self._measured: dict[Hashable, dict[int, float]] = {}  # group → size → seconds
        self._restricted: dict[Hashable, int] = {}
        self._calls: dict[Hashable, int] = {}

    def record(self, group: Hashable | None, size: int, seconds: float) -> None:
        """Add the duration of one call with `size` requests."""
        if group is None:
            return
        times = self._measured.setdefault(group, {})
        self._calls[group] = self._calls.get(group, 0) + 1
        old = times.get(size, seconds)
        times[size] = old + NEWEST_WEIGHT * (seconds - old)

    def restrict(self, group: Hashable | None, limit: int) -> None:
        """Allow no more than `limit` from now on, after a failed batch."""
        self._restricted[group] = max(1, min(limit, self._restricted.get(group, limit)))

    def __getitem__(self, group: Hashable) -> int:
        limit = min(self._largest, self._restricted.get(group, self._largest))
        return max(1, min(self._wanted(group), limit))

    def _wanted(self, group: Hashable) -> int:
        """The measured size beyond which the time per request no longer falls, or one to try."""
        times = self._measured.get(group, {})
        if not times:
            return 2
        best, *larger = sorted(times)
        for size in larger:
            if times[size] / size > self._gain * times[best] / best:
                break
            best = size
        tried = best < max(times)
        if tried and self._calls[group] % RETRY:
            return best
        return 2 * best if 2 * times[best] <= self._step_seconds else best

    def __iter__(self) -> Iterator[Hashable]:
        return iter(self._measured)

    def __len__(self) -> int:
        return len(self._measured)
