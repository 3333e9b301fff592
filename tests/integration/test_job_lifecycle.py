"""Jobs through real worker processes: delivered once, whatever is repeated, lost or killed."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import redis
from structlog.testing import capture_logs

from tasks.jobs.job import Accepted
from tasks.jobs.states import JobState
from tasks.runtime.celery_app import make_app, publish
from tests.integration.stack import GENEROUS, PATIENCE, Deployment, member, order, request


def test_every_accepted_job_is_delivered_once(deployment: Deployment) -> None:
    deployment.start_clock()
    deployment.start_worker(0.01)
    deployment.start_worker(0.01, home=deployment.home / "second")
    with capture_logs() as logged:
        wanted = [deployment.submit(order(member(f"m{n % 4}"))) for n in range(16)]
    ended = deployment.wait_ended(*(job.id for job in wanted))
    assert {job.state for job in ended} == {JobState.DONE}
    assert deployment.posted_jobs() == sorted(str(job.id) for job in wanted)
    assert all(len(job.pictures) == 1 for job in ended)
    assert all(deployment.blobs.get(job.pictures[0].blob).startswith(b"\x89PNG") for job in ended)
    deployment.assert_consistent()
    assert [line["job"] for line in logged if line["event"] == "order-accepted"] == [
        str(job.id) for job in wanted
    ]
    lines = deployment.log().splitlines()
    for event in ("job-started", "job-rendered", "job-delivered"):
        of_event = [line for line in lines if f" {event} " in line]
        assert all(any(str(job.id) in line for line in of_event) for job in wanted)


def test_repeated_key_makes_one_job(deployment: Deployment) -> None:
    repeated = order(key="interaction-1")
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: deployment.admission.submit(repeated), range(8)))
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert len({outcome.job.id for outcome in outcomes}) == 1  # type: ignore[union-attr]
    assert sum(not outcome.repeated for outcome in outcomes) == 1  # type: ignore[union-attr]
    deployment.assert_consistent()


def test_repeated_tickets_are_harmless(deployment: Deployment) -> None:
    deployment.start_clock()
    deployment.start_worker(0.02)
    app = make_app(deployment.redis_url)
    publish(app, 20, workers=20)
    job = deployment.submit(order())
    publish(app, 20, workers=20)
    deployment.wait_ended(job.id)
    assert deployment.posted_jobs() == [str(job.id)]
    assert deployment.job(job.id).attempt == 1
    deployment.assert_consistent()


def test_lost_ticket_does_not_delay_a_job(deployment: Deployment) -> None:
    deployment.start_worker()  # and no clock: no ticket is ever published
    job = deployment.submit(order())
    assert deployment.wait_ended(job.id)[0].state is JobState.DONE


def test_ticket_taken_by_a_busy_worker_leaves_no_worker_idle(
    deployment: Deployment,
) -> None:
    """The first worker is full, but takes all tickets away from the second."""
    deployment.start_clock()
    deployment.start_worker(0.5)
    slow = [
        deployment.submit(order(member(f"slow{n}"), request=request(steps=150))) for n in range(2)
    ]
    for job in slow:
        deployment.wait_state(job.id, JobState.RUNNING)
    waiting = deployment.submit(order(member("quick")))
    app = make_app(deployment.redis_url)
    with redis.Redis.from_url(deployment.redis_url) as client:
        deployment.wait(lambda: client.llen("atelier") == 0, "tickets consumed")
    assert deployment.job(waiting.id).state is JobState.QUEUED
    deployment.start_worker(0.0, home=deployment.home / "second")
    assert deployment.wait_ended(waiting.id)[0].state is JobState.DONE
    assert all(deployment.job(job.id).state is JobState.RUNNING for job in slow)
    app.close()


def test_flushed_redis_loses_no_job(deployment: Deployment) -> None:
    deployment.start_clock()
    deployment.start_worker(0.02)
    wanted = [deployment.submit(order(member(f"m{n}"))).id for n in range(12)]
    with redis.Redis.from_url(deployment.redis_url) as client:
        for _ in range(5):
            client.flushall()
    wanted += [deployment.submit(order(member(f"n{n}"))).id for n in range(4)]
    assert {job.state for job in deployment.wait_ended(*wanted)} == {JobState.DONE}
    assert deployment.posted_jobs() == sorted(map(str, wanted))
    deployment.assert_consistent()


def test_restarted_worker_requeues_its_jobs(deployment: Deployment) -> None:
    deployment.start_clock()
    first = deployment.start_worker(0.3)
    job = deployment.submit(order(request=request(steps=20)))
    deployment.wait_state(job.id, JobState.RUNNING)
    deployment.kill(first)
    deployment.start_worker(0.0)  # the same home, so the same name: it need not wait for the lease
    ended = deployment.wait_ended(job.id)[0]
    assert (ended.state, ended.attempt) == (JobState.DONE, 2)
    assert deployment.posted_jobs() == [str(job.id)]
    deployment.assert_consistent()


def test_worker_with_an_expired_lease_is_fenced_off(deployment: Deployment) -> None:
    """A worker is suspended, another one does its job, and then it continues."""
    deployment.start_clock()
    first = deployment.start_worker(0.3)
    job = deployment.submit(order(request=request(steps=20)))
    deployment.wait_state(job.id, JobState.RUNNING)
    os.kill(first.pid, signal.SIGSTOP)
    deployment.start_worker(0.0, home=deployment.home / "second")
    ended = deployment.wait_ended(job.id)[0]
    assert (ended.state, ended.attempt) == (JobState.DONE, 2)
    os.kill(first.pid, signal.SIGCONT)
    another = deployment.submit(order(member("next")))
    deployment.wait_ended(another.id)
    first.send_signal(signal.SIGTERM)
    assert first.wait(PATIENCE) == 0
    assert deployment.posted_jobs() == sorted([str(job.id), str(another.id)])
    assert deployment.blobs.get(deployment.job(job.id).pictures[0].blob).startswith(b"\x89PNG")
    deployment.assert_consistent()


def test_job_fails_when_its_attempts_are_exhausted(
    build_deployment: Callable[..., Deployment],
) -> None:
    deployment = build_deployment(f"{GENEROUS}\n[limits]\nattempts = 2")
    deployment.start_clock()
    job = deployment.submit(order(request=request(steps=200)))
    for attempt in range(1, 3):
        worker = deployment.start_worker(0.3)
        deployment.wait(lambda n=attempt: deployment.job(job.id).attempt == n, f"attempt {attempt}")  # type: ignore[misc]
        deployment.kill(worker)
    deployment.start_worker(0.0)
    ended = deployment.wait_ended(job.id)[0]
    assert ended.state is JobState.FAILED
    assert ended.reason is not None
    assert ended.reason.code == "worker-lost"
    deployment.assert_consistent()


def test_worker_shuts_down_cleanly(deployment: Deployment) -> None:
    """On SIGTERM a short job is finished and a long one returns to the queue."""
    deployment.start_clock()
    first = deployment.start_worker(0.2)
    short = deployment.submit(order(member("short"), request=request(steps=8)))
    deployment.wait_state(short.id, JobState.RUNNING)  # else the other may take the engine first
    long = deployment.submit(order(member("long"), request=request(steps=200)))
    deployment.wait_state(long.id, JobState.RUNNING)
    first.send_signal(signal.SIGTERM)
    assert first.wait(PATIENCE) == 0
    assert deployment.job(short.id).state is JobState.DONE
    assert deployment.job(long.id).state is JobState.QUEUED
    deployment.assert_consistent()


def test_failed_render_returns_credits_and_notifies_the_member(
    deployment: Deployment,
) -> None:
    deployment.start_clock()
    deployment.start_worker()
    job = deployment.submit(order(request=request(sources=("sources/gone",), operation="vary")))
    ended = deployment.wait_ended(job.id)[0]
    assert ended.state is JobState.FAILED
    assert ended.reason is not None
    assert deployment.posts()[0]["code"] == ended.reason.code
    assert deployment.posts()[0]["pictures"] == 0
    deployment.assert_consistent()


def start(deployment: Deployment) -> subprocess.Popen[bytes]:
    """A clock and a slow worker."""
    deployment.start_clock()
    return deployment.start_worker(0.2)


async def test_queued_and_running_jobs_can_be_cancelled(deployment: Deployment) -> None:
    """A queued job ends at once, a running one within a step; neither is charged."""
    start(deployment)
    client = deployment.client()
    runs = deployment.submit(order(member("one"), request=request(steps=200)))
    deployment.wait_state(runs.id, JobState.RUNNING)
    fill = deployment.submit(order(member("two"), request=request(steps=200)))
    deployment.wait_state(fill.id, JobState.RUNNING)
    waits = deployment.submit(order(member("three")))
    assert (await client.jobs.cancel(waits.id, member("one"))).code == "not-yours"
    assert (await client.jobs.cancel(waits.id, member("three"))).code == "cancelled"
    assert (await client.jobs.cancel(waits.id, member("three"))).code == "already-ended"
    assert (await client.jobs.cancel(runs.id, member("one"))).code == "cancelling"
    assert (await client.jobs.cancel(fill.id, member("boss"), moderator=True)).code == "cancelling"
    ended = deployment.wait_ended(waits.id, runs.id, fill.id)
    assert {job.state for job in ended} == {JobState.CANCELLED}
    assert {job.reason.code for job in ended if job.reason} == {"cancelled"}
    deployment.assert_consistent()
    await client.close()
