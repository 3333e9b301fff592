"""Posting: tried again, given up where it never will be, and never doubled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from imaging.request import Progress, Stage
from tasks.blobs import picture_name
from tasks.bus import Bus
from tasks.deliver import Courier, CourierDesk, Parcel, Receipt, TryLater, Undeliverable
from tasks.job import Job, JobState
from tasks.postroom import Postroom
from tasks.servers import seal_of
from tasks.store import deliveries, leases, transitions
from tasks.store.transitions import Finished, NewPicture
from tasks.worker import Desk, lanes_of
from tests.integration.house import House, order, request

Deliver = Callable[[Parcel], Any]


class ScriptedCourier:
    """Does, try after try, what a test has written down; the last line is repeated."""

    platform = "test"

    def __init__(self, *script: Deliver) -> None:
        self.script = list(script)
        self.parcels: list[Parcel] = []
        self.told: list[Progress] = []

    async def progress(self, job: Job, progress: Progress) -> None:
        self.told.append(progress)

    async def deliver(self, parcel: Parcel) -> Receipt:
        self.parcels.append(parcel)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        outcome = step(parcel)
        if asyncio.iscoroutine(outcome):
            await outcome
        return Receipt(f"message-{len(self.parcels)}")

    async def close(self) -> None:
        pass


def fail(error: Exception) -> Deliver:
    """A try that ends with this error."""

    def step(_parcel: Parcel) -> None:
        raise error

    return step


def post(_parcel: Parcel) -> None:
    """A try that goes well."""


@pytest.fixture
def open_postroom(house: House) -> Iterator[Callable[[Courier], Postroom]]:
    """Opens a postroom with one courier; closed at the end."""
    opened: list[Postroom] = []
    bus = Bus(house.redis_url)

    def open_one(courier: Courier) -> Postroom:
        def connect(_desk: CourierDesk) -> Courier:
            return courier

        desk = Desk(house.settings, house.database, bus, seal_of(house.settings))
        opened.append(Postroom(house.database, house.blobs, bus, desk, {"test": connect}))
        opened[-1].start()
        return opened[-1]

    yield open_one
    for postroom in opened:
        postroom.stop(5.0)
    bus.close()


def rendered(house: House) -> UUID:
    """A job whose picture is stored and whose delivery nobody has taken yet."""
    job = house.submit(order())
    name = picture_name(job.id, job.id, 0, "image/png")
    house.blobs.put(name, b"picture")
    made = NewPicture(uuid4(), 0, name, "image/png", 64, 64, 1, request().to_json())
    lanes = lanes_of(house.policy).every
    with house.database.begin() as connection:
        lease = leases.lease(connection, "somebody", lanes, ["blank"], 100)
        assert lease is not None
        assert transitions.rendered(connection, [Finished(lease, [made], uuid4(), hold=0.0)])[0]
    return job.id


def test_a_platform_that_is_away_is_tried_again(
    house: House, open_postroom: Callable[[Courier], Postroom]
) -> None:
    courier = ScriptedCourier(fail(TryLater("rate limited", 0.1)), fail(OSError("reset")), post)
    job = rendered(house)
    open_postroom(courier)
    ended = house.wait_state(job, JobState.DONE)
    assert len(courier.parcels) == 3
    assert [enclosure.data for enclosure in courier.parcels[-1].enclosures] == [b"picture"]
    assert ended.pictures[0].job == job
    house.check_sums()


def test_what_can_never_be_posted_is_not_charged(
    house: House, open_postroom: Callable[[Courier], Postroom]
) -> None:
    courier = ScriptedCourier(fail(Undeliverable("message-gone", "The message was deleted.")))
    job = rendered(house)
    open_postroom(courier)
    ended = house.wait_state(job, JobState.FAILED)
    assert ended.reason is not None
    assert ended.reason.code == "message-gone"
    assert len(courier.parcels) == 1
    house.check_sums()


def test_what_a_courier_remembers_is_there_at_the_next_try(
    house: House, open_postroom: Callable[[Courier], Postroom]
) -> None:
    async def upload_then_fail(parcel: Parcel) -> None:
        await parcel.remember({"file": "F1"})
        raise TryLater("the second call failed", 0.1)

    courier = ScriptedCourier(upload_then_fail, post)
    job = rendered(house)
    open_postroom(courier)
    house.wait_state(job, JobState.DONE)
    assert courier.parcels[0].memory == {"file": "F1"}
    assert courier.parcels[1].memory == {"file": "F1"}
    stored = house.database.run(lambda connection: deliveries.memory(connection, job))
    assert stored == {"file": "F1"}


def test_a_posting_that_another_took_over_is_left_to_it(
    house: House, open_postroom: Callable[[Courier], Postroom]
) -> None:
    """The slow courier's claim runs out, so what it wants to remember is not written."""
    refused: list[BaseException] = []

    async def lose_the_claim(parcel: Parcel) -> None:
        taken = await asyncio.to_thread(steal)
        assert [claim.job for claim in taken] == [parcel.job.id]
        try:
            await parcel.remember({"file": "F1"})
        except TryLater as error:
            refused.append(error)
            raise

    def steal() -> list[deliveries.Claim]:
        def work(connection: Any) -> list[deliveries.Claim]:
            connection.exec_driver_sql("UPDATE deliveries SET owner_until = now() - interval '1s'")
            return deliveries.claim(connection, ["test"], 0.5, 10)

        return house.database.run(work)

    courier = ScriptedCourier(lose_the_claim, post)
    job = rendered(house)
    open_postroom(courier)
    house.wait_state(job, JobState.DONE)
    assert len(refused) == 1
    assert len(courier.parcels) == 2
    house.check_sums()


