"""Recorded days: orders, the estimates that members saw, true waits, and the usual demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from tasks.queue.demand import Arrivals


@dataclass(frozen=True, slots=True)
class RecordedJob:
    """One order: seconds from the day's begin, lane, expected GPU seconds, estimate, true wait.

    The estimate and the true wait, in seconds, are None where there was none.
    """

    at: float
    lane: str
    cost: float
    p50: float | None
    p90: float | None
    true: float | None


@dataclass(frozen=True, slots=True)
class RecordedDay:
    """All orders of a day, and the number of workers that rendered them."""

    jobs: Sequence[RecordedJob]
    workers: int


_JOBS = text("""
    SELECT extract(epoch FROM created_at - CAST(:begin AS timestamptz)) AS at, jobs.lane,
        cost_seconds, p50, p90, actual
    FROM jobs LEFT JOIN estimates ON estimates.job = jobs.id
    WHERE created_at >= :begin AND created_at < :end AND cost_seconds > 0 ORDER BY created_at
""")

_WORKERS = text("""
    SELECT count(DISTINCT worker) FROM attempts WHERE started_at >= :begin AND started_at < :end
""")


def recorded_day(connection: Connection, begin: datetime, end: datetime) -> RecordedDay:
    """The orders that were accepted from `begin` until before `end`."""
    when = {"begin": begin, "end": end}
    jobs = [
        RecordedJob(float(row.at), row.lane, float(row.cost_seconds), row.p50, row.p90, row.actual)
        for row in connection.execute(_JOBS, when)
    ]
    return RecordedDay(jobs, int(connection.scalar(_WORKERS, when) or 0))


# Of the last four weeks the same hour of the same weekday counts three times, and of the last week
# the same hour of every other day once; only hours since the first order count.
_USUAL = text("""
    WITH hours AS MATERIALIZED (
        SELECT to_timestamp(:now) - make_interval(days => day) AS begin,
            CASE WHEN day % 7 = 0 THEN 3.0 ELSE 1.0 END AS weight
        FROM generate_series(1, 28) AS day
        WHERE (day % 7 = 0 OR day < 7) AND EXISTS (
            SELECT FROM jobs
            WHERE created_at < to_timestamp(:now) - make_interval(days => day))
    )
    SELECT lane, sum(weight) / (SELECT sum(weight) FROM hours) / 3600 AS jobs,
        sum(weight * cost_seconds) / (SELECT sum(weight) FROM hours) / 3600 AS seconds
    FROM hours JOIN jobs ON created_at >= begin AND created_at < begin + interval '1 hour'
    GROUP BY lane
""")


def usual_demand(connection: Connection, now: float) -> dict[str, Arrivals]:
    """Arrivals per second of each lane in the hour from `now` (Unix seconds), by the record."""
    return {
        row.lane: Arrivals(float(row.jobs), float(row.seconds))
        for row in connection.execute(_USUAL, {"now": now})
    }
