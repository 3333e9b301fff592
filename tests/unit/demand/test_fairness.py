"""The published bounds of start-time fair queueing, held for any backlog."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from tasks.fairness import RELAXED, Entry, FairQueue, lane_of, tag, virtual_time
from tasks.tiers import Tier

WEIGHTS = {"free": 1.0, "plus": 4.0, "team": 6.0, "pro": 8.0, RELAXED: 1.0}
SLACK = 1e-6
costs = st.floats(0.1, 20.0)
UNLIMITED = 10_000


def test_a_lane_is_the_tier_or_relaxed() -> None:
    assert lane_of(Tier.PRO, relaxed=False) == "pro"
    assert lane_of(Tier.PRO, relaxed=True) == RELAXED


def test_a_weight_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        FairQueue({"free": 0.0})


@given(st.floats(0, 100), st.floats(0, 100), costs)
def test_a_tag_never_lies_before_now_nor_before_the_job_ahead(
    virtual: float, tail: float, cost: float
) -> None:
    mine = tag(virtual, tail, cost)
    assert mine.start >= virtual
    assert mine.start >= tail
    assert mine.start in (virtual, tail)
    assert mine.finish == mine.start + cost


@given(
    backlog=st.dictionaries(
        st.sampled_from(list(WEIGHTS)), st.lists(costs, min_size=5, max_size=40), min_size=2
    ),
    members=st.integers(1, 4),
)
def test_backlogged_tiers_share_by_weight_within_the_published_bound(
    backlog: dict[str, list[float]], members: int
) -> None:
    """Goyal, Vin, Cheng, theorem 1: over every interval in which both are backlogged."""
    queue: FairQueue[None] = FairQueue(WEIGHTS)
    for lane, jobs in backlog.items():
        for number, cost in enumerate(jobs):
            queue.push(lane, number % members, cost, 0.0, None, at_once=UNLIMITED)
    left = {lane: len(jobs) for lane, jobs in backlog.items()}
    served: dict[str, list[float]] = {lane: [0.0] for lane in backlog}
    while all(left.values()):
        entry = queue.pop(0.0)
        assert entry is not None
        left[entry.lane.name] -= 1
        for lane, sums in served.items():
            mine = entry.cost / entry.lane.weight if lane == entry.lane.name else 0.0
            sums.append(sums[-1] + mine)
    largest = {lane: max(jobs) / WEIGHTS[lane] for lane, jobs in backlog.items()}
    for one in backlog:
        for other in backlog:
            gaps = [a - b for a, b in zip(served[one], served[other], strict=True)]
            assert _widest_rise(gaps) <= largest[one] + largest[other] + SLACK


def _widest_rise(values: list[float]) -> float:
    """The largest `values[j] - values[i]` for i ≤ j: the worst interval of all."""
    lows = accumulate(values, min)
    return max(value - low for value, low in zip(values, lows, strict=True))


@given(st.lists(st.lists(costs, min_size=3, max_size=30), min_size=2, max_size=6))
def test_backlogged_members_of_a_tier_share_evenly(members: list[list[float]]) -> None:
    queue: FairQueue[None] = FairQueue(WEIGHTS, ageing=0.0)
    for member, jobs in enumerate(members):
        for cost in jobs:
            queue.push("free", member, cost, 0.0, None, at_once=UNLIMITED)
    left = [len(jobs) for jobs in members]
    served = [0.0] * len(members)
    largest = max(max(jobs) for jobs in members)
    while all(left):
        entry = queue.pop(0.0)
        assert entry is not None
        left[entry.flow.key] -= 1  # type: ignore[call-overload]
        served[entry.flow.key] += entry.cost  # type: ignore[call-overload]
        assert max(served) - min(served) <= 2 * largest + SLACK


@given(
    arrivals=st.lists(
        st.tuples(st.sampled_from(list(WEIGHTS)), st.floats(0, 30), costs), min_size=1, max_size=80
    )
)
def test_no_job_starts_later_than_its_tier_alone_plus_one_job_of_each_other(
    arrivals: list[tuple[str, float, float]],
) -> None:
    """Theorem 4 of the same paper: the delay bound, on one server of constant speed."""
    arrivals = sorted(arrivals, key=lambda arrival: arrival[1])
    share = {lane: weight / sum(WEIGHTS.values()) for lane, weight in WEIGHTS.items()}
    largest: dict[str, float] = defaultdict(float)
    expected: dict[str, float] = defaultdict(float)  # the lane's expected arrival time, then + l/r
    deadlines = []
    for lane, at, cost in arrivals:
        largest[lane] = max(largest[lane], cost)
        begin = max(at, expected[lane])
        expected[lane] = begin + cost / share[lane]
        deadlines.append(begin)
    queue: FairQueue[int] = FairQueue(WEIGHTS, ageing=0.0)
    pending = list(enumerate(arrivals))
    clock = 0.0
    while pending or queue.waiting:
        if not queue.waiting:
            clock = max(clock, pending[0][1][1])
        while pending and pending[0][1][1] <= clock:
            number, (lane, at, cost) = pending.pop(0)
            queue.push(lane, "only", cost, at, number, at_once=UNLIMITED)
        entry = queue.pop(clock)
        assert entry is not None
        others = sum(cost for lane, cost in largest.items() if lane != entry.lane.name)
        assert isinstance(entry.item, int)
        assert clock <= deadlines[entry.item] + others + SLACK
        clock += entry.cost
        queue.settle(entry, entry.cost)


@given(burst=st.integers(1, 60), served=st.integers(0, 20), cost=costs, mine=costs)
def test_a_burst_delays_another_member_by_one_job_at_most(
    burst: int, served: int, cost: float, mine: float
) -> None:
    queue: FairQueue[None] = FairQueue(WEIGHTS)
    for _ in range(burst):
        queue.push("free", "burst", cost, 0.0, None, at_once=UNLIMITED)
    for _ in range(min(served, burst - 1)):
        queue.pop(0.0)
    queue.push("free", "other", mine, 0.0, None)
    ahead = 0
    while (entry := queue.pop(0.0)) is not None and entry.flow.key != "other":
        ahead += 1
    assert ahead <= 1


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=60), st.integers(1, 50))
def test_an_idle_member_saves_nothing_up(history: list[tuple[str, bool]], rest: int) -> None:
    """Whatever was served while a member was away, they return as a newcomer would."""
    queue: FairQueue[None] = FairQueue(WEIGHTS, ageing=0.0)
    for member, _ in history:
        queue.push("plus", member, 1.0, 0.0, None, at_once=UNLIMITED)
    for _ in range(rest):
        queue.pop(0.0)
    back = queue.push("plus", "returning", 1.0, 0.0, None)
    new = queue.push("plus", "new", 1.0, 0.0, None)
    assert back.start == new.start == queue.lanes["plus"].virtual


@given(
    cost=costs,
    jobs=st.integers(2, 5),
    ageing=st.floats(1 / 1000, 1 / 10),
    between=st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=30),
)
def test_no_newcomer_goes_ahead_for_ever(
    cost: float, jobs: int, ageing: float, between: list[tuple[float, bool]]
) -> None:
    """Rule 6: past its bound a job has nobody new ahead of it, whatever was served in between."""
    queue: FairQueue[None] = FairQueue({"free": 1.0}, ageing)
    patient = [queue.push("free", "patient", cost, 0.0, None, at_once=1) for _ in range(jobs)][-1]
    bound = (patient.start - patient.entered) / ageing
    for share, serve in sorted(between):
        queue.push("free", ("new", share), cost, share * bound, None)
        if serve and (entry := queue.pop(share * bound)) is not None:
            queue.settle(entry, entry.cost)
    late = queue.push("free", "late", cost, bound * (1 + 1e-9), None)
    assert patient.gone or late.start >= patient.start - SLACK


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1), st.floats(-10, 1e5))
def test_virtual_time_never_runs_backwards(
    virtual: float, at: float, ageing: float, passed: float
) -> None:
    assert virtual_time(virtual, at, at + passed, ageing) >= virtual


@given(st.floats(1.0, 4.0), st.floats(0.25, 1.0))
def test_wrong_expectations_are_put_right(dear: float, cheap: float) -> None:
    """Two tiers of equal weight share evenly, though their true costs are not the expected 1.0."""
    queue: FairQueue[None] = FairQueue({"a": 1.0, "b": 1.0})
    true = {"a": dear, "b": cheap}
    used = {"a": 0.0, "b": 0.0}
    for lane in true:
        for number in range(600):
            queue.push(lane, number, 1.0, 0.0, None)
    for _ in range(200):
        entry = queue.pop(0.0)
        assert entry is not None
        used[entry.lane.name] += true[entry.lane.name]
        queue.settle(entry, true[entry.lane.name])
    assert abs(used["a"] - used["b"]) <= 2 * (dear + cheap + 1.0)


def test_a_correction_lands_on_the_jobs_behind_and_not_on_the_ready_one() -> None:
    queue: FairQueue[str] = FairQueue({"free": 1.0}, ageing=0.0)
    first, second, third = (
        queue.push("free", "me", 10.0, 0.0, name, at_once=2) for name in ("1", "2", "3")
    )
    assert queue.pop(0.0) is first
    queue.settle(first, 25.0)
    assert second.start == 10.0
    assert third.start == 35.0
    assert queue.push("free", "me", 10.0, 0.0, "4", at_once=2).start == 45.0


def test_a_lane_that_was_idle_does_not_catch_up() -> None:
    queue: FairQueue[None] = FairQueue(WEIGHTS)
    for number in range(60):
        queue.push("free", number, 1.0, 0.0, None)
    for _ in range(40):
        queue.pop(0.0)
    for number in range(20):
        queue.push(RELAXED, number, 1.0, 0.0, None)
    lanes = [entry.lane.name for _ in range(20) if (entry := queue.pop(0.0))]
    assert abs(lanes.count("free") - lanes.count(RELAXED)) <= 2


def test_a_members_limit_holds_whatever_waits_behind() -> None:
    queue: FairQueue[None] = FairQueue(WEIGHTS)
    for _ in range(6):
        queue.push("pro", "me", 1.0, 0.0, None, at_once=2)
    first, second = queue.pop(0.0), queue.pop(0.0)
    assert first is not None
    assert second is not None
    assert queue.pop(0.0) is None
    queue.settle(first, 1.0)
    assert queue.pop(0.0) is not None
    assert queue.pop(0.0) is None
    assert queue.jobs_of("pro", "me") == 5


def test_only_the_lanes_given_are_looked_at() -> None:
    queue: FairQueue[str] = FairQueue(WEIGHTS)
    queue.push("free", "f", 1.0, 0.0, "free")
    assert queue.pop(0.0, lanes=("plus", "pro")) is None
    queue.push("pro", "p", 1.0, 0.0, "paid")
    paid = queue.pop(0.0, lanes=("plus", "pro"))
    assert paid is not None
    assert paid.item == "paid"
    assert queue.waiting == 1


class QueueMachine(RuleBasedStateMachine):
    """Any mix of calls: every job comes out once, limits hold, no work is held back."""

    waiting = Bundle("waiting")

    def __init__(self) -> None:
        super().__init__()
        self.queue: FairQueue[int] = FairQueue(WEIGHTS)
        self.now = 0.0
        self.pushed: set[Entry] = set()
        self.running: list[Entry] = []

    @rule(target=waiting, lane=st.sampled_from(list(WEIGHTS)), flow=st.integers(0, 3), cost=costs)
    def push(self, lane: str, flow: int, cost: float) -> Entry:
        self.now += 0.1
        entry = self.queue.push(lane, flow, cost, self.now, 0, at_once=2)
        self.pushed.add(entry)
        return entry

    @rule()
    def pop(self) -> None:
        entry = self.queue.pop(self.now)
        if entry is None:
            busy = Counter((e.lane.name, e.flow.key) for e in self.running)
            assert all(busy[e.lane.name, e.flow.key] >= 2 for e in self.pushed)
            return
        assert entry in self.pushed
        self.pushed.remove(entry)
        self.running.append(entry)

    @rule(true_cost=costs)
    def settle(self, true_cost: float) -> None:
        if self.running:
            self.queue.settle(self.running.pop(0), true_cost)

    @rule()
    def put_back(self) -> None:
        if self.running:
            entry = self.running.pop()
            self.queue.put_back(entry)
            self.pushed.add(entry)

    @rule(entry=consumes(waiting))
    def cancel(self, entry: Entry) -> None:
        if entry in self.pushed:
            self.queue.cancel(entry)
            self.pushed.remove(entry)

    @invariant()
    def limits_hold(self) -> None:
        busy = Counter((e.lane.name, e.flow.key) for e in self.running)
        assert all(count <= 2 for count in busy.values())

    @invariant()
    def nothing_is_lost(self) -> None:
        assert self.queue.waiting == len(self.pushed)


TestQueueMachine = QueueMachine.TestCase
