"""The express lane: a paid job gets the engine's next place, however busy the worker is."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from tasks.administration import Administration
from tasks.job import JobState
from tasks.tiers import Tier
from tasks.worker import HEADROOM, WATCH_SECONDS
from tests.integration.house import House, member, order, request

LOST_WAKE_UP = 0.25
"""Seconds that a job may wait while a worker idles that could run it."""


def made_in_order(house: House, jobs: Sequence[UUID]) -> list[UUID]:
    """Jobs by when their pictures were made."""
    query = "SELECT id FROM jobs WHERE id = ANY (:jobs) ORDER BY rendered_at"
    with house.database.begin() as connection:
        return list(connection.scalars(text(query), {"jobs": list(jobs)}))


def test_a_paid_job_is_next_though_free_ones_hold_every_ordinary_place(house: House) -> None:
    """Leasing keeps a place free, and the engine looks at the priority when it takes the next."""
    Administration(house.database, house.policy).map_role(member("boss"), "pro", Tier.PRO)
    house.start_clock()
    house.start_worker(0.1)
    long = request(steps=20)
    free = [house.submit(order(member(f"free{n}"), request=long)).id for n in range(3)]

    def held() -> list[UUID]:
        return [job for job in free if house.job(job).state is JobState.RUNNING]

    house.wait(lambda: len(held()) >= 2, "one Free picture is made and one has the next place")
    paid = house.submit(order(member("payer", "pro"))).id
    house.wait_state(paid, JobState.RUNNING, JobState.DELIVERING, JobState.DONE)
    house.wait_ended(*free, paid)
    assert made_in_order(house, [*free, paid]).index(paid) <= 1


def test_a_worker_looks_for_work_often_enough_to_lose_no_wake_up() -> None:
    """That it finds work without any ticket is shown in `test_life_of_a_job`."""
    assert WATCH_SECONDS <= LOST_WAKE_UP
    assert HEADROOM >= 1
