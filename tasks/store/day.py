"""The last day by tier, from the record: what stood in line, how long it took, what was made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, text
from sqlalchemy.types import Integer

from tasks.tiers import Tier
from tasks.views import Stretch

# Jobs are found by when they came (the index `jobs_came`); one that still matters came two days ago
# at most. A job leaves the line when it is first leased, or ends without.
_DAY = text("""
    WITH span AS (
        SELECT CAST(:until AS timestamptz) - make_interval(secs => :seconds * :parts) AS first
    ), recent AS MATERIALIZED (
        SELECT tier, created_at AS came, coalesce(started_at, ended_at) AS went, rendered_at AS made
        FROM jobs, span
        WHERE created_at > first - interval '2 days' AND created_at <= :until
            AND coalesce(ended_at, 'infinity') > first
    ), events AS (
        SELECT tier, came AS at, 1 AS step, NULL::interval AS wait FROM recent
        UNION ALL SELECT tier, went, -1, NULL FROM recent WHERE went IS NOT NULL
        UNION ALL SELECT tier, made, 0, made - came FROM recent, span WHERE made > first
    )
    SELECT tier,
        greatest(0, ceil(extract(epoch FROM at - first) / :seconds)) AS part,
        sum(step) AS moved, count(wait) AS made,
        percentile_disc(0.5) WITHIN GROUP (ORDER BY wait) AS wait
    FROM events, span WHERE at <= :until GROUP BY tier, part
""").columns(part=Integer, moved=Integer, made=Integer)


def day(connection: Connection, until: datetime, each: timedelta, parts: int) -> Sequence[Stretch]:
    """So many stretches of the length `each`, oldest first; the last one ends at `until`."""
    rows = connection.execute(
        _DAY, {"until": until, "seconds": each.total_seconds(), "parts": parts}
    ).all()
    found = {(Tier(row.tier), row.part): row for row in rows}
    queued = {tier: found[tier, 0].moved if (tier, 0) in found else 0 for tier in Tier}
    stretches = []
    for part in range(1, parts + 1):
        here = {tier: found[tier, part] for tier in Tier if (tier, part) in found}
        queued = {
            tier: count + (here[tier].moved if tier in here else 0)
            for tier, count in queued.items()
        }
        stretches.append(
            Stretch(
                until=until - each * (parts - part),
                queued=queued,
                waits={tier: row.wait for tier, row in here.items() if row.made},
                made={tier: row.made for tier, row in here.items() if row.made},
            )
        )
    return stretches
