"""A job through a real worker process: delivered once, whatever is repeated, lost or killed."""

from __future__ import annotations

import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import redis
from structlog.testing import capture_logs

from tasks.app import make_app, publish
from tasks.job import Accepted, JobState
from tests.integration.house import House, member, order, request


def test_every_accepted_job_is_delivered_once(house: House) -> None:
    house.start_clock()
    house.start_worker(0.01)
    house.start_worker(0.01, home=house.home / "second")
    with capture_logs() as told:
        wanted = [house.submit(order(member(f"m{n % 4}"))) for n in range(16)]
    ended = house.wait_ended(*(job.id for job in wanted))
    assert {job.state for job in ended} == {JobState.DONE}
    assert house.posted_jobs() == sorted(str(job.id) for job in wanted)
    assert all(len(job.pictures) == 1 for job in ended)
    assert all(house.blobs.get(job.pictures[0].blob).startswith(b"\x89PNG") for job in ended)
    house.check_sums()
    assert [line["job"] for line in told if line["event"] == "accepted"] == [
        str(job.id) for job in wanted
    ]
    lines = house.log().splitlines()
    for event in ("rendering", "rendered", "delivered"):
        of_event = [line for line in lines if f" {event} " in line]
        assert all(any(str(job.id) in line for line in of_event) for job in wanted)


def test_asking_twice_makes_one_job(house: House) -> None:
    wish = order(key="interaction-1")
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: house.reception.submit(wish), range(8)))
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert len({outcome.job.id for outcome in outcomes}) == 1  # type: ignore[union-attr]
    assert sum(not outcome.repeated for outcome in outcomes) == 1  # type: ignore[union-attr]
    house.check_sums()


def test_repeated_tickets_do_nothing(house: House) -> None:
    house.start_clock()
    house.start_worker(0.02)
    app = make_app(house.redis_url)
    publish(app, 20, workers=20)
    job = house.submit(order())
    publish(app, 20, workers=20)
    house.wait_ended(job.id)
    assert house.posted_jobs() == [str(job.id)]
    assert house.job(job.id).attempt == 1
    house.check_sums()


def test_a_job_whose_ticket_was_lost_is_taken_all_the_same(house: House) -> None:
    house.start_worker()  # and no clock: no ticket is ever published
    job = house.submit(order())
    assert house.wait_ended(job.id)[0].state is JobState.DONE


def test_a_ticket_swallowed_by_a_busy_worker_does_not_leave_another_idle(house: House) -> None:
    """The first worker is full when the tickets come, and takes them all away from the second."""
    house.start_clock()
    house.start_worker(0.5)
    slow = [house.submit(order(member(f"slow{n}"), request=request(steps=150))) for n in range(2)]
    for job in slow:
        house.wait_state(job.id, JobState.RUNNING)
    waiting = house.submit(order(member("quick")))
    app = make_app(house.redis_url)
    with redis.Redis.from_url(house.redis_url) as client:
        house.wait(lambda: client.llen("atelier") == 0, "tickets swallowed")
    assert house.job(waiting.id).state is JobState.QUEUED
    house.start_worker(0.0, home=house.home / "second")
    assert house.wait_ended(waiting.id)[0].state is JobState.DONE
    assert all(house.job(job.id).state is JobState.RUNNING for job in slow)
    app.close()


def test_flushing_redis_loses_nothing(house: House) -> None:
    house.start_clock()
    house.start_worker(0.02)
    wanted = [house.submit(order(member(f"m{n}"))).id for n in range(12)]
    with redis.Redis.from_url(house.redis_url) as client:
        for _ in range(5):
            client.flushall()
    wanted += [house.submit(order(member(f"n{n}"))).id for n in range(4)]
    assert {job.state for job in house.wait_ended(*wanted)} == {JobState.DONE}
    assert house.posted_jobs() == sorted(map(str, wanted))
    house.check_sums()


def test_a_killed_workers_job_begins_again_when_it_is_started_again(house: House) -> None:
    house.start_clock()
    first = house.start_worker(0.3)
    job = house.submit(order(request=request(steps=20)))
    house.wait_state(job.id, JobState.RUNNING)
    house.kill(first)
    house.start_worker(0.0)  # the same home, so the same name: it need not wait for the lease
    ended = house.wait_ended(job.id)[0]
    assert (ended.state, ended.attempt) == (JobState.DONE, 2)
    assert house.posted_jobs() == [str(job.id)]
    house.check_sums()


