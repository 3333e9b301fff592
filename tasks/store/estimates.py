"""Estimates as they were given, and what came true."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from tasks.capacity import KEPT, Outcome
from tasks.job import Estimate
from tasks.tiers import Tier

_GIVE = text("""
    INSERT INTO estimates (job, tier, lane, model, p50, p90)
    SELECT g.* FROM atelier_each(:given) AS item, jsonb_to_record(item) AS g(
        job uuid, tier text, lane text, model double precision, p50 double precision,
        p90 double precision)
    ON CONFLICT (job) DO NOTHING
""").bindparams(bindparam("given", type_=JSONB))


@dataclass(frozen=True, slots=True)
class Given:
    """What a member was told when their job was taken; `model` is in seconds."""

    job: UUID
    tier: Tier
    lane: str
    model: float
    told: Estimate


def give(connection: Connection, given: Sequence[Given]) -> None:
    """Write down what members were told."""
    values = [
        {
            "job": str(one.job),
            "tier": one.tier.value,
            "lane": one.lane,
            "model": one.model,
            "p50": one.told.p50.total_seconds(),
            "p90": one.told.p90.total_seconds(),
        }
        for one in given
    ]
    connection.execute(_GIVE, {"given": values})


_OUTCOMES = text("""
    SELECT model, p90, actual FROM (
        SELECT * FROM estimates WHERE lane = :lane AND actual IS NOT NULL
        ORDER BY settled_at DESC LIMIT :limit
    ) AS last ORDER BY settled_at
""")


def outcomes(connection: Connection, lane: str, limit: int = KEPT) -> list[Outcome]:
    """A lane's last estimates that came true or not, oldest first."""
    rows = connection.execute(_OUTCOMES, {"lane": lane, "limit": limit})
    return [Outcome(row.model, row.p90, row.actual) for row in rows]