def test_pictures_that_are_gone_fail_the_job_and_the_member_is_told(
    house: House, open_postroom: Callable[[Courier], Postroom]
) -> None:
    courier = ScriptedCourier(post)
    job = rendered(house)
    house.blobs.delete(picture_name(job, job, 0, "image/png"))
    open_postroom(courier)
    house.wait(lambda: bool(courier.parcels), "the member told")
    ended = house.wait_state(job, JobState.FAILED)
    assert ended.reason is not None
    assert ended.reason.code == "pictures-lost"
    assert courier.parcels[0].job.reason == ended.reason
    assert courier.parcels[0].enclosures == []
    house.check_sums()


def test_two_postrooms_post_once(
    house: House, open_postroom: Callable[[Courier], Postroom]
) -> None:
    one, two = ScriptedCourier(post), ScriptedCourier(post)
    jobs = [rendered(house) for _ in range(4)]
    open_postroom(one)
    open_postroom(two)
    for job in jobs:
        house.wait_state(job, JobState.DONE)
    posted = [parcel.job.id for parcel in [*one.parcels, *two.parcels]]
    assert sorted(posted) == sorted(jobs)


async def test_the_couriers_first_edit_waits_for_the_bots_own(
    house: House, open_postroom: Callable[[Courier], Postroom]
) -> None:
    client = house.client()
    courier = ScriptedCourier(post)
    postroom = open_postroom(courier)
    waiting = house.submit(order())
    async with client.edit_fence(waiting.id) as held:
        assert held is not None
        assert held.line is not None
        postroom.tell(waiting, Progress(Stage.STEPS, 1, 4))
        await asyncio.sleep(0.5)
        assert courier.told == []
    await asyncio.to_thread(house.wait, lambda: len(courier.told) == 1, "progress told")
    await client.close()


async def test_the_fence_tells_when_a_job_has_begun(house: House) -> None:
    client = house.client()
    job = rendered(house)
    async with client.edit_fence(job) as held:
        assert held is None
    async with client.edit_fence(uuid4()) as unknown:
        assert unknown is None
    await client.close()
