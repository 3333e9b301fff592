"""The sums of quotas: pure. The ledger's rows are in `store.ledger`.

A rolling window: what was captured, granted or corrected counts from its moment until the window
has passed over it. What is held by jobs that have not ended counts as long as it is held.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.tiers import Quota

ROUNDING = 1e-9  # credits are sums of floats: a hair's breadth is no reason to refuse


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that counts in a window: `credits` above 0 takes, below 0 gives."""

    at: datetime
    credits: float


@dataclass(frozen=True, slots=True)
class Standing:
    """What has been spent inside the window, and what is held."""

    spent: float
    held: float

    def left(self, quota: Quota) -> float:
        """Credits that may still be reserved; never below 0."""
        return max(0.0, quota.credits - self.spent - self.held)

    def covers(self, quota: Quota, cost: float) -> bool:
        """Whether `cost` more credits may be reserved."""
        return self.spent + self.held + cost <= quota.credits + ROUNDING


def spent(entries: Iterable[Entry], window: timedelta, now: datetime) -> float:
    """The sum of the entries that count at `now`: those younger than the window."""
    return sum(entry.credits for entry in entries if now - entry.at < window)


def returns(
    entries: Iterable[Entry], window: timedelta, now: datetime
) -> list[tuple[datetime, float]]:
    """When credits come back, soonest first: (moment, credits). A grant that lapses gives none."""
    counting = [entry for entry in entries if now - entry.at < window and entry.credits > 0]
    return [(entry.at + window, entry.credits) for entry in sorted(counting, key=lambda e: e.at)]


def affordable_at(
    entries: Sequence[Entry], held: float, quota: Quota, cost: float, now: datetime
) -> datetime | None:
    """The first moment at which `cost` fits; None where it is above the quota itself.

    Held credits are taken to be captured now, which is the latest that they can come back.
    """
    if cost > quota.credits + ROUNDING:
        return None
    counting = [entry for entry in entries if now - entry.at < quota.window]
    if held:
        counting.append(Entry(now, held))
    moments = sorted({entry.at + quota.window for entry in counting})
    for moment in [now, *moments]:
        if spent(counting, quota.window, moment) + cost <= quota.credits + ROUNDING:
            return moment
    return moments[-1]