def test_a_worker_that_lost_its_lease_is_fenced_off(house: House) -> None:
    """It is stopped in the middle, another worker does its job, and then it wakes up."""
    house.start_clock()
    first = house.start_worker(0.3)
    job = house.submit(order(request=request(steps=20)))
    house.wait_state(job.id, JobState.RUNNING)
    os.kill(first.pid, signal.SIGSTOP)
    house.start_worker(0.0, home=house.home / "second")
    ended = house.wait_ended(job.id)[0]
    assert (ended.state, ended.attempt) == (JobState.DONE, 2)
    os.kill(first.pid, signal.SIGCONT)
    another = house.submit(order(member("next")))
    house.wait_ended(another.id)
    first.send_signal(signal.SIGTERM)
    assert first.wait(20) == 0
    assert house.posted_jobs() == sorted([str(job.id), str(another.id)])
    assert house.blobs.get(house.job(job.id).pictures[0].blob).startswith(b"\x89PNG")
    house.check_sums()


def test_a_job_that_kills_every_worker_is_given_up(house: House) -> None:
    house.start_clock()
    job = house.submit(order(request=request(steps=200)))
    for attempt in range(1, 4):
        worker = house.start_worker(0.3)
        house.wait(lambda n=attempt: house.job(job.id).attempt == n, f"attempt {attempt}")  # type: ignore[misc]
        house.kill(worker)
    house.start_worker(0.0)
    ended = house.wait_ended(job.id)[0]
    assert ended.state is JobState.FAILED
    assert ended.reason is not None
    assert ended.reason.code == "worker-lost"
    house.check_sums()


def test_a_worker_ends_in_good_order(house: House) -> None:
    """On SIGTERM what is short is finished, what is long goes back to the line."""
    house.start_clock()
    first = house.start_worker(0.2)
    short = house.submit(order(member("short"), request=request(steps=8)))
    house.wait_state(short.id, JobState.RUNNING)  # else the other may take the engine first
    long = house.submit(order(member("long"), request=request(steps=200)))
    house.wait_state(long.id, JobState.RUNNING)
    first.send_signal(signal.SIGTERM)
    assert first.wait(20) == 0
    assert house.job(short.id).state is JobState.DONE
    assert house.job(long.id).state is JobState.QUEUED
    house.check_sums()


def test_a_failed_render_gives_the_credits_back_and_tells_the_member(house: House) -> None:
    house.start_clock()
    house.start_worker()
    job = house.submit(order(request=request(sources=("sources/gone",), operation="vary")))
    ended = house.wait_ended(job.id)[0]
    assert ended.state is JobState.FAILED
    assert ended.reason is not None
    assert house.posts()[0]["code"] == ended.reason.code
    assert house.posts()[0]["pictures"] == 0
    house.check_sums()


def start(house: House) -> subprocess.Popen[bytes]:
    """A clock and a slow worker."""
    house.start_clock()
    return house.start_worker(0.2)


async def test_cancelling(house: House) -> None:
    """A queued job ends at once, a running one within a step; both are told, neither is charged."""
    start(house)
    client = house.client()
    runs = house.submit(order(member("one"), request=request(steps=200)))
    house.wait_state(runs.id, JobState.RUNNING)
    fill = house.submit(order(member("two"), request=request(steps=200)))
    house.wait_state(fill.id, JobState.RUNNING)
    waits = house.submit(order(member("three")))
    assert (await client.cancel(waits.id, member("one"))).code == "not-yours"
    assert (await client.cancel(waits.id, member("three"))).code == "cancelled"
    assert (await client.cancel(waits.id, member("three"))).code == "already-ended"
    assert (await client.cancel(runs.id, member("one"))).code == "cancelling"
    assert (await client.cancel(fill.id, member("boss"), moderator=True)).code == "cancelling"
    ended = house.wait_ended(waits.id, runs.id, fill.id)
    assert {job.state for job in ended} == {JobState.CANCELLED}
    assert {job.reason.code for job in ended if job.reason} == {"cancelled"}
    house.check_sums()
    await client.close()
