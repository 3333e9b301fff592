"""A seeded driver of jobs through every end, with crashes, and the ledger summed by hand.

`LedgerModel` knows which events happened and adds up credits itself; it reads no ledger row. After
each event the driver compares it with what the store says.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text

from tasks.admission.service import AdmissionService
from tasks.jobs.job import Accepted, Reason
from tasks.jobs.members import Member
from tasks.jobs.states import JobState
from tasks.jobs.tiers import Tier
from tasks.policy.config import read
from tasks.store import deliveries, jobs, leases, ledger, members, sweeper_queries, transitions
from tasks.store.transitions import Finished, NewPicture, Posted
from tests.integration.faults import Fault, FaultyDatabase
from tests.integration.stack import member, order, request

FREE_QUOTA, TEAM_QUOTA, TEAM_POOL, PRO_QUOTA = 9, 9, 14, 3
POLICY = read(
    f"""
[tiers.free]
running = 3
waiting = 6
quota = "{FREE_QUOTA}/1h"
count = 4

[tiers.team]
running = 3
waiting = 6
quota = "{TEAM_QUOTA}/1h"
pool = "{TEAM_POOL}/1h"

[tiers.pro]
running = 3
waiting = 6
quota = "{PRO_QUOTA}/1h"
"""
)
TIERS = {"ada": "free", "bo": "free", "cy": "free", "di": "team", "ed": "team", "flo": "pro"}
QUOTAS = {"free": FREE_QUOTA, "team": TEAM_QUOTA, "pro": PRO_QUOTA}
LANES = ["pro", "team", "plus", "free", "relaxed"]
HOUR = 3600.0
CONSISTENCY_EVERY = 10  # events
ADMISSION_STATEMENTS = 5  # how many an admission has; most other events have two
OPEN = {JobState.QUEUED, JobState.RUNNING, JobState.DELIVERING}

_STANDINGS = text(
    f"SELECT who, {ledger.member_standing_columns('who', 'ARRAY[who]', ':seconds')} "
    "FROM unnest(:keys) AS who"
).bindparams(bindparam("keys", type_=ARRAY(Text)))

# A member with a waiting job and room for it has one that can be leased.
_STUCK = text("""
    SELECT member_key FROM jobs WHERE state IN ('queued', 'running')
    GROUP BY member_key, lane, at_once
    HAVING count(*) FILTER (WHERE ready OR state = 'running') < least(at_once, count(*))
""")


@dataclass(slots=True)
class ModelJob:
    """A job as the events say it is."""

    name: str
    cost: float
    relaxed: bool
    state: JobState = JobState.QUEUED
    lease: transitions.Lease | None = None
    claim: UUID | None = None


@dataclass(slots=True)
class LedgerModel:
    """Credits by hand: what is held by open jobs, and what delivered jobs took."""

    jobs: dict[UUID, ModelJob] = field(default_factory=dict)
    spent: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def held(self, name: str) -> float:
        """Credits reserved for a member's open jobs, without relaxed ones."""
        return sum(
            job.cost
            for job in self.jobs.values()
            if job.name == name and job.state in OPEN and not job.relaxed
        )

    def covers(self, name: str, cost: float) -> bool:
        """Whether the quota, and the team's pool, cover this cost now."""
        tier = TIERS[name]
        fits = self.spent[name] + self.held(name) + cost <= QUOTAS[tier]
        if tier == "team":
            team = [one for one, its in TIERS.items() if its == "team"]
            pool = sum(self.spent[one] + self.held(one) for one in team)
            fits = fits and pool + cost <= TEAM_POOL
        return fits

    def deliver(self, id_: UUID) -> None:
        """The result was posted: a held credit is spent."""
        job = self.jobs[id_]
        job.state = JobState.DONE
        if not job.relaxed:
            self.spent[job.name] += job.cost

    def in_state(self, *states: JobState) -> list[UUID]:
        """Jobs in these states, oldest first."""
        return [id_ for id_, job in self.jobs.items() if job.state in states]


