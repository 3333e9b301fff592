"""Deletion that is true: jobs that run meanwhile, messages, uploads, reports and whole servers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Event
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from imaging.request import ImageRequest
from tasks.delivery import removal
from tasks.delivery.dispatcher import DeliveryDispatcher
from tasks.delivery.publisher import (
    Delivery,
    DeliveryResult,
    PublisherContext,
    TryLater,
    Undeliverable,
)
from tasks.jobs.job import Job, Reason
from tasks.jobs.members import Member, Place
from tasks.jobs.states import JobState
from tasks.maintenance.erasure_sweep import ErasureSweep
from tasks.maintenance.orphan_check import OrphanCheck, OrphanPolicy
from tasks.runtime.addresses import cipher_of
from tasks.runtime.blobs import Blobs, BlobStoreUnavailable, picture_name
from tasks.runtime.events import Bus
from tasks.store import deliveries, erasure, leases, storage_pairing, transitions
from tasks.store.removals import Removal
from tasks.store.transitions import Finished, Lease, NewPicture, Posted
from tasks.worker.process import WorkerPublisherContext, lanes_of
from tests.exports import exported
from tests.integration.stack import PLACE, Deployment, member, order, request

SECRET = "my secret wish"
TABLES = (
    "jobs", "pictures", "members", "deliveries", "sources", "reports", "attempts", "waitlist",
    "cost_samples", "estimates",
)  # fmt: skip


def submit(deployment: Deployment, who: Member, **changes: Any) -> Job:
    """A job with a placeholder, whose prompt and member's name are to be erased."""
    asked = request(prompt=SECRET, **changes)
    job = deployment.submit(
        order(Member("test", "server", who.id, name="Ada Secret"), request=asked)
    )
    with deployment.database.begin() as connection:
        values = {"job": job.id, "placeholder": json.dumps({"ts": str(job.id)})}
        connection.execute(
            text("UPDATE jobs SET placeholder = CAST(:placeholder AS jsonb) WHERE id = :job"),
            values,
        )
    return job


def lease(deployment: Deployment) -> Lease:
    """The next job."""
    with deployment.database.begin() as connection:
        lanes = lanes_of(deployment.policy).every
        taken = leases.lease(connection, "worker", lanes, ["blank"], 100)
    assert taken is not None
    return taken


def render(deployment: Deployment, leased: Lease) -> UUID | None:
    """Store a picture and settle; the claim of the delivery, None where it was refused."""
    job, token = leased.job, uuid4()
    name = picture_name(job.id, leased.token, 0, "image/png")
    deployment.blobs.put(name, b"picture")
    made = job.order.request.to_json()
    picture = NewPicture(uuid4(), 0, name, "image/png", 64, 64, 1, made)
    with deployment.database.begin() as connection:
        done = transitions.mark_rendered(connection, [Finished(leased, [picture], token, 100, 1.0)])
    return token if done[0] else None


def deliver(deployment: Deployment, job: UUID, token: UUID) -> None:
    """Record the delivery of a rendered job."""
    with deployment.database.begin() as connection:
        assert transitions.mark_delivered(connection, [Posted(job, token, f"message-{job}")]) == [
            True
        ]


def delivered(deployment: Deployment, who: Member, **changes: Any) -> Job:
    """A finished job with its picture and its message."""
    job = submit(deployment, who, **changes)
    token = render(deployment, lease(deployment))
    assert token is not None
    deliver(deployment, job.id, token)
    return deployment.job(job.id)


def erase(deployment: Deployment, who: Member) -> int:
    """`/privacy delete`."""

    async def forget() -> int:
        client = deployment.client()
        try:
            return await client.members.forget(who)
        finally:
            await client.close()

    return asyncio.run(forget())


def sweep(deployment: Deployment, grace: timedelta = timedelta(days=30)) -> None:
    """One erasure sweep of the clock process."""
    ErasureSweep(deployment.database, deployment.blobs, grace).sweep()


