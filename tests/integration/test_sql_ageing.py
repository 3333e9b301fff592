"""Ageing in Postgres with a set clock: a lane's virtual time at entry, at a lease and in positions.

A lane's virtual time grows by at least one second in 360 (`AGEING`), so 3600 s make 10.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, text

from tasks.store import leases, queue_position
from tests.integration.set_clock import EPOCH, queue, set_clock

HOUR = 3600.0
Lease = Callable[[Connection], UUID | None]


def lease(connection: Connection) -> UUID | None:
    """The job that a worker leases next."""
    taken = leases.lease(connection, "worker", ["free"], ["blank"], 100)
    return taken.job.id if taken else None


_FORMER = text("""
    SELECT id FROM atelier_lease('{free}', '{blank}', 'worker', :token, 100, 1.0 / 360)
""")


def lease_as_before(connection: Connection) -> UUID | None:
    """The same as a worker of the previous version leases it."""
    job: UUID | None = connection.scalar(_FORMER, {"token": uuid4()})
    return job


def lane_at(connection: Connection, virtual: float, seconds: float) -> None:
    """Set the virtual time of the lane `free`, as of a moment."""
    values = {"virtual": virtual, "at": EPOCH + seconds}
    query = "UPDATE lanes SET virtual = :virtual, virtual_at = :at WHERE lane = 'free'"
    connection.execute(text(query), values)


def tags(connection: Connection, job: UUID) -> tuple[float, float]:
    """A job's start tag, and the lane's virtual time at its entry."""
    query = text("SELECT start_tag, entered FROM jobs WHERE id = :job")
    row = connection.execute(query, {"job": job}).one()
    return row.start_tag, row.entered


def virtual(connection: Connection) -> tuple[float, float]:
    """The lane's virtual time, and the seconds as of which it is."""
    row = connection.execute(
        text("SELECT virtual, virtual_at FROM lanes WHERE lane = 'free'")
    ).one()
    return row.virtual, row.virtual_at - EPOCH


def test_lane_ages_between_two_orders(connection: Connection) -> None:
    set_clock(connection, 0)
    lane_at(connection, 5.0, 0)
    assert tags(connection, queue(connection, "ada", 30.0)) == (5.0, 5.0)
    set_clock(connection, HOUR)
    assert tags(connection, queue(connection, "bo", 30.0)) == pytest.approx((15.0, 15.0))
    assert tags(connection, queue(connection, "ada", 30.0)) == pytest.approx((35.0, 15.0))
    set_clock(connection, 24 * HOUR)
    assert tags(connection, queue(connection, "ada", 30.0)) == pytest.approx((245.0, 245.0))


def test_clock_that_goes_back_makes_nobody_younger(connection: Connection) -> None:
    set_clock(connection, 0)
    lane_at(connection, 5.0, HOUR)
    assert tags(connection, queue(connection, "ada")) == (5.0, 5.0)
    lease(connection)
    assert virtual(connection) == (5.0, 0.0)


@pytest.mark.parametrize("take", [lease, lease_as_before])
def test_lane_ages_at_a_lease(connection: Connection, take: Lease) -> None:
    set_clock(connection, 0)
    lane_at(connection, 0.0, 0)
    first, second = (queue(connection, "ada", cost, at_once=2) for cost in (40.0, 1.0))
    set_clock(connection, HOUR)
    assert take(connection) == first
    assert virtual(connection) == pytest.approx((10.0, HOUR)), "older than the tag 0 of the job"
    assert take(connection) == second
    assert virtual(connection) == pytest.approx((40.0, HOUR)), "the tag of the job is later"


@pytest.mark.parametrize("take", [lease, lease_as_before])
def test_newcomer_overtakes_a_second_job_for_a_limited_time(
    connection: Connection, take: Lease
) -> None:
    """A job that waits behind one of 10 GPU seconds can be overtaken for an hour."""
    set_clock(connection, 0)
    lane_at(connection, 0.0, 0)
    first, second = (queue(connection, "hog", 10.0, at_once=2) for _ in range(2))
    set_clock(connection, HOUR - 36)
    early = queue(connection, "early")
    set_clock(connection, HOUR + 36)
    late = queue(connection, "late")
    assert [take(connection) for _ in range(4)] == [first, early, second, late]


def test_lead_of_a_waiting_job_shrinks_with_time(connection: Connection) -> None:
    set_clock(connection, 0)
    lane_at(connection, 0.0, 0)
    queue(connection, "ada", 30.0)
    behind = queue(connection, "ada", 30.0)
    for seconds, lead in ((0, 30.0), (HOUR, 20.0), (4 * HOUR, 0.0)):
        set_clock(connection, seconds)
        [ahead] = queue_position.ahead(connection, [behind]).values()
        assert ahead.lead == pytest.approx(lead)
