"""Deliveries: retried, given up where the platform rejects them, and never duplicated."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from imaging.errors import EncodingFailed
from imaging.request import Progress, Stage
from tasks.delivery.dispatcher import DeliveryDispatcher
from tasks.delivery.publisher import (
    Delivery,
    DeliveryResult,
    Publisher,
    PublisherContext,
    TryLater,
    Undeliverable,
)
from tasks.jobs.job import Job
from tasks.jobs.states import JobState
from tasks.runtime.addresses import cipher_of
from tasks.runtime.blobs import picture_name
from tasks.runtime.events import Bus
from tasks.store import deliveries, leases, transitions
from tasks.store.transitions import Finished, NewPicture
from tasks.worker.process import WorkerPublisherContext, lanes_of
from tests.integration.stack import Deployment, order, request

Deliver = Callable[[Delivery], Any]


class ScriptedPublisher:
    """Runs one step of a script for each attempt; repeats the last step."""

    platform = "test"

    def __init__(self, *script: Deliver) -> None:
        self.script = list(script)
        self.deliveries: list[Delivery] = []
        self.updates: list[Progress] = []

    async def progress(self, job: Job, progress: Progress) -> float:
        self.updates.append(progress)
        return 0.0

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        self.deliveries.append(delivery)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        outcome = step(delivery)
        if asyncio.iscoroutine(outcome):
            await outcome
        return DeliveryResult(f"message-{len(self.deliveries)}")

    async def close(self) -> None:
        pass


def fail(error: Exception) -> Deliver:
    """A step that raises this error."""

    def step(_delivery: Delivery) -> None:
        raise error

    return step


def post(_delivery: Delivery) -> None:
    """A step that succeeds."""


@pytest.fixture
def start_dispatcher(deployment: Deployment) -> Iterator[Callable[[Publisher], DeliveryDispatcher]]:
    """Starts a dispatcher with one publisher; stopped at the end."""
    opened: list[DeliveryDispatcher] = []
    bus = Bus(deployment.redis_url)

    def open_one(publisher: Publisher) -> DeliveryDispatcher:
        def connect(_context: PublisherContext) -> Publisher:
            return publisher

        context = WorkerPublisherContext(
            deployment.settings, deployment.database, bus, cipher_of(deployment.settings)
        )
        opened.append(
            DeliveryDispatcher(
                deployment.database, deployment.blobs, bus, context, {"test": connect}
            )
        )
        opened[-1].start()
        return opened[-1]

    yield open_one
    for dispatcher in opened:
        dispatcher.stop(5.0)
    bus.close()


def rendered(deployment: Deployment) -> UUID:
    """A job whose picture is stored and whose delivery is not claimed."""
    job = deployment.submit(order())
    name = picture_name(job.id, job.id, 0, "image/png")
    deployment.blobs.put(name, b"picture")
    picture = NewPicture(uuid4(), 0, name, "image/png", 64, 64, 1, request().to_json())
    lanes = lanes_of(deployment.policy).every
    with deployment.database.begin() as connection:
        lease = leases.lease(connection, "somebody", lanes, ["blank"], 100)
        assert lease is not None
        assert transitions.mark_rendered(
            connection, [Finished(lease, [picture], uuid4(), claim_seconds=0.0)]
        )[0]
    return job.id


def test_failed_delivery_is_retried(
    deployment: Deployment, start_dispatcher: Callable[[Publisher], DeliveryDispatcher]
) -> None:
    publisher = ScriptedPublisher(fail(TryLater("rate limited", 0.1)), fail(OSError("reset")), post)
    job = rendered(deployment)
    start_dispatcher(publisher)
    ended = deployment.wait_state(job, JobState.DONE)
    assert len(publisher.deliveries) == 3
    assert [attachment.data for attachment in publisher.deliveries[-1].attachments] == [b"picture"]
    assert ended.pictures[0].job == job
    deployment.assert_consistent()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Undeliverable("message-gone", "The message was deleted."), "message-gone"),
        (EncodingFailed("16384 × 256 pixels cannot be written as WEBP"), "imaging-failed"),
    ],
)
def test_undeliverable_job_is_not_charged(
    deployment: Deployment,
    start_dispatcher: Callable[[Publisher], DeliveryDispatcher],
    error: Exception,
    code: str,
) -> None:
    publisher = ScriptedPublisher(fail(error))
    job = rendered(deployment)
    start_dispatcher(publisher)
    ended = deployment.wait_state(job, JobState.FAILED)
    assert ended.reason is not None
    assert ended.reason.code == code
    assert len(publisher.deliveries) == 1
    deployment.assert_consistent()


def test_remembered_values_are_available_on_retry(
    deployment: Deployment, start_dispatcher: Callable[[Publisher], DeliveryDispatcher]
) -> None:
    async def upload_then_fail(delivery: Delivery) -> None:
        await delivery.remember({"file": "F1"})
        raise TryLater("the second call failed", 0.1)

    publisher = ScriptedPublisher(upload_then_fail, post)
    job = rendered(deployment)
    start_dispatcher(publisher)
    deployment.wait_state(job, JobState.DONE)
    assert publisher.deliveries[0].memory == {"file": "F1"}
    assert publisher.deliveries[1].memory == {"file": "F1"}
    stored = deployment.database.run(lambda connection: deliveries.memory(connection, job))
    assert stored == {"file": "F1"}


def test_expired_claim_cannot_remember(
    deployment: Deployment, start_dispatcher: Callable[[Publisher], DeliveryDispatcher]
) -> None:
    """A slow publisher's claim expires, so what it remembers is not stored."""
    refused: list[BaseException] = []

    async def lose_the_claim(delivery: Delivery) -> None:
        taken = await asyncio.to_thread(steal)
        assert [claim.job for claim in taken] == [delivery.job.id]
        try:
            await delivery.remember({"file": "F1"})
        except TryLater as error:
            refused.append(error)
            raise

    def steal() -> list[deliveries.Claim]:
        def work(connection: Any) -> list[deliveries.Claim]:
            connection.exec_driver_sql("UPDATE deliveries SET owner_until = now() - interval '1s'")
            return deliveries.claim(connection, ["test"], 0.5, 10)

        return deployment.database.run(work)

    publisher = ScriptedPublisher(lose_the_claim, post)
    job = rendered(deployment)
    start_dispatcher(publisher)
    deployment.wait_state(job, JobState.DONE)
    assert len(refused) == 1
    assert len(publisher.deliveries) == 2
    deployment.assert_consistent()


