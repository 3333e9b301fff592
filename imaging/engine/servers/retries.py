"""When a failed call to a server is repeated. Pure; imports no torch."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import Random

FIRST_SECONDS = 0.5
MOST_SECONDS = 30.0
LONGEST_RETRY_AFTER = 3600.0


def backoff(random: Random) -> Iterator[float]:
    """Seconds before each repeat: doubling up to `MOST_SECONDS`, with up to half of it random."""
    seconds = FIRST_SECONDS
    while True:
        yield seconds * random.uniform(0.5, 1.0)
        seconds = min(MOST_SECONDS, seconds * 2)


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Seconds that a `Retry-After` header asks for, as a number or a date; None without one."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = _until(value, now or datetime.now(UTC))
    return min(LONGEST_RETRY_AFTER, seconds) if seconds >= 0 else None  # also for NaN


def _until(value: str, now: datetime) -> float:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return -1.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
