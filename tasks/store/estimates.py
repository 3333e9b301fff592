"""Estimates as they were given, and what came true."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, text

from tasks.capacity import KEPT, Outcome
from tasks.job import Estimate
from tasks.tiers import Tier

_GIVE = text("""
    INSERT INTO estimates (job, tier, lane, model, p50, p90)
    VALUES (:job, :tier, :lane, :model, :p50, :p90) ON CONFLICT (job) DO NOTHING
""")


def give(
    connection: Connection, job: UUID, tier: Tier, lane: str, model: float, told: Estimate
) -> None:
    """Write down what a member was told when the job was taken; `model` is in seconds."""
    p50, p90 = told.p50.total_seconds(), told.p90.total_seconds()
    values = {"job": job, "tier": tier.value, "lane": lane, "model": model, "p50": p50, "p90": p90}
    connection.execute(_GIVE, values)


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
