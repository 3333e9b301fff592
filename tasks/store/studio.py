"""The studio at a glance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from tasks.store import workers
from tasks.store.workers import SeenWorker


@dataclass(frozen=True, slots=True)
class StudioLoad:
    """Jobs that wait and run, and expected GPU seconds that wait, by tier; live workers."""

    queued: Mapping[str, int]
    running: Mapping[str, int]
    backlog: Mapping[str, float]
    workers: Sequence[SeenWorker]
    waitlist: int


_BY_TIER = text("""
    SELECT tier, count(*) FILTER (WHERE state = 'queued') AS queued,
        count(*) FILTER (WHERE state = 'running') AS running,
        coalesce(sum(cost_seconds) FILTER (WHERE state = 'queued'), 0) AS backlog
    FROM jobs WHERE state IN ('queued', 'running', 'delivering') GROUP BY tier
""")

_WAITLIST = text("SELECT count(*) FROM waitlist WHERE entered_at IS NULL")


def load(connection: Connection) -> StudioLoad:
    """Queue and workers, now."""
    rows = connection.execute(_BY_TIER).all()
    return StudioLoad(
        queued={row.tier: row.queued for row in rows},
        running={row.tier: row.running for row in rows},
        backlog={row.tier: row.backlog for row in rows},
        workers=workers.alive(connection),
        waitlist=connection.scalar(_WAITLIST) or 0,
    )
