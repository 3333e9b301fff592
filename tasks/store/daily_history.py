"""The last day by tier: jobs queued, waiting times, jobs made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text
from sqlalchemy.types import Integer

from tasks.jobs.tiers import Tier
from tasks.store.sql import load


@dataclass(frozen=True, slots=True)
class TimeBucket:
    """A few minutes of the last day."""

    until: datetime
    queued: Mapping[Tier, int]  # in the queue at its end
    waits: Mapping[Tier, timedelta]  # median, from order to picture, of the jobs made in it
    made: Mapping[Tier, int]  # jobs rendered in it


# Jobs are found by `created_at` (the index `jobs_came`); a relevant job is at most two days old.
# A job leaves the queue when it is first leased, or when it ends without a lease.
_DAY = text(load("daily_history")).columns(part=Integer, moved=Integer, made=Integer)


def day(
    connection: Connection, until: datetime, each: timedelta, parts: int
) -> Sequence[TimeBucket]:
    """`parts` buckets of the length `each`, oldest first; the last one ends at `until`."""
    rows = connection.execute(
        _DAY, {"until": until, "seconds": each.total_seconds(), "parts": parts}
    ).all()
    rows_by_part = {(Tier(row.tier), row.part): row for row in rows}
    queued = {
        tier: rows_by_part[tier, 0].moved if (tier, 0) in rows_by_part else 0 for tier in Tier
    }
    buckets = []
    for part in range(1, parts + 1):
        here = {tier: rows_by_part[tier, part] for tier in Tier if (tier, part) in rows_by_part}
        queued = {
            tier: count + (here[tier].moved if tier in here else 0)
            for tier, count in queued.items()
        }
        buckets.append(
            TimeBucket(
                until=until - each * (parts - part),
                queued=queued,
                waits={tier: row.wait for tier, row in here.items() if row.made},
                made={tier: row.made for tier, row in here.items() if row.made},
            )
        )
    return buckets