def test_lost_pictures_fail_the_job_and_notify_the_member(
    deployment: Deployment, start_dispatcher: Callable[[Publisher], DeliveryDispatcher]
) -> None:
    publisher = ScriptedPublisher(post)
    job = rendered(deployment)
    deployment.blobs.delete(picture_name(job, job, 0, "image/png"))
    start_dispatcher(publisher)
    deployment.wait(lambda: bool(publisher.deliveries), "the member notified")
    ended = deployment.wait_state(job, JobState.FAILED)
    assert ended.reason is not None
    assert ended.reason.code == "pictures-lost"
    assert publisher.deliveries[0].job.reason == ended.reason
    assert publisher.deliveries[0].attachments == []
    deployment.assert_consistent()


def test_two_dispatchers_publish_each_job_once(
    deployment: Deployment, start_dispatcher: Callable[[Publisher], DeliveryDispatcher]
) -> None:
    one, two = ScriptedPublisher(post), ScriptedPublisher(post)
    jobs = [rendered(deployment) for _ in range(4)]
    start_dispatcher(one)
    start_dispatcher(two)
    for job in jobs:
        deployment.wait_state(job, JobState.DONE)
    posted = [delivery.job.id for delivery in [*one.deliveries, *two.deliveries]]
    assert sorted(posted) == sorted(jobs)


def lock_waiters(deployment: Deployment) -> int:
    """How many connections wait for an advisory lock."""
    waiting = text(
        "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database "
        "WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted"
    )
    return int(deployment.database.run(lambda it: it.execute(waiting).scalar_one()))


async def test_first_progress_waits_for_the_message_lock(
    deployment: Deployment, start_dispatcher: Callable[[Publisher], DeliveryDispatcher]
) -> None:
    client = deployment.client()
    publisher = ScriptedPublisher(post)
    dispatcher = start_dispatcher(publisher)
    waiting = deployment.submit(order())
    async with client.jobs.edit_fence(waiting.id) as held:
        assert held is not None
        assert held.line is not None
        dispatcher.show_progress(waiting, Progress(Stage.STEPS, 1, 4))
        waits = "the update waits for the lock"
        await asyncio.to_thread(deployment.wait, lambda: lock_waiters(deployment) == 1, waits)
        assert publisher.updates == []
    await asyncio.to_thread(deployment.wait, lambda: len(publisher.updates) == 1, "progress shown")
    await client.close()


async def test_edit_fence_is_refused_once_a_job_has_started(deployment: Deployment) -> None:
    client = deployment.client()
    job = rendered(deployment)
    async with client.jobs.edit_fence(job) as held:
        assert held is None
    async with client.jobs.edit_fence(uuid4()) as unknown:
        assert unknown is None
    await client.close()
