"""Quota arithmetic: pure. The ledger's rows are in `store.ledger`.

A rolling window: a capture, grant or correction counts until it is older than the window. Credits
held by unfinished jobs count as long as they are held.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.jobs.tiers import Quota

ROUNDING = 1e-9  # credits are sums of floats


@dataclass(frozen=True, slots=True)
class Entry:
    """A ledger entry inside a window: `credits` above 0 are spent, below 0 are granted."""

    at: datetime
    credits: float


@dataclass(frozen=True, slots=True)
class QuotaUsage:
    """Credits spent inside the window, and credits held."""

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
    """When credits return, soonest first: (moment, credits). An expiring grant returns none."""
    counting = [entry for entry in entries if now - entry.at < window and entry.credits > 0]
    return [(entry.at + window, entry.credits) for entry in sorted(counting, key=lambda e: e.at)]


def affordable_at(
    entries: Sequence[Entry], held: float, quota: Quota, cost: float, now: datetime
) -> datetime | None:
    """The first moment at which `cost` fits; None where it is above the quota itself.

    Held credits are assumed to be captured now: the latest they can return.
    """
    if cost > quota.credits + ROUNDING:
        return None
    counting = [*entries, Entry(now, held)]
    moments = sorted({now, *(max(now, entry.at + quota.window) for entry in counting)})
    return next(  # at the last moment nothing counts
        moment
        for moment in moments
        if spent(counting, quota.window, moment) + cost <= quota.credits + ROUNDING
    )
