"""Learnt costs: read for each order, learnt by the clock process from finished renders.

One row for each shape of a profile. The shape `""` is one unit of the profile's work
(`Shape.work`); `job` is the seconds from lease to result, `stretch` those for each of the job's GPU
seconds (above 1 where several jobs share the device).
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, text

from imaging.request import ImageRequest
from tasks.queue.costs import LearntCost, shape_of

JOB = "job"
STRETCH = "stretch"
UNIT = ""
OF_WHOLE_JOBS = (JOB, STRETCH, UNIT)
"""The rows that are no shape's."""

Costs = Mapping[tuple[str, str], LearntCost]
"""(profile, shape) → learnt cost."""

_ALL = text("SELECT * FROM costs")


def read(connection: Connection) -> dict[tuple[str, str], LearntCost]:
    """All learnt costs: a few rows for each profile."""
    return {
        (row.profile, row.shape): LearntCost(row.log_seconds, row.spread, row.samples)
        for row in connection.execute(_ALL)
    }


_TAKE = text("DELETE FROM cost_samples RETURNING request, seconds, job_seconds")
_WRITE = text("""
    INSERT INTO costs (profile, shape, log_seconds, spread, samples)
    VALUES (:profile, :shape, :log_seconds, :spread, :samples)
    ON CONFLICT (profile, shape) DO UPDATE SET log_seconds = excluded.log_seconds,
        spread = excluded.spread, samples = excluded.samples
""")


def learn(connection: Connection, usual_steps: Mapping[str, int]) -> int:
    """Learn from the new samples; how many. `usual_steps` is by profile."""
    samples = connection.execute(_TAKE).all()
    if not samples:
        return 0
    learnt = read(connection)
    for row in samples:
        request = ImageRequest.from_json(row.request)
        shape = shape_of(request, usual_steps.get(request.profile))
        one = row.seconds / request.count
        for key, seconds in (
            (shape.key, one),
            (UNIT, one / shape.work),
            (JOB, row.job_seconds),
            (STRETCH, row.job_seconds / row.seconds),
        ):
            cost = learnt.get((shape.profile, key), LearntCost())
            learnt[shape.profile, key] = cost.learn(max(1e-4, float(seconds)))
    for (profile, key), cost in sorted(learnt.items()):
        values = {"profile": profile, "shape": key, "samples": cost.samples}
        moments = {"log_seconds": cost.log_seconds, "spread": cost.spread}
        connection.execute(_WRITE, {**values, **moments})
    return len(samples)
