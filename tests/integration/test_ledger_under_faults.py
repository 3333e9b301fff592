"""The ledger's sums hold under any order of events, with crashes between any two statements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from tasks.job import JobState, Reason
from tasks.policy import read
from tasks.store import deliveries, leases, ledger, members, sweeping, transitions
from tasks.store.transitions import Finished, Lease, NewPicture, Posted
from tasks.submit import Reception
from tasks.tiers import Tier
from tests.integration.faults import Fault, FaultyDatabase
from tests.integration.house import member, order, request
from tests.stack import Servers

POLICY = read(
    """
[tiers.free]
running = 2
waiting = 2
quota = "6/1h"
count = 4

[tiers.pro]
running = 2
waiting = 2
quota = "4/1h"


"""
)
ROLES = {"ada": (), "bo": (), "cy": ("pro",)}
LANES = ["pro", "team", "plus", "free", "relaxed"]

faults = st.none() | st.builds(
    Fault,
    statement=st.none() | st.integers(1, 6),
    commit=st.sampled_from([None, "before", "after"]),
)
names = st.sampled_from(sorted(ROLES))


class Studio(RuleBasedStateMachine):
    """Members order, workers lease, render, post, fail and die; every call may crash anywhere."""

    url: str

    @initialize()
    def open(self) -> None:
        self.database = FaultyDatabase(self.url)
        with self.database.begin() as connection:
            connection.execute(
                text("TRUNCATE jobs, ledger, flows, members, outbox, deliveries CASCADE")
            )
            members.map_role(connection, "test", "server", "pro", Tier.PRO)
        self.reception = Reception(self.database, POLICY)
        self.keys: list[tuple[str, str]] = []
        self.leases: list[Lease] = []
        self.posts: list[tuple[UUID, UUID]] = []

    @contextmanager
    def crashing(self, fault: Fault | None) -> Iterator[None]:
        with self.database.crashing(fault):
            yield

    @rule(name=names, count=st.integers(1, 4), fault=faults)
    def submit(self, name: str, count: int, fault: Fault | None) -> None:
        self.keys.append((name, uuid4().hex))
        self._submit(*self.keys[-1], count, fault)

    @precondition(lambda self: self.keys)
    @rule(data=st.data(), fault=faults)
    def submit_again(self, data: st.DataObject, fault: Fault | None) -> None:
        name, key = data.draw(st.sampled_from(self.keys))
        self._submit(name, key, 1, fault)

    def _submit(self, name: str, key: str, count: int, fault: Fault | None) -> None:
        who = member(name, *ROLES[name])
        with self.crashing(fault):
            self.reception.submit(order(who, key, request=request(count=count)))

    @rule(fault=faults)
    def lease(self, fault: Fault | None) -> None:
        with self.crashing(fault), self.database.begin() as connection:
            taken = leases.lease(connection, "worker", LANES, ["blank"], 100)
            if taken is not None:
                self.leases.append(taken)

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), fault=faults)
    def render(self, data: st.DataObject, fault: Fault | None) -> None:
        lease, poster = data.draw(st.sampled_from(self.leases)), uuid4()
        made = NewPicture(uuid4(), 0, uuid4().hex, "image/png", 1, 1, 1, request().to_json())
        with self.crashing(fault), self.database.begin() as connection:
            if transitions.rendered(connection, [Finished(lease, [made], poster, 100)])[0]:
                self.posts.append((lease.job.id, poster))

    @precondition(lambda self: self.posts)
    @rule(data=st.data(), fault=faults)
    def deliver(self, data: st.DataObject, fault: Fault | None) -> None:
        job, poster = data.draw(st.sampled_from(self.posts))
        with self.crashing(fault), self.database.begin() as connection:
            transitions.delivered(connection, [Posted(job, poster, "message")])

    @rule(fault=faults)
    def claim(self, fault: Fault | None) -> None:
        """Another worker's postroom takes what is due, also what a dead one held."""
        with self.database.begin() as connection:
            connection.execute(text("UPDATE deliveries SET owner_until = now() - interval '1s'"))
        with self.crashing(fault), self.database.begin() as connection:
            for taken in deliveries.claim(connection, ["test"], 100, 5):
                self.posts.append((taken.job, taken.poster))

    @precondition(lambda self: self.posts)
    @rule(data=st.data(), fault=faults)
    def undeliverable(self, data: st.DataObject, fault: Fault | None) -> None:
        job, _ = data.draw(st.sampled_from(self.posts))
        states = [JobState.DELIVERING]
        with self.crashing(fault), self.database.begin() as connection:
            transitions.end(connection, job, states, JobState.FAILED, Reason("gone"), told=True)

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), fault=faults)
    def fail(self, data: st.DataObject, fault: Fault | None) -> None:
        lease = data.draw(st.sampled_from(self.leases))
        with self.crashing(fault), self.database.begin() as connection:
            transitions.end(
                connection,
                lease.job.id,
                [JobState.RUNNING],
                JobState.FAILED,
                Reason("out-of-memory"),
                attempt=lease.job.attempt,
                token=lease.token,
            )

    @rule(data=st.data(), fault=faults)
    def cancel(self, data: st.DataObject, fault: Fault | None) -> None:
        with self.database.begin() as connection:
            waiting = list(
                connection.scalars(text("SELECT id FROM jobs WHERE state = 'queued' ORDER BY key"))
            )
        if not waiting:
            return
        job = waiting[data.draw(st.integers(0, len(waiting) - 1))]
        with self.crashing(fault), self.database.begin() as connection:
            states, to = [JobState.QUEUED], JobState.CANCELLED
            transitions.end(connection, job, states, to, Reason("cancelled"))

    @rule(fault=faults)
    def worker_dies(self, fault: Fault | None) -> None:
        with self.crashing(fault), self.database.begin() as connection:
            transitions.requeue(connection, attempts=100, outcome="lost", owner="worker")

    @invariant()
    def sums_hold(self) -> None:
        with self.database.begin() as connection:
            assert ledger.faults(connection) == []
            assert sweeping.crooked_flows(connection) == []

    @invariant()
    def nothing_is_free_and_nothing_charged_twice(self) -> None:
        charged = "SELECT coalesce(sum(credits), 0) FROM ledger WHERE kind = 'capture'"
        worth = "SELECT coalesce(sum(cost), 0) FROM jobs WHERE state = 'done'"
        with self.database.begin() as connection:
            assert connection.scalar(text(charged)) == connection.scalar(text(worth))

    @invariant()
    def nobody_spends_more_than_their_quota(self) -> None:
        with self.database.begin() as connection:
            for name in ("ada", "bo"):
                standing = ledger.standing(connection, member(name).key, 3600)
                assert standing.spent + standing.held <= 6

    @invariant()
    def the_line_is_never_stuck(self) -> None:
        """A member with a waiting job and nothing open has a job that can be leased."""
        stuck = """
            SELECT member_key FROM jobs WHERE state IN ('queued', 'running')
            GROUP BY member_key, lane, at_once
            HAVING count(*) FILTER (WHERE ready OR state = 'running') < least(at_once, count(*))
        """
        with self.database.begin() as connection:
            assert connection.execute(text(stuck)).all() == []

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.close()


@pytest.mark.timeout(280)
def test_the_ledgers_sums_hold_whatever_crashes(servers: Servers, database_url: str) -> None:
    class Here(Studio):
        url = database_url

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Here,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
