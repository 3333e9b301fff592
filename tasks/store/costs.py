"""Learnt costs: read for each order, learnt by the clock process from finished renders.

One row for each shape of a profile. The shape `""` is one unit of the profile's work
(`Shape.work`); `job` is the seconds from lease to result, and `stretch` those for each GPU second
that was expected (above 1 where several jobs share the device). The stretch is learnt for each
priority, because paid jobs pause others: a paid job's is short, and a free one's long. It is learnt
and told in proportion to `tasks.queue.load.crowding`, so that it grows as soon as a surge begins.

The price level is the logarithm of what a job costs over what was expected before the first one was
rendered. It follows the profiles' units by their share of the samples, and tells what jobs that
were queued, or came, at other costs are worth at present (`tasks.queue.repricing`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, replace

from sqlalchemy import Connection, text

from imaging.request import ImageRequest, Priority
from tasks.queue.costs import LearntCost, expected_seconds, shape_of

JOB = "job"
STRETCH = {priority: f"stretch {priority.name.lower()}" for priority in Priority}
UNIT = ""
NO_SHAPES = frozenset({JOB, UNIT, *STRETCH.values()})
"""The rows that are no shape's."""

LEVEL = ("", "price level")
"""The row of the price level. It is of no profile."""

Costs = Mapping[tuple[str, str], LearntCost]
"""(profile, shape) → learnt cost."""

_ALL = text("SELECT * FROM costs")


def read(connection: Connection) -> dict[tuple[str, str], LearntCost]:
    """All learnt costs: a few rows for each profile."""
    return {
        (row.profile, row.shape): LearntCost(row.log_seconds, row.spread, row.samples, row.outliers)
        for row in connection.execute(_ALL)
    }


_TAKE = text("DELETE FROM cost_samples RETURNING request, seconds, job_seconds")
_WRITE = text("""
    INSERT INTO costs (profile, shape, log_seconds, spread, samples, outliers)
    VALUES (:profile, :shape, :log_seconds, :spread, :samples, :outliers)
    ON CONFLICT (profile, shape) DO UPDATE SET log_seconds = excluded.log_seconds,
        spread = excluded.spread, samples = excluded.samples, outliers = excluded.outliers
""")


def learn(
    connection: Connection, usual_steps: Mapping[str, int], crowds: Mapping[Priority, float]
) -> int:
    """Learn from the new samples; how many.

    `usual_steps` is by profile, `crowds` the present crowding (1 where it is left out).
    """
    samples = connection.execute(_TAKE).all()
    if not samples:
        return 0
    learnt = read(connection)
    before = dict(learnt)
    for row in samples:
        request = ImageRequest.from_json(row.request)
        shape = shape_of(request, usual_steps.get(request.profile))
        one = row.seconds / request.count
        if (shape.profile, UNIT) not in learnt:
            guess = expected_seconds(shape, 1, None, None) / shape.work
            before[shape.profile, UNIT] = LearntCost(math.log(guess))
        _learn(learnt, shape.profile, shape.key, one)
        _learn(learnt, shape.profile, UNIT, one / shape.work)
        _learn(learnt, shape.profile, JOB, row.job_seconds)
        # Of the expected seconds, since estimates multiply those: a job's own seconds vary with
        # the batches it was in, and its stretch with them.
        expected = request.count * learnt[shape.profile, shape.key].seconds
        expected *= crowds.get(request.priority, 1.0)
        _learn(learnt, shape.profile, STRETCH[request.priority], row.job_seconds / expected)
    level = learnt.get(LEVEL, LearntCost(0.0))
    learnt[LEVEL] = replace(level, log_seconds=level.log_seconds + price_rise(before, learnt))
    for (profile, key), cost in sorted(learnt.items()):
        connection.execute(_WRITE, {"profile": profile, "shape": key, **asdict(cost)})
    return len(samples)


def _learn(
    learnt: dict[tuple[str, str], LearntCost], profile: str, key: str, sample: float
) -> None:
    cost = learnt.get((profile, key), LearntCost())
    learnt[profile, key] = cost.learn(max(1e-4, float(sample)))


def price_rise(before: Costs, after: Costs) -> float:
    """The rise of the price level: the mean over the profiles, by their share of the samples."""
    units = {profile: one for (profile, key), one in after.items() if key == UNIT and profile}
    total = sum(one.samples for one in units.values())
    return sum(
        one.samples / total * (one.log_seconds - before[profile, UNIT].log_seconds)
        for profile, one in units.items()
        if (profile, UNIT) in before
    )


def price_level(costs: Costs) -> float:
    """The price level."""
    level = costs.get(LEVEL)
    return level.log_seconds if level else 0.0


def of_shapes(costs: Costs) -> list[LearntCost]:
    """The learnt costs of one picture of each shape."""
    return [one for key, one in costs.items() if key != LEVEL and key[1] not in NO_SHAPES]


def stretch(costs: Costs, profile: str, priority: Priority) -> LearntCost | None:
    """A priority's learnt stretch, or where there is none the one with the most samples."""
    own = costs.get((profile, STRETCH[priority]))
    if own is not None:
        return own
    others = (costs.get((profile, key)) for key in STRETCH.values())
    return max((one for one in others if one), key=lambda one: one.samples, default=None)
