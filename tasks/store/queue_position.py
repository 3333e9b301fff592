"""Queue positions in Postgres: cheap to read with a million jobs waiting, and exact.

Triggers record every job that enters or leaves the queue in `line_changes`. The clock process folds
these changes into `lines`, a row of pages for each lane (`tasks.queue.position`). A reader adds the
changes that are not folded yet. `folded` is the transaction id below which every change is folded:
no change is counted twice, and a slow transaction is not missed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import Double

from tasks.queue.demand import Arrivals
from tasks.queue.fairness import AGEING
from tasks.queue.position import PAGE, Page, Pages, read_pages
from tasks.queue.repricing import QueuedWork, read_queued_work
from tasks.store.sql import load

_CHANGES = """
    changes AS MATERIALIZED (
        SELECT lane, tag, jobs, seconds FROM line_changes
        WHERE xid >= (SELECT min(folded) FROM lines)
    )
"""

_PLACE = text(load("queue_position", changes=_CHANGES)).bindparams(
    bindparam("jobs", type_=JSONB), bindparam("ageing", type_=Double)
)


@dataclass(frozen=True, slots=True)
class WorkAhead:
    """What is ahead of a queued job in its own lane: jobs, and expected GPU seconds."""

    lane: str
    profile: str
    cost_seconds: float  # of the job itself
    jobs: int
    seconds: float
    lead: float = 0.0  # virtual seconds until the lane reaches it: newcomers may go first


def ahead(connection: Connection, jobs: Iterable[UUID]) -> dict[UUID, WorkAhead]:
    """The work ahead of each of these jobs that is queued."""
    values = {"jobs": [str(job) for job in jobs], "ageing": AGEING}
    return {
        row.id: WorkAhead(
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
class LaneQueue:
    """A lane: its weight, queued jobs and GPU seconds, and inflow in GPU seconds a second.

    `running` is the number of its jobs that are rendered at this moment, `running_seconds` their
    GPU seconds as they were expected at entry.

    `work` tells what of the seconds, which are as they were expected at entry, are at present.
    """

    lane: str
    weight: float
    jobs: int
    seconds: float
    inflow: float
    calibration: dict[str, Any]
    work: QueuedWork = field(default_factory=QueuedWork)
    running: int = 0
    running_seconds: float = 0.0


_LANES = text(load("lane_totals", changes=_CHANGES))


def lanes(connection: Connection) -> list[LaneQueue]:
    """Every lane now."""
    return [
        LaneQueue(
            row.lane,
            row.weight,
            int(row.jobs),
            max(0.0, row.seconds),
            row.inflow,
            row.calibration,
            read_queued_work(row.work or {}),
            int(row.running),
            float(row.running_seconds),
        )
        for row in connection.execute(_LANES)
    ]


_FOLD_ALONE = text("SELECT pg_try_advisory_xact_lock(hashtext('atelier_fold'))")
_UNTIL = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
_SUMS = text(load("fold_sums"))
_READ = text("SELECT * FROM lines ORDER BY lane")
_WRITE = text("""
    UPDATE lines SET lows = :lows, jobs_before = :jobs_before, seconds_before = :seconds_before,
        jobs = :jobs, seconds = :seconds, folded = :until
    WHERE lane = :lane
""")
_FOLDED = text("UPDATE lines SET folded = :until")
_FORGET = text("DELETE FROM line_changes WHERE xid < :until")


def fold(connection: Connection) -> dict[str, Arrivals] | None:
    """Fold changes into the lanes' pages; returns what arrived in each lane.

    None where another fold is in progress. Needs a transaction of its own, with one snapshot.
    """
    connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
    if not connection.scalar(_FOLD_ALONE):
        return None
    until = connection.scalar(_UNTIL)
    sums = connection.execute(_SUMS, {"until": until}).all()
    arrived: dict[str, Arrivals] = {}
    touched = {row.lane for row in sums}
    for row in connection.execute(_READ).mappings().all() if touched else ():
        if row["lane"] in touched:
            pages = _pages(row)
            for change in (one for one in sums if one.lane == row["lane"]):
                pages.add(change.number, int(change.jobs), change.seconds)
                more = Arrivals(float(change.arrived_jobs), change.arrived_seconds)
                arrived[change.lane] = arrived.get(change.lane, Arrivals()).plus(more)
            _balance(connection, row["lane"], pages, until)
            _write(connection, row["lane"], pages, until)
    connection.execute(_FOLDED, {"until": until})
    connection.execute(_FORGET, {"until": until})
    return arrived


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


_CUT = text(load("count_pages"))
_LATER = text("""
    SELECT tag, jobs, seconds FROM line_changes
    WHERE xid >= :until AND lane = :lane AND tag >= :low AND tag < :high
""")


def _balance(connection: Connection, lane: str, pages: Pages, until: int | None) -> None:
    """Split large pages, counting them again, and join small ones."""
    for number, low, high in list(pages.large()):
        where = {"lane": lane, "low": low, "high": high}
        counted = connection.execute(_CUT, {**where, "page": PAGE}).all()
        parts = Pages([Page(row.low, int(row.jobs), row.seconds) for row in counted])
        # Readers add what is visible but not folded yet, so it is subtracted here.
        for late in connection.execute(_LATER, {**where, "until": until}):
            if parts.pages:
                parts.add(max(0, parts.number(late.tag)), -late.jobs, -late.seconds)
        pages.cut(number, parts.pages)
    pages.join()


_INFLOW = text("UPDATE lines SET inflow = :inflow, meter = :meter WHERE lane = :lane").bindparams(
    bindparam("meter", type_=JSONB), bindparam("inflow", type_=Double)
)


def set_inflow(connection: Connection, lane: str, inflow: float, meter: dict[str, Any]) -> None:
    """Record a lane's inflow in GPU seconds a second, and its meter."""
    connection.execute(_INFLOW, {"lane": lane, "inflow": inflow, "meter": meter})


_METERS = text("SELECT lane, meter, seconds FROM lines")


def meters(connection: Connection) -> dict[str, tuple[dict[str, Any], float]]:
    """The recorded meter of each lane, and the GPU seconds that wait in it as of the last fold."""
    return {row.lane: (row.meter, max(0.0, row.seconds)) for row in connection.execute(_METERS)}


DEMAND_LANE = "free"
"""The lane whose meter also holds the demand of all lanes, under the key "demand"."""

_DEMAND = text("SELECT meter -> 'demand' FROM lines WHERE lane = :lane")


def demand(connection: Connection) -> dict[str, Any]:
    """The observed demand and the fleet's last change, as `tasks.maintenance` recorded them."""
    return connection.scalar(_DEMAND, {"lane": DEMAND_LANE}) or {}


_CALIBRATION = text("UPDATE lines SET calibration = :value WHERE lane = :lane").bindparams(
    bindparam("value", type_=JSONB)
)


def set_calibration(connection: Connection, lane: str, value: dict[str, Any]) -> None:
    """Record how accurate a lane's estimates are."""
    connection.execute(_CALIBRATION, {"lane": lane, "value": value})
