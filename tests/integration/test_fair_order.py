"""The fair order as Postgres keeps it: the same as in memory, and every place the true one."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, text

from tasks.fairness import RELAXED, RELAXED_WEIGHT, Entry, FairQueue
from tasks.job import JobState, Order, Reason
from tasks.line import PAGE
from tasks.steward import Steward
from tasks.store import entry, flows, leases, lines, transitions
from tasks.store.transitions import Finished, Lease
from tasks.submit import Reception
from tasks.tiers import Tier
from tests.integration.house import House, member, order, request

LANES = ["pro", "team", "plus", "free", RELAXED]
WEIGHTS = {"free": 1.0, "plus": 4.0, "team": 6.0, "pro": 8.0, RELAXED: RELAXED_WEIGHT}


def enter(connection: Connection, lane: str, flow: str, cost: float, at_once: int = 1) -> UUID:
    tier = Tier.PRO if lane == RELAXED else Tier(lane)
    wish: Order = order(member(flow), request=request(profile="blank"))
    new = entry.NewJob(uuid4(), wish, tier, lane, at_once, 1.0, cost, lane == RELAXED, None)
    return entry.enter(connection, [new])[0].id


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
            entry,
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
            assert transitions.rendered(
                self.connection, [Finished(lease, [], uuid4(), 10.0, true_cost)]
            )[0]
            flows.correct(self.connection)
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
            transitions.requeue(self.connection, attempts=99, outcome="lost", lease=lease)
            flows.correct(self.connection)
            self.memory.put_back(self.entries[lease.job.id])

    def _waits(self, job: UUID, one: Entry) -> bool:
        state = self.connection.scalar(text("SELECT state FROM jobs WHERE id = :job"), {"job": job})
        return state == "queued" and not one.gone


@pytest.mark.parametrize("seed", range(4))
def test_postgres_serves_in_the_very_order_of_the_queue_in_memory(
    house: House, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    with house.database.begin() as connection:
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
    house.check_sums()


@pytest.fixture
def steward(house: House) -> Steward:
    return Steward(house.database, house.policy)


def test_every_place_in_line_is_the_true_one_folded_or_not(house: House, steward: Steward) -> None:
    chance = random.Random(7)
    jobs: list[UUID] = []
    for _ in range(6):
        with house.database.begin() as connection:
            for _ in range(PAGE):
                cost = chance.uniform(0.5, 5.0)
                flow = f"m{chance.randrange(300)}"
                jobs.append(enter(connection, chance.choice(["free", "plus"]), flow, cost))
            for _ in range(20):
                take(connection)
            check_places(connection, chance.sample(jobs, 12))
        steward.fold()
        with house.database.begin() as connection:
            check_places(connection, chance.sample(jobs, 12))
    with house.database.begin() as connection:
        pages = connection.scalar(text("SELECT cardinality(lows) FROM lines WHERE lane = 'free'"))
        assert pages is not None
        assert pages >= 2
        assert connection.scalar(text("SELECT count(*) FROM line_changes")) == 0
        connection.execute(text("UPDATE jobs SET state = 'cancelled' WHERE state = 'queued'"))
    steward.fold()
    with house.database.begin() as connection:
        assert all(one.jobs == 0 for one in lines.lanes(connection))
        assert connection.scalar(text("SELECT max(cardinality(lows)) FROM lines")) == 1


def check_places(connection: Connection, jobs: list[UUID]) -> None:
    for job in jobs:
        before = lines.ahead(connection, [job]).get(job)
        if before is not None:
            assert before.jobs == true_place(connection, job)
    totals = dict(
        connection.execute(  # type: ignore[arg-type]
            text("SELECT lane, count(*) FROM jobs WHERE state = 'queued' GROUP BY lane")
        ).all()
    )
    assert {one.lane: one.jobs for one in lines.lanes(connection) if one.jobs} == totals


def test_folding_amid_other_transactions_counts_each_job_once(
    house: House, steward: Steward
) -> None:
    """A transaction that began before a fold and ends after it is neither lost nor doubled."""

    def work(number: int) -> None:
        chance = random.Random(number)
        for _ in range(25):
            with house.database.begin() as connection:
                enter(connection, "free", f"m{number}-{chance.randrange(50)}", 1.0)
                if chance.random() < 0.3:
                    take(connection)

    with house.database.begin() as slow:
        enter(slow, "free", "slow", 1.0)
        with ThreadPoolExecutor(4) as pool:
            waiting = [pool.submit(work, number) for number in range(4)]
            while not all(one.done() for one in waiting):
                steward.fold()
        for one in waiting:
            one.result()
        steward.fold()
    with house.database.begin() as connection:
        check_places(connection, [])
    steward.fold()
    with house.database.begin() as connection:
        check_places(connection, [])
        assert connection.scalar(text("SELECT count(*) FROM line_changes")) == 0


def test_many_workers_at_once_never_take_the_same_job(house: House) -> None:
    with house.database.begin() as connection:
        for number in range(60):
            enter(connection, LANES[number % 4], f"m{number}", 1.0)

    def work(_: int) -> list[UUID]:
        taken = []
        while lease := house.database.run(take):
            taken.append(lease.job.id)
        return taken

    with ThreadPoolExecutor(6) as pool:
        taken = [job for part in pool.map(work, range(6)) for job in part]
    assert len(taken) == len(set(taken)) == 60


def test_costs_are_learnt_and_the_next_order_is_charged_by_them(
    house: House, steward: Steward
) -> None:
    first = house.submit(order(member("a")))
    with house.database.begin() as connection:
        lease = take(connection)
        assert lease is not None
    with house.database.begin() as connection:
        assert transitions.rendered(connection, [Finished(lease, [], uuid4(), 10.0, 3.5)])[0]
    steward.fold()
    steward.look_after()
    house.reception = Reception(house.database, house.policy)  # which takes a new look
    later = house.submit(order(member("b")))
    with house.database.begin() as connection:
        seconds = dict(
            connection.execute(text("SELECT id, cost_seconds FROM jobs")).all()  # type: ignore[arg-type]
        )
    assert seconds[later.id] == pytest.approx(3.5)
    assert seconds[first.id] != seconds[later.id]
