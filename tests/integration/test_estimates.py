"""Estimates in the database: forecast from observed demand, and checked by their outcomes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from tasks.jobs.job import Job, Pressure
from tasks.jobs.tiers import Tier
from tasks.maintenance.periodic import PeriodicTasks
from tasks.store import estimates, load_snapshot, members, queue_position
from tasks.store.estimates import SurgeAge
from tasks.store.recorded_day import recorded_day, usual_demand
from tests.integration.stack import Deployment, member, order
from tests.integration.test_doors import present_a_worker

ROOMY = "[tiers.free]\nrunning = 9\nwaiting = 90\nquota = '999/1h'\n[tiers.pro]\nwaiting = 90"


def test_demand_of_all_lanes_is_observed_and_drives_the_estimate(
    build_deployment: Callable[..., Deployment],
) -> None:
    deployment = build_deployment(ROOMY)
    present_a_worker(deployment)
    with deployment.database.begin() as connection:
        members.map_role(connection, "test", "server", "pro", Tier.PRO)
    moments = iter(range(1000, 9000))
    periodic = PeriodicTasks(deployment.database, deployment.policy, now=lambda: next(moments))
    calm = deployment.submit(order(member("ada")))
    for _ in range(40):
        periodic.fold()
    for _ in range(8):
        for n in range(3):
            deployment.submit(order(member(f"payer{n}", "pro")))
        periodic.fold()
    deployment.admission.snapshots.forget()
    later = deployment.submit(order(member("bo")))
    snapshot = deployment.database.run(load_snapshot.read)
    assert snapshot.demand.rates()["pro"].jobs > 1.0
    assert later.line is not None
    assert calm.line is not None
    assert (later.line.among, later.line.tier_position) == (Tier.FREE, 2)
    assert later.line.pressure is Pressure.PAID
    assert later.line.estimate is not None
    assert calm.line.estimate is not None
    assert later.line.estimate.p50 > calm.line.estimate.p50


def add_samples(deployment: Deployment, seconds: float, count: int, stretch: float = 2.0) -> None:
    """Record renders of a usual request: GPU seconds, `stretch` times as many from the lease."""
    with deployment.database.begin() as connection:
        connection.execute(
            text("""
                INSERT INTO cost_samples (request, seconds, job_seconds)
                SELECT request, :seconds, :stretch * :seconds
                FROM (SELECT request FROM jobs LIMIT 1) AS one, generate_series(1, :count)
            """),
            {"seconds": seconds, "count": count, "stretch": stretch},
        )


def test_queued_jobs_and_demand_are_estimated_at_present_costs(
    build_deployment: Callable[..., Deployment],
) -> None:
    """In a backlog pictures share batches and cost a sixth of what they did when they came."""
    deployment = build_deployment(ROOMY)
    present_a_worker(deployment)
    moments = iter(range(1000, 9000))
    periodic = PeriodicTasks(deployment.database, deployment.policy, now=lambda: next(moments))
    deployment.submit(order(member("ada")))
    add_samples(deployment, 6.0, 20)
    periodic.adjust()
    deployment.admission.snapshots.forget()
    for n in range(10):
        deployment.submit(order(member(f"member{n}")))
    periodic.fold()
    before = deployment.database.run(load_snapshot.read)
    add_samples(deployment, 1.0, 40)
    periodic.adjust()
    periodic.fold()
    after = deployment.database.run(load_snapshot.read)
    assert before.load().lanes["free"].seconds > 50.0
    share = after.load().lanes["free"].seconds / before.load().lanes["free"].seconds
    assert share == pytest.approx(1 / 6, rel=0.3)
    rates = [one.demand.rates()["free"] for one in (before, after)]
    costs = [one.seconds / one.jobs for one in rates]
    assert costs[1] / costs[0] == pytest.approx(1 / 6, rel=0.3)
    profile = next(iter(after.workers[0].card.profiles))
    assert after.load(profile).lanes["free"].stretch == pytest.approx(2.0, rel=0.3)
    last = deployment.submit(order(member("bo")))
    with deployment.database.begin() as connection:
        ahead = queue_position.ahead(connection, [last.id])[last.id]
    assert ahead.seconds > 50.0
    position, model = after.line(ahead)
    assert model < 0.5 * before.line(ahead)[1]
    assert position.position == 12


def test_first_render_reprices_what_was_queued_at_the_first_guess(
    build_deployment: Callable[..., Deployment],
) -> None:
    deployment = build_deployment(ROOMY)
    present_a_worker(deployment)
    moments = iter(range(1000, 9000))
    periodic = PeriodicTasks(deployment.database, deployment.policy, now=lambda: next(moments))
    for n in range(10):
        deployment.submit(order(member(f"member{n}")))
    periodic.fold()
    guessed = deployment.database.run(load_snapshot.read)
    add_samples(deployment, 0.3, 1)
    periodic.adjust()
    periodic.fold()
    known = deployment.database.run(load_snapshot.read)
    assert guessed.load().lanes["free"].seconds > 9.0
    assert known.load().lanes["free"].seconds == pytest.approx(10 * 0.3)
    rates = known.demand.rates()["free"]
    assert rates.seconds / rates.jobs == pytest.approx(0.3)


def test_paid_jobs_that_run_lengthen_a_paid_render(
    build_deployment: Callable[..., Deployment],
) -> None:
    """Free jobs that run do not: paid ones pause them."""
    deployment = build_deployment(ROOMY)
    present_a_worker(deployment)
    with deployment.database.begin() as connection:
        members.map_role(connection, "test", "server", "pro", Tier.PRO)
        connection.execute(
            text('UPDATE workers SET slots = 5, profiles = \'{"blank": {"pausable": true}}\'')
        )
    first = [
        deployment.submit(order(member("payer", "pro"))),
        deployment.submit(order(member("a"))),
    ]
    set_running(deployment, first)
    add_samples(deployment, 1.0, 3)
    periodic = PeriodicTasks(deployment.database, deployment.policy, now=lambda: 1000.0)
    periodic.adjust()
    before = deployment.database.run(load_snapshot.read)
    profile = next(iter(before.workers[0].card.profiles))
    later = [deployment.submit(order(member(f"payer{n}", "pro"))) for n in range(2)]
    waiting = deployment.database.run(load_snapshot.read)
    set_running(deployment, later)
    busy = deployment.database.run(load_snapshot.read)
    assert {one.lane: one.running for one in busy.lanes if one.running} == {"pro": 3, "free": 1}
    stretch, *longer = (one.load(profile).lanes["pro"].stretch for one in (before, waiting, busy))
    assert longer == [pytest.approx(stretch * math.sqrt(4 / 2))] * 2
    fleet = busy.load(profile).fleet
    assert (fleet.slots, fleet.headroom, fleet.handling) == (3, 2, 0.3)
    assert fleet.price_spread > 0
    free = busy.load(profile).lanes["free"]
    assert (free.pauses, free.running) == (True, 1)
    assert free.underway == pytest.approx(0.5 * 1.0)
    add_samples(deployment, 1.0, 1, longer[1])  # as long as is expected beside two others
    periodic.adjust()
    known = deployment.database.run(load_snapshot.read)
    assert known.load(profile).lanes["pro"].stretch == pytest.approx(longer[1])


def set_running(deployment: Deployment, jobs: Sequence[Job]) -> None:
    """The jobs as a lease would leave them in the queue."""
    with deployment.database.begin() as connection:
        connection.execute(
            text("UPDATE jobs SET state = 'running' WHERE id = ANY(:jobs)"),
            {"jobs": [job.id for job in jobs]},
        )


def test_lost_worker_is_remembered_with_the_fleet_before(deployment: Deployment) -> None:
    periodic = PeriodicTasks(deployment.database, deployment.policy, now=lambda: 1000.0)
    present_a_worker(deployment)
    periodic.fold()
    with deployment.database.begin() as connection:
        connection.execute(text("DELETE FROM workers"))
    periodic.fold()
    fleet = deployment.database.run(queue_position.demand)["fleet"]
    assert (fleet["rate"], fleet["rate_before"]) == (0.0, 1.0)


def test_accuracy_is_split_by_tier_and_age_of_the_surge(
    build_deployment: Callable[..., Deployment],
) -> None:
    deployment = build_deployment(ROOMY)
    present_a_worker(deployment)
    for name in ("ada", "bo", "cy"):
        deployment.submit(order(member(name)))
    with deployment.database.begin() as connection:
        connection.execute(
            text("""
                UPDATE estimates SET settled_at = now(), p50 = 10, p90 = 20,
                    surge_age = CASE rank WHEN 1 THEN 5 ELSE 60 END,
                    actual = CASE rank WHEN 3 THEN 30 ELSE 15 END
                FROM (SELECT job AS id, row_number() OVER (ORDER BY given_at) AS rank
                    FROM estimates) AS ranked WHERE id = job
            """)
        )
        found = estimates.accuracy(connection)
    assert [(one.surge_age, one.coverage, one.width, one.jobs) for one in found] == [
        (SurgeAge.NEW, 1.0, 2.0, 1),
        (SurgeAge.YOUNG, 0.5, 2.0, 2),
    ]
    assert {one.tier for one in found} == {Tier.FREE}


def test_recorded_day_has_orders_estimates_and_workers(
    build_deployment: Callable[..., Deployment],
) -> None:
    deployment = build_deployment(ROOMY)
    present_a_worker(deployment)
    job = deployment.submit(order(member("ada")))
    now = datetime.now(UTC)
    with deployment.database.begin() as connection:
        connection.execute(text("UPDATE estimates SET actual = 7, settled_at = now()"))
        connection.execute(
            text("INSERT INTO attempts (job, attempt, worker) VALUES (:job, 1, 'w')"),
            {"job": job.id},
        )
        day = recorded_day(connection, now - timedelta(hours=1), now + timedelta(hours=1))
        empty = recorded_day(connection, now + timedelta(hours=1), now + timedelta(hours=2))
    assert job.line is not None
    assert job.line.estimate is not None
    [found] = day.jobs
    assert (found.lane, found.true, day.workers) == ("free", 7.0, 1)
    assert found.p50 == pytest.approx(job.line.estimate.p50.total_seconds())
    assert (list(empty.jobs), empty.workers) == ([], 0)


def test_usual_demand_is_that_of_the_same_hour_on_days_of_the_record(
    deployment: Deployment,
) -> None:
    """Of two known days the same weekday counts three times, and a day without orders counts."""
    now = datetime.now(UTC)
    ago = {
        "week": timedelta(days=7) - timedelta(minutes=30),
        "other": timedelta(days=7) + timedelta(hours=2),  # begins the record, in another hour
    }
    with deployment.database.begin() as connection:
        assert usual_demand(connection, now.timestamp()) == {}
    for name, length in ago.items():
        job = deployment.submit(order(member(name)))
        with deployment.database.begin() as connection:
            connection.execute(
                text("UPDATE jobs SET created_at = :at, cost_seconds = 2 WHERE id = :job"),
                {"at": now - length, "job": job.id},
            )
    with deployment.database.begin() as connection:
        found = usual_demand(connection, now.timestamp())
    assert found["free"].jobs == pytest.approx(3 / (3 + 6) / 3600)
    assert found["free"].seconds == pytest.approx(2 * 3 / (3 + 6) / 3600)


def test_clock_reads_the_usual_demand_into_the_forecast(deployment: Deployment) -> None:
    for name in ("ada", "bo"):
        deployment.submit(order(member(name)))
    with deployment.database.begin() as connection:
        connection.execute(
            text("""
                UPDATE jobs SET created_at = now() - interval '7 days' + CASE
                    WHEN member_key LIKE '%ada' THEN interval '30 min' ELSE interval '-2 h' END
            """)
        )
    PeriodicTasks(deployment.database, deployment.policy).fold()
    usual = deployment.database.run(load_snapshot.read).demand.usual
    assert usual["free"].jobs == pytest.approx(3 / 9 / 3600)
