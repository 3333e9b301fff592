"""The line in Postgres: a queued job's place, and what a lane holds, cheap with a million waiting.

Triggers write every job that enters or leaves the line into `line_changes`. The clock folds them
into `lines`, a row of pages for each lane (`tasks.line`). A reader adds what is not folded yet, so
the answer is exact at every moment. `folded` is the transaction below which all is folded: no
change is counted twice, and none is missed because its transaction was slow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import Double

from tasks.fairness import AGEING
from tasks.line import PAGE, Page, Pages, read_pages

_CHANGES = """
    changes AS MATERIALIZED (
        SELECT lane, tag, jobs, seconds FROM line_changes
        WHERE xid >= (SELECT min(folded) FROM lines)
    )
"""

_PLACE = text(f"""
    WITH mine AS MATERIALIZED (
        SELECT jobs.id, lane, start_tag, created_at, profile, cost_seconds,
            greatest(0, start_tag - virtual
            - :ageing * greatest(0, extract(epoch FROM clock_timestamp()) - virtual_at)) AS lead
        FROM atelier_each(:jobs) AS item JOIN jobs ON jobs.id = CAST(item #>> '{{}}' AS uuid)
            JOIN lanes USING (lane)
        WHERE state = 'queued'
    ), {_CHANGES}, paged AS MATERIALIZED (
        SELECT mine.*, lines.lows[number] AS low, jobs_before[number] AS jobs,
            seconds_before[number] AS seconds
        FROM mine JOIN lines USING (lane), width_bucket(mine.start_tag, lines.lows) AS number
    )
    SELECT paged.id, paged.lane, profile, cost_seconds, lead,
        paged.jobs + inside.jobs + unfolded.jobs AS jobs,
        paged.seconds + inside.seconds + unfolded.seconds AS seconds
    FROM paged CROSS JOIN LATERAL (
        SELECT count(*) AS jobs, coalesce(sum(other.cost_seconds), 0) AS seconds
        FROM jobs AS other
        WHERE other.lane = paged.lane AND other.state = 'queued' AND other.start_tag >= paged.low
            AND (other.start_tag, other.created_at) < (paged.start_tag, paged.created_at)
    ) AS inside CROSS JOIN LATERAL (
        SELECT coalesce(sum(changes.jobs), 0) AS jobs, coalesce(sum(changes.seconds), 0) AS seconds
        FROM changes WHERE changes.lane = paged.lane AND changes.tag < paged.low
    ) AS unfolded
""").bindparams(bindparam("jobs", type_=JSONB), bindparam("ageing", type_=Double))


@dataclass(frozen=True, slots=True)
class Ahead:
    """What lies before a queued job in its own lane: jobs, and expected GPU seconds."""

    lane: str
    profile: str
    cost_seconds: float  # of the job itself
    jobs: int
    seconds: float
    lead: float = 0.0  # virtual seconds before the lane's time comes to it: newcomers go before


def ahead(connection: Connection, jobs: Iterable[UUID]) -> dict[UUID, Ahead]:
    """What lies before each of these jobs that is queued."""
    values = {"jobs": [str(job) for job in jobs], "ageing": AGEING}
    return {
        row.id: Ahead(
            row.lane,
            row.profile,
            row.cost_seconds,
            int(row.jobs),
            max(0.0, row.seconds),
            float(row.lead),
        )
        for row in connection.execute(_PLACE, values)
    }


@dataclass(frozen=True, slots=True)
class LaneLine:
    """A whole lane: its weight, jobs and GPU seconds that wait, GPU seconds a second that come."""

    lane: str
    weight: float
    jobs: int
    seconds: float
    inflow: float
    calibration: dict[str, Any]


_LANES = text(f"""
    WITH {_CHANGES}, unfolded AS (
        SELECT lane, sum(jobs) AS jobs, sum(seconds) AS seconds FROM changes GROUP BY lane
    )
    SELECT lanes.lane, lanes.weight, lines.jobs + coalesce(unfolded.jobs, 0) AS jobs,
        lines.seconds + coalesce(unfolded.seconds, 0) AS seconds, lines.inflow, lines.calibration
    FROM lanes JOIN lines USING (lane) LEFT JOIN unfolded USING (lane)
""")


def lanes(connection: Connection) -> list[LaneLine]:
    """Every lane as it stands now."""
    return [
        LaneLine(
            row.lane,
            row.weight,
            int(row.jobs),
            max(0.0, row.seconds),
            row.inflow,
            row.calibration,
        )
        for row in connection.execute(_LANES)
    ]


_FOLD_ALONE = text("SELECT pg_try_advisory_xact_lock(hashtext('atelier_fold'))")
_UNTIL = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
_SUMS = text("""
    SELECT changes.lane, width_bucket(changes.tag, lines.lows) - 1 AS number,
        sum(changes.jobs) AS jobs, sum(changes.seconds) AS seconds,
        coalesce(sum(changes.seconds) FILTER (WHERE changes.jobs > 0), 0) AS came
    FROM line_changes AS changes JOIN lines USING (lane)
    WHERE changes.xid >= lines.folded AND changes.xid < :until
    GROUP BY changes.lane, number
""")
_READ = text("SELECT * FROM lines ORDER BY lane")
_WRITE = text("""
    UPDATE lines SET lows = :lows, jobs_before = :jobs_before, seconds_before = :seconds_before,
        jobs = :jobs, seconds = :seconds, folded = :until
    WHERE lane = :lane
""")
_FOLDED = text("UPDATE lines SET folded = :until")
_FORGET = text("DELETE FROM line_changes WHERE xid < :until")


def fold(connection: Connection) -> dict[str, float] | None:
    """Fold what has changed into the lanes' pages: the GPU seconds that came into each lane.

    None where another fold goes on. Runs in a transaction of its own that sees one moment.
    """
    connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    if not connection.scalar(_FOLD_ALONE):
        return None
    until = connection.scalar(_UNTIL)
    sums = connection.execute(_SUMS, {"until": until}).all()
    came: dict[str, float] = {}
    touched = {row.lane for row in sums}
    for row in connection.execute(_READ).mappings().all() if touched else ():
        if row["lane"] in touched:
            pages = _pages(row)
            for change in (one for one in sums if one.lane == row["lane"]):
                pages.add(change.number, int(change.jobs), change.seconds)
                came[change.lane] = came.get(change.lane, 0.0) + change.came
            _balance(connection, row["lane"], pages, until)
            _write(connection, row["lane"], pages, until)
    connection.execute(_FOLDED, {"until": until})
    connection.execute(_FORGET, {"until": until})
    return came


def _pages(row: RowMapping) -> Pages:
    return read_pages(
        row["lows"], row["jobs_before"], row["seconds_before"], row["jobs"], row["seconds"]
    )


def _write(connection: Connection, lane: str, pages: Pages, until: int | None) -> None:
    jobs, seconds = pages.before()
    connection.execute(
        _WRITE,
        {
            "lane": lane,
            "lows": pages.lows,
            "jobs_before": jobs,
            "seconds_before": seconds,
            "jobs": pages.jobs,
            "seconds": pages.seconds,
            "until": until,
        },
    )


_CUT = text("""
    SELECT min(tag) AS low, sum(jobs) AS jobs, sum(seconds) AS seconds FROM (
        SELECT start_tag AS tag, 1 AS jobs, cost_seconds AS seconds,
            (rank() OVER (ORDER BY start_tag) - 1) / :page AS part
        FROM jobs WHERE lane = :lane AND state = 'queued' AND start_tag >= :low
            AND start_tag < :high
    ) AS counted GROUP BY part ORDER BY low
""")
_LATER = text("""
    SELECT tag, jobs, seconds FROM line_changes
    WHERE xid >= :until AND lane = :lane AND tag >= :low AND tag < :high
""")


def _balance(connection: Connection, lane: str, pages: Pages, until: int | None) -> None:
    """Cut what has become large, by counting it anew, and join what has become small."""
    for number, low, high in list(pages.large()):
        where = {"lane": lane, "low": low, "high": high}
        counted = connection.execute(_CUT, {**where, "page": PAGE}).all()
        parts = Pages([Page(row.low, int(row.jobs), row.seconds) for row in counted])
        # What is seen but not folded yet will be added by readers, so it is taken out here.
        for late in connection.execute(_LATER, {**where, "until": until}):
            if parts.pages:
                parts.add(max(0, parts.number(late.tag)), -late.jobs, -late.seconds)
        pages.cut(number, parts.pages)
    pages.join()


_INFLOW = text("UPDATE lines SET inflow = :inflow, meter = :meter WHERE lane = :lane").bindparams(
    bindparam("meter", type_=JSONB), bindparam("inflow", type_=Double)
)


def set_inflow(connection: Connection, lane: str, inflow: float, meter: dict[str, float]) -> None:
    """Write down what comes into a lane, in GPU seconds a second, and the meter behind it."""
    connection.execute(_INFLOW, {"lane": lane, "inflow": inflow, "meter": meter})


_METERS = text("SELECT lane, meter FROM lines")


def meters(connection: Connection) -> dict[str, dict[str, float]]:
    """The meter of each lane, as it was written down."""
    return {row.lane: row.meter for row in connection.execute(_METERS)}


_CALIBRATION = text("UPDATE lines SET calibration = :value WHERE lane = :lane").bindparams(
    bindparam("value", type_=JSONB)
)


def set_calibration(connection: Connection, lane: str, value: dict[str, Any]) -> None:
    """Write down how true a lane's estimates are."""
    connection.execute(_CALIBRATION, {"lane": lane, "value": value})
