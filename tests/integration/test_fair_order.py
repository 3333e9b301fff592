"""The fair order as Postgres keeps it: the same as in memory, and every place the true one."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, text

from tasks.admission.service import AdmissionService
from tasks.jobs.job import Order, Reason
from tasks.jobs.states import JobState
from tasks.jobs.tiers import Tier
from tasks.maintenance.periodic import PeriodicTasks
from tasks.queue.fairness import RELAXED, RELAXED_WEIGHT, Entry, FairQueue
from tasks.queue.position import PAGE
from tasks.store import flows, job_insert, leases, queue_position, transitions
from tasks.store.transitions import Finished, Lease
from tests.integration.stack import Deployment, member, order, request

LANES = ["pro", "team", "plus", "free", RELAXED]
WEIGHTS = {"free": 1.0, "plus": 4.0, "team": 6.0, "pro": 8.0, RELAXED: RELAXED_WEIGHT}


def enter(connection: Connection, lane: str, flow: str, cost: float, at_once: int = 1) -> UUID:
    tier = Tier.PRO if lane == RELAXED else Tier(lane)
    wish: Order = order(member(flow), request=request(profile="blank"))
    new = job_insert.NewJob(uuid4(), wish, tier, lane, at_once, 1.0, cost, lane == RELAXED, None)
    return job_insert.enter(connection, [new])[0].id


def take(connection: Connection) -> Lease | None:
    return leases.lease(connection, "somebody", LANES, ["blank"], 100)


def true_place(connection: Connection, job: UUID) -> int:
    query = """
        SELECT count(*) FROM jobs AS other, jobs AS mine WHERE mine.id = :job
            AND other.state = 'queued' AND other.lane = mine.lane
            AND (other.start_tag, other.created_at) < (mine.start_tag, mine.created_at)
    """
    return connection.scalar(text(query), {"job": job}) or 0


class Twins:
    """The same calls to the queue in memory and to the one in Postgres."""

    def __init__(self, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in (
            job_insert,
            leases,
        ):  # the two clocks differ by milliseconds, so let age count not
            monkeypatch.setattr(module, "AGEING", 0.0)
        self.connection = connection
        self.memory: FairQueue[UUID] = FairQueue(WEIGHTS, ageing=0.0)
        self.entries: dict[UUID, Entry] = {}
        self.running: list[Lease] = []

    def push(self, lane: str, flow: str, cost: float) -> None:
        job = enter(self.connection, lane, flow, cost, at_once=2)
        key = member(flow).key
        self.entries[job] = self.memory.push(lane, key, cost, 0.0, job, at_once=2)

    def pop(self) -> None:
        expected = self.memory.pop(0.0)
        got = take(self.connection)
        assert (got and got.job.id) == (expected and expected.item)
        if got:
            self.running.append(got)

    def settle(self, true_cost: float) -> None:
        if self.running:
            lease = self.running.pop(0)
            assert transitions.mark_rendered(
                self.connection, [Finished(lease, [], uuid4(), 10.0, true_cost)]
            )[0]
            flows.apply_corrections(self.connection)
            self.memory.settle(self.entries[lease.job.id], true_cost)

    def cancel(self, number: int) -> None:
        waiting = [job for job, one in self.entries.items() if self._waits(job, one)]
        if waiting:
            job = waiting[number % len(waiting)]
            gone = transitions.end(
                self.connection, job, [JobState.QUEUED], JobState.CANCELLED, Reason("cancelled")
            )
            assert gone
            self.memory.cancel(self.entries.pop(job))

    def put_back(self) -> None:
        if self.running:
            lease = self.running.pop()
            transitions.requeue_leased(self.connection, lease, 99)
            flows.apply_corrections(self.connection)
            self.memory.put_back(self.entries[lease.job.id])

    def _waits(self, job: UUID, one: Entry) -> bool:
        state = self.connection.scalar(text("SELECT state FROM jobs WHERE id = :job"), {"job": job})
        return state == "queued" and not one.gone


@pytest.mark.parametrize("seed", range(4))
def test_postgres_serves_in_the_order_of_the_in_memory_queue(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    with deployment.database.begin() as connection:
        twins = Twins(connection, monkeypatch)
        for _ in range(150):
            what = chance.random()
            if what < 0.45:
                cost = chance.choice([1.0, 2.5, 4.0, 7.25])
                twins.push(chance.choice(LANES), f"m{chance.randrange(4)}", cost)
            elif what < 0.70:
                twins.pop()
            elif what < 0.88:
                twins.settle(chance.choice([0.5, 2.5, 9.0]))
            elif what < 0.95:
                twins.cancel(chance.randrange(99))
            else:
                twins.put_back()
        while twins.memory.waiting or twins.running:
            twins.settle(1.5)
            twins.pop()
    deployment.assert_consistent()


@pytest.fixture
def periodic_tasks(deployment: Deployment) -> PeriodicTasks:
    return PeriodicTasks(deployment.database, deployment.policy)


def test_queue_positions_are_exact_with_and_without_folding(
    deployment: Deployment, periodic_tasks: PeriodicTasks
) -> None:
    chance = random.Random(7)
    jobs: list[UUID] = []
    for _ in range(6):
        with deployment.database.begin() as connection:
            for _ in range(PAGE):
                cost = chance.uniform(0.5, 5.0)
                flow = f"m{chance.randrange(300)}"
                jobs.append(enter(connection, chance.choice(["free", "plus"]), flow, cost))
            for _ in range(20):
                take(connection)
            check_places(connection, chance.sample(jobs, 12))
        periodic_tasks.fold()
        with deployment.database.begin() as connection:
            check_places(connection, chance.sample(jobs, 12))
    with deployment.database.begin() as connection:
        pages = connection.scalar(text("SELECT cardinality(lows) FROM lines WHERE lane = 'free'"))
        assert pages is not None
        assert pages >= 2
        assert connection.scalar(text("SELECT count(*) FROM line_changes")) == 0
        connection.execute(text("UPDATE jobs SET state = 'cancelled' WHERE state = 'queued'"))
    periodic_tasks.fold()
    with deployment.database.begin() as connection:
        assert all(one.jobs == 0 for one in queue_position.lanes(connection))
        assert connection.scalar(text("SELECT max(cardinality(lows)) FROM lines")) == 1


def check_places(connection: Connection, jobs: list[UUID]) -> None:
    for job in jobs:
        before = queue_position.ahead(connection, [job]).get(job)
        if before is not None:
            assert before.jobs == true_place(connection, job)
    totals: dict[str, int] = dict(
        row._tuple()
        for row in connection.execute(
            text("SELECT lane, count(*) FROM jobs WHERE state = 'queued' GROUP BY lane")
        ).all()
    )
    assert {one.lane: one.jobs for one in queue_position.lanes(connection) if one.jobs} == totals


def test_concurrent_folding_counts_each_job_once(
    deployment: Deployment, periodic_tasks: PeriodicTasks
) -> None:
    """A transaction that began before a fold and ends after it is neither lost nor doubled."""

    def work(number: int) -> None:
        chance = random.Random(number)
        for _ in range(25):
            with deployment.database.begin() as connection:
                enter(connection, "free", f"m{number}-{chance.randrange(50)}", 1.0)
                if chance.random() < 0.3:
                    take(connection)

    with deployment.database.begin() as slow:
        enter(slow, "free", "slow", 1.0)
        with ThreadPoolExecutor(4) as pool:
            waiting = [pool.submit(work, number) for number in range(4)]
            while not all(one.done() for one in waiting):
                periodic_tasks.fold()
        for one in waiting:
            one.result()
        periodic_tasks.fold()
    with deployment.database.begin() as connection:
        check_places(connection, [])
    periodic_tasks.fold()
    with deployment.database.begin() as connection:
        check_places(connection, [])
        assert connection.scalar(text("SELECT count(*) FROM line_changes")) == 0


def test_concurrent_workers_never_lease_the_same_job(deployment: Deployment) -> None:
    with deployment.database.begin() as connection:
        for number in range(60):
            enter(connection, LANES[number % 4], f"m{number}", 1.0)

    def work(_: int) -> list[UUID]:
        taken = []
        while lease := deployment.database.run(take):
            taken.append(lease.job.id)
        return taken

    with ThreadPoolExecutor(6) as pool:
        taken = [job for part in pool.map(work, range(6)) for job in part]
    assert len(taken) == len(set(taken)) == 60


def test_learnt_costs_apply_to_the_next_order(
    deployment: Deployment, periodic_tasks: PeriodicTasks
) -> None:
    first = deployment.submit(order(member("a")))
    with deployment.database.begin() as connection:
        lease = take(connection)
        assert lease is not None
    with deployment.database.begin() as connection:
        assert transitions.mark_rendered(connection, [Finished(lease, [], uuid4(), 10.0, 3.5)])[0]
    periodic_tasks.fold()
    periodic_tasks.adjust()
    deployment.admission = AdmissionService(
        deployment.database, deployment.policy
    )  # which takes a new look
    later = deployment.submit(order(member("b")))
    with deployment.database.begin() as connection:
        rows = connection.execute(text("SELECT id, cost_seconds FROM jobs"))
        seconds: dict[UUID, float] = dict(row._tuple() for row in rows)
    assert seconds[later.id] == pytest.approx(3.5)
    assert seconds[first.id] != seconds[later.id]
