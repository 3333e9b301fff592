"""Token buckets: each key may spend so much at once, and so much in a second from then on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from cachetools import LRUCache

MAX_KEYS = 10_000


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float


def _buckets() -> LRUCache[str, _Bucket]:
    return LRUCache(MAX_KEYS)


@dataclass(frozen=True, slots=True)
class TokenBuckets:
    """A bucket for each key: `capacity` at once, `refill` a second. `clock` is monotonic.

    Only the keys seen last are remembered: a bucket that is dropped was full again, unless
    thousands of keys come within the time that one takes to fill.
    """

    capacity: float
    refill: float
    clock: Callable[[], float] = time.monotonic
    _buckets: LRUCache[str, _Bucket] = field(default_factory=_buckets)

    def wait(self, key: str, cost: float = 1.0) -> int:
        """Charge a key: 0, or the seconds until its bucket has enough, and nothing is charged."""
        bucket = self._bucket(key)
        if bucket.level < cost:
            return math.ceil((cost - bucket.level) / self.refill)
        bucket.level -= cost
        return 0

    def give_back(self, key: str, cost: float = 1.0) -> None:
        """Undo a charge."""
        bucket = self._bucket(key)
        bucket.level = min(self.capacity, bucket.level + cost)

    def _bucket(self, key: str) -> _Bucket:
        now = self.clock()
        bucket = self._buckets.get(key) or _Bucket(self.capacity, now)
        bucket.level = min(self.capacity, bucket.level + (now - bucket.at) * self.refill)
        bucket.at = now
        self._buckets[key] = bucket
        return bucket
