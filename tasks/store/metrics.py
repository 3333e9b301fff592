"""Counters and histograms that outlive every process: how many, and how long.

The transaction of a change writes a sample (triggers do it for jobs and deliveries, admission for
refusals); the clock process folds samples into totals. A reader adds the samples that are not
folded yet, so that a number never falls and never depends on which process was asked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Double

from tasks.jobs.tiers import Tier

BOUNDS = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14400.0)
"""Upper bounds of the histograms' buckets in seconds, without the last one, infinity."""


class Measure(StrEnum):
    """What is counted. `subject` is a tier, or a platform for deliveries."""

    JOB = "job"  # by outcome: done, failed, cancelled, refused
    WAIT = "wait"  # from the order to the pictures
    RENDER = "render"  # of the attempt that made the pictures
    DELIVERY = "delivery"  # from rendered to posted; by outcome: sent, failed
    REFUSAL = "refusal"  # by reason


@dataclass(frozen=True, slots=True)
class Total:
    """All samples of one bucket: those of at most `bucket` seconds, above the bucket before it."""

    metric: Measure
    subject: str
    outcome: str
    bucket: float
    samples: int
    seconds: float


_SUMMED = """
    SELECT metric, subject, outcome,
        (SELECT coalesce(min(bound), 'infinity') FROM unnest(:bounds) AS bound
         WHERE bound >= taken.seconds) AS bucket,
        count(*) AS samples, coalesce(sum(seconds), 0) AS seconds
    FROM {samples} AS taken GROUP BY metric, subject, outcome, bucket
"""
_FOLD = text(f"""
    WITH taken AS (DELETE FROM metric_samples RETURNING metric, subject, outcome, seconds)
    INSERT INTO metric_totals (metric, subject, outcome, bucket, samples, seconds)
    {_SUMMED.format(samples="taken")}
    ON CONFLICT (metric, subject, outcome, bucket) DO UPDATE
        SET samples = metric_totals.samples + excluded.samples,
            seconds = metric_totals.seconds + excluded.seconds
""").bindparams(bindparam("bounds", type_=ARRAY(Double)))
_TOTALS = text(f"""
    SELECT metric, subject, outcome, bucket, sum(samples) AS samples, sum(seconds) AS seconds
    FROM (
        SELECT metric, subject, outcome, bucket, samples, seconds FROM metric_totals
        UNION ALL {_SUMMED.format(samples="metric_samples")}
    ) AS every GROUP BY metric, subject, outcome, bucket
    ORDER BY metric, subject, outcome, bucket
""").bindparams(bindparam("bounds", type_=ARRAY(Double)))


def fold(connection: Connection) -> None:
    """Fold all samples into the totals."""
    connection.execute(_FOLD, {"bounds": list(BOUNDS)})


def totals(connection: Connection) -> list[Total]:
    """Every total, with the samples that are not folded yet."""
    return [
        Total(
            Measure(row.metric),
            row.subject,
            row.outcome,
            float(row.bucket),
            int(row.samples),
            float(row.seconds),
        )
        for row in connection.execute(_TOTALS, {"bounds": list(BOUNDS)})
    ]


_REFUSED = text("""
    INSERT INTO metric_samples (metric, subject, outcome)
    SELECT 'refusal', g.tier, g.code
    FROM atelier_each(:refused) AS item, jsonb_to_record(item) AS g(tier text, code text)
""").bindparams(bindparam("refused", type_=JSONB))


def count_refusals(connection: Connection, refused: Sequence[tuple[Tier, str]]) -> None:
    """Count refused orders: each with its tier and its reason's code."""
    values = [{"tier": tier.value, "code": code} for tier, code in refused]
    if values:
        connection.execute(_REFUSED, {"refused": values})


def cumulative(of: Sequence[Total]) -> list[tuple[float, int]]:
    """One histogram's buckets as Prometheus counts them: at most so many seconds, how many."""
    return [
        (bound, sum(one.samples for one in of if one.bucket <= bound))
        for bound in (*BOUNDS, math.inf)
    ]
