"""The express lane: a paid job gets the engine's next place, however busy the worker is."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from tasks.jobs.states import JobState
from tasks.jobs.tiers import Tier
from tasks.queue.load import HEADROOM
from tasks.store import members
from tasks.worker.worker import WATCH_SECONDS
from tests.integration.stack import Deployment, member, order, request

LOST_WAKE_UP = 0.25
"""Seconds that a job may wait while a worker idles that could run it."""


def made_before(deployment: Deployment, job: UUID, others: Sequence[UUID]) -> list[UUID]:
    """Those of the others whose pictures were made before the job's."""
    query = """
        SELECT id FROM jobs WHERE id = ANY (:others)
            AND rendered_at < (SELECT rendered_at FROM jobs WHERE id = :job)
    """
    with deployment.database.begin() as connection:
        return list(connection.scalars(text(query), {"others": list(others), "job": job}))


def test_paid_job_is_next_while_free_jobs_hold_all_ordinary_slots(
    deployment: Deployment,
) -> None:
    """Leasing keeps a place free, and the engine looks at the priority when it takes the next."""
    with deployment.database.begin() as connection:
        members.map_role(connection, "test", "server", "pro", Tier.PRO)
    deployment.start_clock()
    deployment.start_worker(0.1)
    long = request(steps=20)
    free = [deployment.submit(order(member(f"free{n}"), request=long)).id for n in range(3)]

    def held() -> list[UUID]:
        return [job for job in free if deployment.job(job).state is JobState.RUNNING]

    deployment.wait(lambda: len(held()) >= 2, "one Free picture is made and one has the next place")
    paid = deployment.submit(order(member("payer", "pro"))).id
    deployment.wait_ended(paid)  # at the usual speed: hurried pictures are recorded in any order
    deployment.hurry()
    deployment.wait_ended(*free)
    assert len(made_before(deployment, paid, free)) <= 1


def test_worker_polls_often_enough_to_cover_lost_wake_ups() -> None:
    """That it finds work without any ticket is shown in `test_life_of_a_job`."""
    assert WATCH_SECONDS <= LOST_WAKE_UP
    assert HEADROOM >= 1


def test_paid_backlog_leaves_free_jobs_their_share(deployment: Deployment) -> None:
    """With express work waiting all the time, the places for any work go by the fair order."""
    with deployment.database.begin() as connection:
        members.map_role(connection, "test", "server", "pro", Tier.PRO)
    paid = [deployment.submit(order(member(f"pro{n}", "pro"))).id for n in range(60)]
    free = [deployment.submit(order(member(f"free{n}"))).id for n in range(3)]
    deployment.start_clock()
    deployment.start_worker(0.03)
    deployment.wait_ended(*free)
    assert len(made_before(deployment, free[-1], paid)) < len(paid) - HEADROOM - 2
