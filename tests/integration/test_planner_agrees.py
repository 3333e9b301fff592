"""The planner against a real run: the same small trace, by arithmetic and by a real worker."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from sqlalchemy import text

from tasks.jobs.tiers import Tier
from tasks.planner.queue_disciplines import fair
from tasks.planner.simulation import LaneRules, Simulation, fleet
from tasks.planner.simulation import SimulationRules as Rules
from tasks.planner.trace import LANES, Arrival, Trace
from tests.integration import launch_day
from tests.integration.launch_day import HOG, Came, Wish
from tests.integration.stack import Deployment

STEP = 0.05
AGREES = 0.10


def small_day() -> list[Wish]:
    """A burst of Free, and paid members in the middle of it."""
    free = [Wish(0.05 * n, Tier.FREE, f"f{n}") for n in range(24)]
    hog = [Wish(0.3 * n, Tier.FREE, HOG) for n in range(6)]
    paid = [Wish(3.0 + 2.0 * n, Tier.PLUS, f"p{n % 2}") for n in range(8)]
    return sorted([*free, *hog, *paid], key=lambda wish: wish.at)


def as_it_was(deployment: Deployment) -> tuple[list[Arrival], dict[str, float]]:
    """The recorded trace with the true cost of a picture, and each tier's mean wait in seconds.

    A wait is from order to picture. The device's rate is what its busy time gives: pictures that
    came straight one after the other.
    """
    query = """
        SELECT tier, member_key, extract(epoch FROM created_at) AS at,
            extract(epoch FROM rendered_at) AS done
        FROM jobs ORDER BY created_at
    """
    with deployment.database.begin() as connection:
        rows = connection.execute(text(query)).all()
    ends = sorted(float(row.done) for row in rows)
    gaps = sorted(b - a for a, b in pairwise(ends))
    busy = [gap for gap in gaps if gap < 3 * gaps[len(gaps) // 2]]
    each = sum(busy) / len(busy)
    members = {row.member_key: n for n, row in enumerate(rows)}
    first = float(rows[0].at)
    arrivals = [
        (float(row.at) - first, LANES.index(row.tier), members[row.member_key], each)
        for row in rows
    ]
    waits = {}
    for tier in ("free", "plus"):
        its = [float(row.done) - float(row.at) for row in rows if row.tier == tier]
        waits[tier] = sum(its) / len(its)
    return arrivals, waits


@pytest.mark.soak
def test_planner_agrees_with_a_real_run(deployment: Deployment) -> None:
    """Within a tenth, in the mean of each tier; on a quiet machine."""
    launch_day.map_tier_roles(deployment)
    deployment.start_clock()
    deployment.start_worker(STEP)
    launch_day.warm_up(deployment)
    with deployment.database.begin() as connection:
        connection.execute(text("DELETE FROM jobs"))
    came = Came()
    launch_day.send(deployment, small_day(), came)
    deployment.wait_ended(*came.accepted)
    arrivals, real = as_it_was(deployment)
    rules = {name: LaneRules(4, 50) for name in LANES}
    rules["plus"] = LaneRules(3, 10)
    planned_settings = replace(Rules(), lanes=rules, noise=0.0, order=fair)
    day = Simulation(Trace("small", arrivals), fleet(1), planned_settings).run()
    for tier, seconds in real.items():
        planned = day.lanes[tier].waits.mean + arrivals[0][3]
        print(f"{tier}: real {seconds:.2f} s, planned {planned:.2f} s")
        assert abs(planned - seconds) <= AGREES * seconds