def traces(deployment: Deployment, *secrets: str) -> list[str]:
    """Tables that still have one of the secrets."""
    found = []
    with deployment.database.begin() as connection:
        for table in TABLES:
            rows = str(connection.execute(text(f"SELECT * FROM {table}")).all())
            found += [table for secret in secrets if secret in rows]
    return found


def stored(deployment: Deployment) -> list[str]:
    """The files in the blob store, without its marker."""
    folder = deployment.home / "blobs"
    files = (str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    return sorted(file for file in files if file != "installation.json")


def test_running_and_delivering_jobs_leave_nothing_behind(deployment: Deployment) -> None:
    ada = member("ada")
    done = delivered(deployment, ada)
    for _ in range(4):
        submit(deployment, ada)
    rendering, dying, delivering = lease(deployment), lease(deployment), lease(deployment)
    token = render(deployment, delivering)
    assert token is not None
    with deployment.database.begin() as connection:
        connection.execute(
            text("INSERT INTO reports (job, by_member, words) VALUES (:job, 'bo', :words)"),
            {"job": done.id, "words": f"shows {SECRET}"},
        )
    assert erase(deployment, ada) == 1
    # The worker that renders learns of it when it settles, or from its heartbeat.
    with deployment.database.begin() as connection:
        wishes = leases.renew(connection, [rendering, dying], 100)
    assert {reason.code for reason in wishes.values() if reason} == {"cancelled"}
    assert render(deployment, rendering) is None
    with deployment.database.begin() as connection:
        assert not transitions.requeue_leased(connection, rendering, 99)
        ended = transitions.end_leased
        assert ended(connection, rendering, JobState.CANCELLED, Reason("cancelled"))
        assert transitions.requeue_owned(connection, "worker", 99) == []  # the dying one
        assert transitions.end_attempt(connection, dying.job.id, 1, Reason("cancelled"))
    deliver(deployment, delivering.job.id, token)
    sweep(deployment)
    assert traces(deployment, SECRET, "Ada Secret", str(done.id) + "'}") == []
    remaining = [name for name in stored(deployment) if str(rendering.job.id) not in name]
    assert remaining == []  # the worker itself deletes what it could not settle
    with deployment.database.begin() as connection:
        queued = set(connection.scalars(text("SELECT job FROM removals")))
        marked = connection.scalar(text("SELECT count(*) FROM jobs WHERE erased_at IS NOT NULL"))
    assert {done.id, delivering.job.id} <= queued
    assert marked == 0
    deployment.assert_consistent()


def test_worker_process_stops_erased_jobs(deployment: Deployment) -> None:
    deployment.start_clock()
    deployment.start_worker(0.2)
    jobs = [submit(deployment, member("ada"), steps=200) for _ in range(3)]
    deployment.wait_state(jobs[0].id, JobState.RUNNING)
    erase(deployment, member("ada"))
    deployment.wait(
        lambda: all(deployment.job(job.id).state.ended for job in jobs), "the jobs ended"
    )
    deployment.wait(lambda: traces(deployment, SECRET, "Ada Secret") == [], "no trace is left")
    assert stored(deployment) == []
    deployment.assert_consistent()


def test_upload_belongs_to_who_sent_it(deployment: Deployment) -> None:
    ada, bo = member("ada"), member("bo")

    async def upload_and_export() -> tuple[str, str, list[str]]:
        client = deployment.client()
        hers = await client.pictures.store_source(b"ada's original", ada)
        both = await client.pictures.store_source(b"the same file", ada)
        assert await client.pictures.store_source(b"the same file", bo) == both
        delivered(deployment, ada, sources=(hers,), operation="vary")
        delivered(deployment, bo, sources=(hers, both), operation="vary")  # "Again"
        names = list(await exported(client, bo))
        await client.close()
        return hers, both, names

    hers, both, names = asyncio.run(upload_and_export())
    assert hers not in names
    assert both in names
    erase(deployment, ada)
    assert not deployment.blobs.exists(hers)
    assert deployment.blobs.exists(both)
    with deployment.database.begin() as connection:
        rows = connection.execute(
            text("SELECT request FROM jobs WHERE member_key = :key"), {"key": bo.key}
        )
        kept = [ImageRequest.from_json(row.request) for row in rows]
        assert (
            connection.scalar(
                text("SELECT count(*) FROM pictures WHERE CAST(request AS text) LIKE :name"),
                {"name": f"%{hers}%"},
            )
            == 0
        )
    assert [(one.prompt, one.sources) for one in kept] == [(SECRET, (both,))]


def test_unreachable_blob_store_only_delays_the_deletion(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage_pairing.check(deployment.database, deployment.blobs)
    job = delivered(deployment, member("ada"))
    with monkeypatch.context() as patched:
        patched.setattr(Blobs, "delete", _unavailable)
        assert erase(deployment, member("ada")) == 1
    blob = job.pictures[0].blob
    assert deployment.blobs.exists(blob)
    OrphanCheck(
        deployment.database, deployment.blobs, OrphanPolicy(interval=timedelta(0), page_seconds=0.0)
    ).check(Event())
    assert not deployment.blobs.exists(blob)


def _unavailable(_blobs: Blobs, name: str) -> None:
    raise BlobStoreUnavailable(name)


class RemovingPublisher:
    """Follows a script of errors, then deletes; records what it was asked to delete."""

    platform = "test"

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.removed: list[Removal] = []

    async def progress(self, job: Job, progress: object) -> float:
        return 0.0

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        return DeliveryResult("message")

    async def remove(self, removal: Removal) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.removed.append(removal)

    async def close(self) -> None:
        pass


@pytest.fixture
def start_dispatcher(deployment: Deployment) -> Iterator[Callable[[RemovingPublisher], None]]:
    """Starts a dispatcher with one publisher; stopped at the end."""
    started: list[DeliveryDispatcher] = []
    bus = Bus(deployment.redis_url)

    def start(publisher: RemovingPublisher) -> None:
        def connect(_context: PublisherContext) -> RemovingPublisher:
            return publisher

        settings, database = deployment.settings, deployment.database
        context = WorkerPublisherContext(settings, database, bus, cipher_of(settings))
        started.append(
            DeliveryDispatcher(database, deployment.blobs, bus, context, {"test": connect})
        )
        started[-1].start()

    yield start
    for dispatcher in started:
        dispatcher.stop(5.0)
    bus.close()


def removal_states(deployment: Deployment) -> list[str]:
    """The states of all removals."""
    with deployment.database.begin() as connection:
        return list(connection.scalars(text("SELECT state FROM removals ORDER BY state")))


def test_messages_are_removed_from_the_platform_with_retries(
    deployment: Deployment, start_dispatcher: Callable[[RemovingPublisher], None]
) -> None:
    job = delivered(deployment, member("ada"))
    with deployment.database.begin() as connection:
        connection.execute(text("""UPDATE deliveries SET memory = '{"file0": "F1"}'"""))
    erase(deployment, member("ada"))
    publisher = RemovingPublisher(TryLater("rate limited", 0.1), OSError("reset"))
    start_dispatcher(publisher)
    deployment.wait(lambda: removal_states(deployment) == ["done"], "the message removed")
    [removal] = publisher.removed
    assert (removal.job, removal.place) == (job.id, PLACE)
    assert (removal.message, removal.placeholder) == (f"message-{job.id}", {"ts": str(job.id)})
    assert removal.memory == {"file0": "F1"}
    with deployment.database.begin() as connection:
        row = connection.execute(text("SELECT * FROM removals")).one()
    assert "F1" not in str(row)
    assert f"message-{job.id}" not in str(row)


def test_refused_removals_are_listed_for_the_member(
    deployment: Deployment, start_dispatcher: Callable[[RemovingPublisher], None]
) -> None:
    ada = member("ada")
    job = delivered(deployment, ada)
    erase(deployment, ada)
    start_dispatcher(RemovingPublisher(Undeliverable("no-permission", "may not")))
    deployment.wait(lambda: removal_states(deployment) == ["failed"], "the removal refused")

    async def look() -> tuple[list[tuple[UUID, Place, str | None, str | None]], str]:
        client = deployment.client()
        found = [
            (one.job, one.place, one.message, one.code)
            for one in await client.members.unremoved(ada)
        ]
        account = (await exported(client, ada))["account.json"].decode()
        await client.close()
        return found, account

    found, account = asyncio.run(look())
    assert found == [(job.id, PLACE, f"message-{job.id}", "no-permission")]
    [listed] = json.loads(account)["messages_not_removed"]
    assert (listed["message"], listed["error"]) == (f"message-{job.id}", "no-permission")


def test_deleted_picture_is_removed_everywhere(
    deployment: Deployment, start_dispatcher: Callable[[RemovingPublisher], None]
) -> None:
    ada = member("ada")
    job = delivered(deployment, ada)

    async def delete() -> str:
        client = deployment.client()
        code = (await client.pictures.delete(job.id, ada)).code
        await client.close()
        return code

    assert asyncio.run(delete()) == "deleted"
    assert stored(deployment) == []
    publisher = RemovingPublisher()
    start_dispatcher(publisher)
    deployment.wait(lambda: removal_states(deployment) == ["done"], "the message removed")
    assert [removal.job for removal in publisher.removed] == [job.id]


def test_departed_server_is_erased_after_the_grace_period(deployment: Deployment) -> None:
    job = delivered(deployment, member("ada"))
    with deployment.database.begin() as connection:
        erasure.record_departure(connection, "test", "server")
    sweep(deployment)
    assert deployment.blobs.exists(job.pictures[0].blob)
    with deployment.database.begin() as connection:
        erasure.record_return(connection, "test", "server")
    sweep(deployment, grace=timedelta(0))
    assert deployment.blobs.exists(job.pictures[0].blob)
    with deployment.database.begin() as connection:
        erasure.record_departure(connection, "test", "server")
    sweep(deployment, grace=timedelta(0))
    assert stored(deployment) == []
    assert traces(deployment, SECRET, "Ada Secret") == []
    with deployment.database.begin() as connection:
        for table in ("members", "departures", "removals"):
            assert connection.scalar(text(f"SELECT count(*) FROM {table}")) == 0
    deployment.assert_consistent()


def test_server_that_orders_again_is_not_erased(deployment: Deployment) -> None:
    with deployment.database.begin() as connection:
        erasure.record_departure(connection, "test", "server")
    job = delivered(deployment, member("ada"))
    sweep(deployment, grace=timedelta(0))
    assert deployment.blobs.exists(job.pictures[0].blob)


def test_another_server_is_not_erased(deployment: Deployment) -> None:
    job = delivered(deployment, member("ada"))
    with deployment.database.begin() as connection:
        erasure.record_departure(connection, "test", "another server")
        assert deliveries.memory(connection, job.id) == {}
    sweep(deployment, grace=timedelta(0))
    assert deployment.blobs.exists(job.pictures[0].blob)


class HangingPublisher(RemovingPublisher):
    """Never answers its first removal."""

    async def remove(self, removal: Removal) -> None:
        if not self.errors:
            self.errors.append(OSError("the next one"))
            await asyncio.Event().wait()
        self.removed.append(removal)


def test_removal_that_hangs_is_tried_again(
    deployment: Deployment,
    start_dispatcher: Callable[[RemovingPublisher], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(removal, "REMOVE_SECONDS", 0.1)
    job = delivered(deployment, member("ada"))
    erase(deployment, member("ada"))
    publisher = HangingPublisher()
    start_dispatcher(publisher)
    deployment.wait(lambda: removal_states(deployment) == ["done"], "the message removed")
    assert [one.job for one in publisher.removed] == [job.id]
