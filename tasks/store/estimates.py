"""Estimates as members saw them, and how long the jobs really took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from tasks.jobs.job import Estimate
from tasks.jobs.tiers import Tier
from tasks.queue.wait_estimate import KEPT, Outcome

_GIVE = text("""
    INSERT INTO estimates (job, tier, lane, model, p50, p90, surge_age)
    SELECT g.* FROM atelier_each(:given) AS item, jsonb_to_record(item) AS g(
        job uuid, tier text, lane text, model double precision, p50 double precision,
        p90 double precision, surge_age double precision)
    ON CONFLICT (job) DO NOTHING
""").bindparams(bindparam("given", type_=JSONB))


@dataclass(frozen=True, slots=True)
class Given:
    """The estimate that a member saw when their job was accepted; `model` is in seconds."""

    job: UUID
    tier: Tier
    lane: str
    model: float
    told: Estimate
    surge_age: float | None = None  # seconds since the demand last changed


def give(connection: Connection, given: Sequence[Given]) -> None:
    """Record estimates."""
    values = [
        {
            "job": str(one.job),
            "tier": one.tier.value,
            "lane": one.lane,
            "model": one.model,
            "p50": one.told.p50.total_seconds(),
            "p90": one.told.p90.total_seconds(),
            "surge_age": one.surge_age,
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
    """The outcomes of a lane's last estimates, oldest first."""
    rows = connection.execute(_OUTCOMES, {"lane": lane, "limit": limit})
    return [Outcome(row.model, row.p90, row.actual) for row in rows]


class SurgeAge(StrEnum):
    """How long the demand had been as it was when an estimate was given."""

    NEW = "new"  # under 20 s
    YOUNG = "young"  # under 2 min
    OLD = "old"


@dataclass(frozen=True, slots=True)
class EstimateAccuracy:
    """The accuracy of a tier's estimates of the last day that were made at this age of a surge.

    `coverage` is the share of jobs delivered within p90, `width` the median of p90 ÷ p50.
    """

    tier: Tier
    surge_age: SurgeAge
    coverage: float
    width: float
    jobs: int


_ACCURACY = text("""
    SELECT tier,
        CASE WHEN surge_age < 20 THEN 'new' WHEN surge_age < 120 THEN 'young'
            ELSE 'old' END AS age,
        avg((actual <= p90)::int) AS coverage,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY p90 / greatest(p50, 0.001)) AS width,
        count(*) AS jobs
    FROM estimates WHERE settled_at > now() - interval '1 day' AND actual IS NOT NULL
    GROUP BY tier, age
""")


def accuracy(connection: Connection) -> list[EstimateAccuracy]:
    """The accuracy of the last day's estimates, by tier and by the age of the surge."""
    ages = list(SurgeAge)
    found = [
        EstimateAccuracy(
            Tier(row.tier), SurgeAge(row.age), float(row.coverage), float(row.width), row.jobs
        )
        for row in connection.execute(_ACCURACY)
    ]
    return sorted(found, key=lambda one: (one.tier.rank, ages.index(one.surge_age)))
