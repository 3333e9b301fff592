"""Through real worker processes: a paid job interrupts a free one; a worker drains."""

from __future__ import annotations

import asyncio
import signal

import pytest

from bots.operator.drain import drain_worker
from bots.operator.errors import CommandError
from tasks.jobs.states import JobState
from tasks.jobs.tiers import Tier
from tasks.queue.device_use import DeviceUse
from tasks.store import members, workers
from tests.integration.stack import PATIENCE, Deployment, member, order, request


def map_pro_role(deployment: Deployment) -> None:
    with deployment.database.begin() as connection:
        members.map_role(connection, "test", "server", "pro", Tier.PRO)


def worker_name(deployment: Deployment) -> str:
    (seen,) = deployment.database.run(workers.alive)
    return seen.card.name


def device_use(deployment: Deployment) -> DeviceUse:
    (seen,) = deployment.database.run(workers.alive)
    return DeviceUse.from_json(seen.card.device_use)


def wait_for_drain(deployment: Deployment) -> None:
    """Wait until the worker has said that it drains."""
    deployment.wait(lambda: " worker-draining " in deployment.log(), "the worker drains")


def test_paid_job_interrupts_a_running_free_one(deployment: Deployment) -> None:
    map_pro_role(deployment)
    deployment.start_clock()
    deployment.start_worker(0.1)
    free = deployment.submit(order(member("free"), request=request(steps=150)))
    deployment.wait_state(free.id, JobState.RUNNING)
    paid = deployment.submit(order(member("payer", "pro"), request=request(steps=4)))
    (ended,) = deployment.wait_ended(paid.id)
    assert ended.state is JobState.DONE
    assert deployment.job(free.id).state is JobState.RUNNING
    deployment.hurry()
    (ended,) = deployment.wait_ended(free.id)
    assert (ended.state, ended.attempt) == (JobState.DONE, 1)
    deployment.wait(lambda: device_use(deployment).pauses >= 1, "the pause is reported")
    deployment.assert_consistent()


def test_signal_lets_a_running_job_finish_and_returns_waiting_ones(
    deployment: Deployment,
) -> None:
    deployment.start_clock()
    worker = deployment.start_worker(0.2)
    runs = deployment.submit(order(member("one"), request=request(steps=200)))
    deployment.wait_state(runs.id, JobState.RUNNING)
    waits = deployment.submit(order(member("two"), request=request(steps=200)))
    deployment.wait_state(waits.id, JobState.RUNNING)  # leased: the engine holds it ready
    worker.send_signal(signal.SIGTERM)
    deployment.wait_state(waits.id, JobState.QUEUED)
    assert deployment.job(runs.id).state is JobState.RUNNING
    deployment.hurry()
    assert worker.wait(PATIENCE) == 0
    assert deployment.job(runs.id).state is JobState.DONE
    deployment.assert_consistent()


def test_second_signal_returns_running_jobs_to_the_queue(deployment: Deployment) -> None:
    deployment.start_clock()
    worker = deployment.start_worker(0.3)
    job = deployment.submit(order(request=request(steps=200)))
    deployment.wait_state(job.id, JobState.RUNNING)
    worker.send_signal(signal.SIGTERM)
    wait_for_drain(deployment)
    assert deployment.job(job.id).state is JobState.RUNNING
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PATIENCE) == 0
    assert deployment.job(job.id).state is JobState.QUEUED
    deployment.assert_consistent()


async def test_operator_drains_a_worker(deployment: Deployment) -> None:
    deployment.start_clock()
    worker = deployment.start_worker(0.2)
    job = deployment.submit(order(request=request(steps=200)))
    deployment.wait_state(job.id, JobState.RUNNING)
    client = deployment.client()
    try:
        with pytest.raises(CommandError, match="no live worker nobody"):
            await drain_worker(client, "nobody")
        drained = asyncio.create_task(drain_worker(client, worker_name(deployment)))
        await asyncio.to_thread(wait_for_drain, deployment)
        assert deployment.job(job.id).state is JobState.RUNNING
        deployment.hurry()
        await drained
    finally:
        await client.close()
    assert worker.wait(PATIENCE) == 0
    assert deployment.job(job.id).state is JobState.DONE
    deployment.assert_consistent()
