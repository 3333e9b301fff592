"""A worker holds more jobs while a backlog lasts, and takes none that an idle worker could take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Event, Thread
from uuid import uuid4

import pytest

from tasks.queue.load import HEADROOM
from tasks.store import workers
from tasks.store.transitions import Lease
from tasks.store.workers import WorkerCard
from tasks.worker.config import WorkerConfig
from tasks.worker.lease_loop import BACKLOG_POLLS, LeaseLoop
from tasks.worker.process import lanes_of
from tasks.worker.slots import Slots
from tests.integration.stack import PATIENCE, Deployment, member, order

ORDINARY = 2
BATCH = 5


class Worker:
    """A lease loop whose jobs run until `finish`."""

    def __init__(self, deployment: Deployment, name: str, batch: int = BATCH) -> None:
        config = WorkerConfig(name, lanes_of(deployment.policy), attempts=3)
        self.finish = Event()
        self.running = 0
        self.slots = Slots(ORDINARY + HEADROOM, HEADROOM, growth=8)
        self.loop = LeaseLoop(
            deployment.database, config, self.slots, lambda: ["blank"], self._run, lambda: batch
        )

    def _run(self, _: Lease) -> None:
        self.running += 1
        assert self.finish.wait(PATIENCE)

    def poll(self, holds: int) -> None:
        """Do what the worker's watch does; it then holds so many jobs."""
        before = self.slots.taken
        if jobs := self.loop.jobs_to_take():
            thread = Thread(target=self.loop.serve, args=(jobs,), daemon=True)
            thread.start()
            if holds == before:
                thread.join(PATIENCE)  # it finds nothing for its slots
        deadline = time.monotonic() + PATIENCE
        while (self.running, self.slots.taken) != (holds, holds):
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.fixture
def busy(deployment: Deployment) -> Iterator[Worker]:
    worker = Worker(deployment, "busy")
    yield worker
    worker.loop.stop()
    worker.finish.set()


def submit(deployment: Deployment, count: int) -> None:
    for number in range(count):
        deployment.submit(order(member(f"member{number}")))


def test_slots_grow_to_the_useful_batch_while_a_backlog_lasts(
    deployment: Deployment, busy: Worker
) -> None:
    submit(deployment, 8)
    busy.poll(holds=ORDINARY)
    for _ in range(BACKLOG_POLLS - 2):
        busy.poll(holds=ORDINARY)
    busy.poll(holds=BATCH)
    busy.poll(holds=BATCH)


def test_work_that_an_idle_worker_takes_is_left_to_it(deployment: Deployment, busy: Worker) -> None:
    submit(deployment, 3)
    busy.poll(holds=ORDINARY)
    idle = Worker(deployment, "idle")
    idle.poll(holds=1)
    for _ in range(2 * BACKLOG_POLLS):
        busy.poll(holds=ORDINARY)
    assert busy.slots.size == ORDINARY + HEADROOM
    idle.loop.stop()
    idle.finish.set()


def test_worker_whose_requests_share_no_calls_does_not_grow(deployment: Deployment) -> None:
    alone = Worker(deployment, "alone", batch=1)
    submit(deployment, 5)
    for _ in range(2 * BACKLOG_POLLS):
        alone.poll(holds=ORDINARY)
    alone.loop.stop()
    alone.finish.set()


def test_idle_workers_are_the_live_ones_with_the_profile(deployment: Deployment) -> None:
    def idle(name: str, profile: str = "blank") -> bool:
        return deployment.database.run(lambda c: workers.any_other_idle(c, name, [profile]))

    def register(name: str, running: int) -> None:
        profiles = {"blank": {"steps": 4}}
        card = WorkerCard(name, uuid4(), "cpu", profiles, 4, running, {}, {})
        deployment.database.run(lambda connection: workers.register(connection, card))

    assert not idle("one")
    register("one", 0)
    register("two", 3)
    assert not idle("one")
    assert idle("two")
    assert not idle("two", "other")
    with deployment.database.begin() as connection:
        connection.exec_driver_sql("UPDATE workers SET seen_at = now() - interval '1 minute'")
    assert not idle("two")
