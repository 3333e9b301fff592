"""The launch day: demand at several times what the worker makes, on the real parts."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from tasks.jobs.states import JobState
from tasks.jobs.tiers import Tier
from tasks.policy.doors import DoorLevel
from tests.integration import launch_day
from tests.integration.launch_day import HOG, STEPS, Came, Wish
from tests.integration.stack import Deployment

PAID = [Tier.PLUS, Tier.TEAM, Tier.PRO]
STEP = 0.1  # seconds: a picture takes one


def live(
    deployment: Deployment, wishes: list[Wish], step_seconds: float, patience: float = 200.0
) -> Came:
    """Send a day, let in who is invited, and wait until all is done and the doors are open."""
    launch_day.map_tier_roles(deployment)
    deployment.start_clock()
    deployment.start_worker(step_seconds)
    launch_day.warm_up(deployment)
    came = Came()
    launch_day.send(deployment, wishes, came)

    def quiet() -> bool:
        launch_day.watch(deployment, came)
        launch_day.welcome(deployment, came)
        states = {deployment.job(job).state for job in list(came.accepted)[-3:]}
        return launch_day.door(deployment) is DoorLevel.OPEN and all(
            state.ended for state in states
        )

    deployment.wait(quiet, "the doors are open again", patience)
    launch_day.watch(deployment, came)
    deployment.wait(
        lambda: len(deployment.posted_jobs()) > len(came.accepted), "every job told", patience
    )
    return came


def check_delivered_once(deployment: Deployment, came: Came) -> None:
    posted = deployment.posted_jobs()
    assert len(posted) == len(set(posted)) == len(came.accepted) + 1  # and the first of all
    assert set(posted) >= {str(job) for job in came.accepted}
    assert {deployment.job(job).state for job in came.accepted} == {JobState.DONE}
    deployment.assert_consistent()


def check_doors(came: Came) -> None:
    """They went to the waitlist and came back, one level at a time, up once and down once."""
    assert DoorLevel.WAITLIST in came.rungs
    assert came.rungs[-1] is DoorLevel.OPEN
    turns = [b > a for a, b in pairwise(came.rungs)]
    assert sum(a != b for a, b in pairwise(turns)) <= 3
    assert came.refused.get("doors-waitlist", 0) > 0


def check_free_is_served_and_shared(came: Came) -> None:
    """Free goes on being accepted, and the member who sends half of all has not half of it."""
    free = [wish for wish in came.accepted.values() if wish.tier is Tier.FREE]
    others = [wish for wish in free if wish.who != HOG]
    assert len(others) > len(free) / 2
    assert len({wish.who for wish in others}) > 10


def test_launch_closes_doors_temporarily_and_loses_no_job(
    build_deployment: Callable[..., Deployment],
) -> None:
    deployment = build_deployment(launch_day.policy(longest_wait=5.0, stands=2.0))
    day = launch_day.demand(seconds=10.0, rate=6.0, paid_rate=0.4, crowd=20)
    came = live(deployment, day, 0.06)
    check_delivered_once(deployment, came)
    check_doors(came)
    check_free_is_served_and_shared(came)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_launch_barely_delays_paid_members(build_deployment: Callable[..., Deployment]) -> None:
    """The same paid day alone and amid five times of what the worker makes; three minutes.

    Both are lived at the same time, each with a worker of its own: whatever else the machine does
    falls on both.
    """
    day = launch_day.demand(seconds=180.0, rate=4.6, paid_rate=0.25, crowd=60)
    alone, amid = (build_deployment(launch_day.policy(20.0, 10.0)) for _ in range(2))
    with ThreadPoolExecutor(1) as pool:
        paid = [wish for wish in day if wish.tier.paid]
        beside = pool.submit(live, alone, paid, STEP, 600.0)
        came = live(amid, day, STEP, 600.0)
        beside.result()
    before = launch_day.quantile(launch_day.waits(alone, PAID), 0.99)
    after = launch_day.quantile(launch_day.waits(amid, PAID), 0.99)
    share, members = launch_day.kept(amid)
    print(f"paid p99: alone {before:.3f} s, amid {after:.3f} s ({after / before:.2f} times)")
    print(f"paid members: {len(launch_day.waits(amid, PAID))}")
    print(f"asked {len(day)}, accepted {len(came.accepted)}, refused {came.refused}")
    print("doors:", " → ".join(door_level.name.lower() for door_level in came.rungs))
    for lane in [None, *(tier.value for tier in Tier)]:
        its, count = launch_day.kept(amid, lane)
        print(f"within p90: {lane or 'all'} {its:.1%} of {count}")
    check_delivered_once(amid, came)
    check_doors(came)
    check_free_is_served_and_shared(came)
    assert after <= 1.10 * before + STEPS * STEP
    assert members >= len(came.accepted)  # everyone was told, and it came true or not
    assert 0.85 <= share <= 0.95