class LedgerDriver:
    """Runs one example on an emptied database; `counts` says what happened in it."""

    def __init__(self, database: FaultyDatabase, seed: int) -> None:
        self.database = database
        self.chance = random.Random(seed)
        self.model = LedgerModel()
        self.admission = AdmissionService(database, POLICY)
        self.counts: Counter[str] = Counter()
        self.keys: list[tuple[str, str, int]] = []
        self.submitted: dict[str, UUID] = {}
        with database.begin() as connection:
            connection.execute(
                text("TRUNCATE jobs, ledger, flows, members, outbox, deliveries CASCADE")
            )
            for tier in (Tier.TEAM, Tier.PRO):
                members.map_role(connection, "test", "server", tier.value, tier)

    def run(self, events: int) -> None:
        """Submit some jobs first, then let events happen in random order."""
        for _ in range(8):
            self.submit()
        actions: dict[Callable[[], bool], float] = {
            self.submit: 5,
            self.repeat_submit: 1,
            self.lease: 8,
            self.render: 8,
            self.deliver: 10,
            self.repeat_delivery: 1,
            self.reclaim: 1,
            self.undeliverable: 1,
            self.fail: 1,
            self.cancel: 1,
            self.worker_dies: 0.5,
            self.window_passes: 3,
        }
        for number in range(events):
            while not self.chance.choices(list(actions), list(actions.values()))[0]():
                pass  # nothing is in the state that this event needs
            self.compare()
            if number % CONSISTENCY_EVERY == 0:
                self.check_consistency()
        self.check_consistency()

    # -- events: each says whether there was anything to do -------------------------------------

    def submit(self) -> bool:
        """A member submits a new order."""
        name, count = self.chance.choice(sorted(TIERS)), self.chance.randint(1, 2)
        self.keys.append((name, uuid4().hex, count))
        self._submit(*self.keys[-1])
        return True

    def repeat_submit(self) -> bool:
        """The same key arrives again."""
        self.counts["repeat"] += 1
        self._submit(*self.chance.choice(self.keys))
        return True

    def _submit(self, name: str, key: str, count: int) -> None:
        wish = order(self.member(name), key, request=request(count=count))
        existing = self.submitted.get(key)
        fits = self.model.covers(name, count)
        with self.database.crashing(self.fault(ADMISSION_STATEMENTS)):
            outcome = self.admission.submit(wish)
            if existing is not None:
                assert isinstance(outcome, Accepted)
                assert (outcome.job.id, outcome.repeated) == (existing, True)
            elif not isinstance(outcome, Accepted):
                assert outcome.reason.code in {"quota-spent", "pool-spent", "too-many-waiting"}
                assert outcome.reason.code == "too-many-waiting" or not fits
        self.count_crash()
        created = existing or self._job_of(key)
        if existing is None and created is not None:
            self.submitted[key] = created
            assert fits or TIERS[name] == "pro", "only Pro goes on beyond its quota"
            self.model.jobs[created] = ModelJob(name, count, relaxed=not fits)

    def lease(self) -> bool:
        """A worker takes the next job."""
        if not self.model.in_state(JobState.QUEUED):
            return False
        with self.database.crashing(self.fault()), self.database.begin() as connection:
            leases.lease(connection, "worker", LANES, ["blank"], 100)
        self.count_crash()
        with self.database.begin() as connection:
            rows = connection.execute(text("SELECT id FROM jobs WHERE state = 'running'")).scalars()
            running = set(rows)
        for id_ in running - set(self.model.in_state(JobState.RUNNING)):
            assert self.model.jobs[id_].state is JobState.QUEUED
            self.model.jobs[id_].state = JobState.RUNNING
            self.model.jobs[id_].lease = self._lease_of(id_)
        return True

    def render(self) -> bool:
        """A worker stores its pictures; sometimes under a lease that is no longer its own."""
        leased = [job for job in self.model.jobs.values() if job.lease is not None]
        if not leased:
            return False
        job = self.chance.choice(leased)
        assert job.lease is not None
        claim, mine = uuid4(), job.state is JobState.RUNNING
        made = NewPicture(uuid4(), 0, uuid4().hex, "image/png", 1, 1, 1, request().to_json())
        with self.database.crashing(self.fault()), self.database.begin() as connection:
            done = transitions.mark_rendered(connection, [Finished(job.lease, [made], claim, 100)])
            assert (done[0] is not None) == mine
        if self.happened() and mine:
            job.state, job.claim = JobState.DELIVERING, claim
        return True

    def deliver(self) -> bool:
        """A publisher has posted the result."""
        claimed = [i for i in self.model.in_state(JobState.DELIVERING) if self.model.jobs[i].claim]
        if claimed:
            self._deliver(self.chance.choice(claimed))
        return bool(claimed)

    def repeat_delivery(self) -> bool:
        """A publisher reports a second time what was posted."""
        done = [i for i in self.model.in_state(JobState.DONE) if self.model.jobs[i].claim]
        if done:
            self.counts["repeat"] += 1
            self._deliver(self.chance.choice(done))
        return bool(done)

    def _deliver(self, id_: UUID) -> None:
        job = self.model.jobs[id_]
        assert job.claim is not None
        with self.database.crashing(self.fault()), self.database.begin() as connection:
            transitions.mark_delivered(connection, [Posted(id_, job.claim, "message")])
        if self.happened() and job.state is JobState.DELIVERING:
            self.counts["capture"] += 1
            self.model.deliver(id_)

    def reclaim(self) -> bool:
        """Claims expire, and another worker's dispatcher takes the deliveries over."""
        if not self.model.in_state(JobState.DELIVERING):
            return False
        with self.database.begin() as connection:
            connection.execute(text("UPDATE deliveries SET owner_until = now() - interval '1s'"))
        with self.database.crashing(self.fault()), self.database.begin() as connection:
            deliveries.claim(connection, ["test"], 100, 5)
        self.count_crash()
        with self.database.begin() as connection:
            rows = connection.execute(text("SELECT job, owner FROM deliveries")).all()
        for row in rows:
            if self.model.jobs[row.job].state is JobState.DELIVERING:
                self.model.jobs[row.job].claim = row.owner
        return True

    def undeliverable(self) -> bool:
        """The platform will never take a result."""
        waiting = self.model.in_state(JobState.DELIVERING)
        if not waiting:
            return False
        id_ = self.chance.choice(waiting)
        with self.database.crashing(self.fault()), self.database.begin() as connection:
            assert transitions.end_undeliverable(connection, id_, Reason("gone"))
        self._void_if_happened(id_, JobState.FAILED)
        return True

    def fail(self) -> bool:
        """A render fails for good."""
        running = self.model.in_state(JobState.RUNNING)
        if not running:
            return False
        id_ = self.chance.choice(running)
        lease = self.model.jobs[id_].lease
        assert lease is not None
        with self.database.crashing(self.fault()), self.database.begin() as connection:
            reason = Reason("out-of-memory")
            assert transitions.end_leased(connection, lease, JobState.FAILED, reason)
        self._void_if_happened(id_, JobState.FAILED)
        return True

    def cancel(self) -> bool:
        """A member cancels a queued job."""
        queued = self.model.in_state(JobState.QUEUED)
        if not queued:
            return False
        id_ = self.chance.choice(queued)
        with self.database.crashing(self.fault()), self.database.begin() as connection:
            states, to = [JobState.QUEUED], JobState.CANCELLED
            assert transitions.end(connection, id_, states, to, Reason("cancelled"))
        self._void_if_happened(id_, JobState.CANCELLED)
        return True

    def worker_dies(self) -> bool:
        """A restarted worker puts the jobs of its predecessor back; old leases stay known."""
        running = self.model.in_state(JobState.RUNNING)
        if not running:
            return False
        with self.database.crashing(self.fault()), self.database.begin() as connection:
            assert set(transitions.requeue_owned(connection, "worker", 100)) == set(running)
        if self.happened():
            for id_ in running:
                self.model.jobs[id_].state = JobState.QUEUED
        return True

    def window_passes(self) -> bool:
        """Every capture so far leaves the window."""
        if not any(self.model.spent.values()):
            return False
        with self.database.begin() as connection:
            connection.execute(text("UPDATE ledger SET at = at - interval '61 minutes'"))
        self.model.spent.clear()
        return True

    # -- comparison -----------------------------------------------------------------------------

    def compare(self) -> None:
        """The store's sums are those of the model, for each member, the pool and each job."""
        keys = {self.member(name).key: name for name in TIERS}
        with self.database.begin() as connection:
            for row in connection.execute(_STANDINGS, {"keys": list(keys), "seconds": HOUR}):
                name = keys[row.who]
                assert row.spent == self.model.spent[name], name
                assert row.held == self.model.held(name), name
            pool = ledger.pool_standing(connection, "test:server", HOUR)
            rows = connection.execute(text("SELECT job, kind, credits, relaxed FROM ledger")).all()
        team = [name for name, tier in TIERS.items() if tier == "team"]
        assert pool.spent == sum(self.model.spent[name] for name in team)
        assert pool.held == sum(self.model.held(name) for name in team)
        entries = sorted((str(row.job), row.kind, row.credits, row.relaxed) for row in rows)
        assert entries == sorted(self._expected_entries())

    def check_consistency(self) -> None:
        """What the audit and the sweeper look for: no fault, and nobody stuck in the queue."""
        with self.database.begin() as connection:
            assert ledger.faults(connection) == []
            assert sweeper_queries.inconsistent_flows(connection) == []
            assert connection.execute(_STUCK).all() == []

    def _expected_entries(self) -> list[tuple[str, str, float, bool]]:
        found = []
        for id_, job in self.model.jobs.items():
            found.append((str(id_), "hold", job.cost, job.relaxed))
            if job.state is JobState.DONE:
                found.append((str(id_), "capture", job.cost, job.relaxed))
            elif job.state not in OPEN:
                found.append((str(id_), "void", job.cost, job.relaxed))
        return found

    # -- parts ----------------------------------------------------------------------------------

    def member(self, name: str) -> Member:
        """The member with the role of their tier."""
        tier = TIERS[name]
        return member(name, *([] if tier == "free" else [tier]))

    def fault(self, statements: int = 2) -> Fault | None:
        """One event in five crashes: before a statement, before the commit, or right after it."""
        if self.chance.random() > 1 / 5:
            return None
        commit = self.chance.choice([None, None, "before", "after"])
        return Fault(None if commit else self.chance.randint(1, statements), commit)

    def happened(self) -> bool:
        """Whether the last event was committed, crash or not."""
        self.count_crash()
        return not self.database.crashed or self.database.committed

    def count_crash(self) -> None:
        """Count the crash of the last event, if there was one."""
        self.counts["crash"] += self.database.crashed
        self.counts["crash between statements"] += self.database.crashed_between

    def _void_if_happened(self, id_: UUID, state: JobState) -> None:
        if self.happened():
            self.counts["void"] += 1
            self.model.jobs[id_].state = state

    def _job_of(self, key: str) -> UUID | None:
        with self.database.begin() as connection:
            found: UUID | None = connection.scalar(
                text("SELECT id FROM jobs WHERE key = :key"), {"key": key}
            )
        return found

    def _lease_of(self, id_: UUID) -> transitions.Lease:
        with self.database.begin() as connection:
            row = connection.execute(
                text("SELECT lease_token, lease_until FROM jobs WHERE id = :id"), {"id": id_}
            ).one()
            job = jobs.read(connection, id_)
        assert job is not None
        return transitions.Lease(job, "worker", row.lease_token, row.lease_until)
