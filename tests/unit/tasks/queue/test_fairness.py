"""The published bounds of start-time fair queueing, held for any backlog."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from imaging.request import Priority
from tasks.jobs.tiers import Tier
from tasks.queue.fairness import (
    AGEING,
    RELAXED,
    RELAXED_WEIGHT,
    Entry,
    FairQueue,
    lane_of,
    priority_of,
)

WEIGHTS = {"free": 1.0, "plus": 4.0, "team": 6.0, "pro": 8.0, RELAXED: 1.0}
SLACK = 1e-6
costs = st.floats(0.1, 20.0)
UNLIMITED = 10_000


def test_a_lane_is_the_tier_or_relaxed() -> None:
    assert lane_of(Tier.PRO, relaxed=False) == "pro"
    assert lane_of(Tier.PRO, relaxed=True) == RELAXED


def test_paid_lanes_have_the_engines_highest_priority() -> None:
    found = {lane: priority_of(lane) for lane in (*(tier.value for tier in Tier), RELAXED)}
    assert found.pop("free") is Priority.NORMAL
    assert found.pop(RELAXED) is Priority.RELAXED
    assert set(found.values()) == {Priority.EXPRESS}


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan")])
def test_lane_without_weight_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        FairQueue({"free": weight})


def test_lane_may_have_a_small_weight() -> None:
    queue: FairQueue[str] = FairQueue({"free": 0.5})
    queue.push("free", "me", 2.0, 0.0, "a")
    assert order(queue) == ["a"]
    assert queue.lanes["free"].start == 4.0


def test_relaxed_work_weighs_one_and_ageing_takes_an_hour_for_ten_seconds() -> None:
    assert RELAXED_WEIGHT == 1.0
    assert pytest.approx(10.0) == 3600 * AGEING
    assert FairQueue({"free": 1.0}).ageing == pytest.approx(1 / 360)


def order(queue: FairQueue[str], now: float = 0.0) -> list[str]:
    """The items of the jobs that are ready, in their order; none is completed."""
    return [str(entry.item) for entry in iter(lambda: queue.pop(now), None)]


def test_heavier_lane_wins_a_tie_and_then_the_first_name() -> None:
    weights = {"b": 1.0, "d": 2.0, "a": 1.0, "c": 2.0}
    for names in ("abcd", "dcba"):
        queue: FairQueue[str] = FairQueue({name: weights[name] for name in names})
        for name in names:
            queue.push(name, "me", 4.0, 0.0, name)
        assert order(queue) == ["c", "d", "a", "b"]


def test_members_in_a_tie_are_served_by_arrival() -> None:
    queue: FairQueue[str] = FairQueue({"free": 1.0})
    for name in "cab":
        queue.push("free", name, 1.0, 0.0, name)
    assert order(queue) == ["c", "a", "b"]


def test_lanes_take_turns_by_cost_and_weight() -> None:
    """Starts: free 0 → 4 → 8; plus 0 → 1 → 2 → 3 → 4 → 5; a tie is for plus."""
    queue: FairQueue[str] = FairQueue({"free": 1.0, "plus": 4.0})
    for number in range(2):
        queue.push("free", number, 4.0, 0.0, f"free{number}")
    for number in range(6):
        queue.push("plus", number, 4.0, 0.0, f"plus{number}")
    assert order(queue) == [
        *("plus0", "free0", "plus1", "plus2", "plus3", "plus4", "free1", "plus5")
    ]
    assert queue.lanes["free"].start == 8.0
    assert queue.lanes["plus"].start == 6.0
    assert queue.virtual == 5.0  # the start that the last job was taken at


def test_job_starts_after_its_members_previous_one() -> None:
    queue: FairQueue[str] = FairQueue({"free": 1.0}, ageing=0.0)
    starts = [queue.push("free", "me", cost, 0.0, "", at_once=9).start for cost in (3.0, 2.0, 1.0)]
    assert starts == [0.0, 3.0, 5.0]
    assert queue.push("free", "you", 1.0, 0.0, "").start == 0.0


def test_virtual_time_is_the_last_jobs_start_and_ages() -> None:
    queue: FairQueue[str] = FairQueue({"free": 1.0}, ageing=0.5)
    first = queue.push("free", "me", 8.0, 10.0, "a", at_once=9)
    second = queue.push("free", "me", 8.0, 10.0, "b", at_once=9)
    assert (first.entered, first.start, second.start) == (5.0, 5.0, 13.0)
    queue.pop(12.0)
    lane = queue.lanes["free"]
    assert (lane.virtual, lane.virtual_at) == (6.0, 12.0)  # aged: 0.5 × 12 is above the start
    queue.pop(13.0)
    assert (lane.virtual, lane.virtual_at) == (13.0, 13.0)
    newcomer = queue.push("free", "you", 8.0, 15.0, "c")
    assert (newcomer.entered, newcomer.start) == (14.0, 14.0)


def test_idle_lane_resumes_where_the_last_job_was_taken() -> None:
    queue: FairQueue[str] = FairQueue({"free": 1.0, "plus": 4.0, "pro": 8.0})
    for number in range(4):
        queue.push("free", number, 2.0, 0.0, "free")
    for _ in range(3):
        queue.pop(0.0)
    assert [lane.start for lane in queue.lanes.values()] == [6.0, 4.0, 4.0]
    queue.push("pro", "me", 8.0, 0.0, "pro")
    queue.push("plus", "me", 8.0, 0.0, "plus")
    assert order(queue) == ["pro", "plus", "free"]
    assert [lane.start for lane in queue.lanes.values()] == [8.0, 6.0, 6.0]


def test_busy_lane_keeps_its_start_while_another_is_served() -> None:
    queue: FairQueue[str] = FairQueue({"free": 1.0, "plus": 4.0})
    queue.push("free", "me", 1.0, 0.0, "")
    queue.push("plus", "me", 40.0, 0.0, "")
    for _ in range(2):
        queue.pop(0.0)
    assert [lane.start for lane in queue.lanes.values()] == [1.0, 10.0]


def test_true_cost_is_charged_to_lane_and_member() -> None:
    queue: FairQueue[str] = FairQueue({"free": 1.0, "pro": 8.0}, ageing=0.0)
    entry = queue.push("pro", "me", 8.0, 0.0, "")
    queue.push("pro", "me", 8.0, 0.0, "")
    queue.pop(0.0)
    assert queue.lanes["pro"].start == 1.0
    queue.settle(entry, 24.0)
    assert queue.lanes["pro"].start == 3.0
    assert (entry.flow.tail, entry.flow.shift) == (32.0, 16.0)


def test_credit_does_not_put_a_lane_behind_the_others() -> None:
    """A lane charged 8 too much gets it back down to where the last job was taken."""
    queue: FairQueue[str] = FairQueue({"free": 1.0, "plus": 1.0}, ageing=0.0)
    entry = queue.push("free", "me", 10.0, 0.0, "")
    queue.pop(0.0)
    queue.push("plus", "me", 4.0, 0.0, "")
    queue.push("plus", "you", 4.0, 0.0, "")
    queue.pop(0.0)
    queue.pop(0.0)
    assert (queue.lanes["free"].start, queue.virtual) == (10.0, 4.0)
    queue.settle(entry, 2.0)
    assert queue.lanes["free"].start == 4.0


def test_correction_never_moves_a_job_before_its_entry() -> None:
    queue: FairQueue[str] = FairQueue({"free": 1.0}, ageing=1.0)
    first = queue.push("free", "me", 100.0, 0.0, "1")
    second = queue.push("free", "me", 100.0, 30.0, "2")
    third = queue.push("free", "me", 100.0, 40.0, "3")
    assert (second.start, third.start) == (100.0, 200.0)
    queue.pop(0.0)
    queue.settle(first, 10.0)
    assert second.start == 30.0  # 100 - 90 is before its entry
    assert queue.pop(50.0) is second
    queue.settle(second, 110.0)
    assert third.start == 120.0  # 200 - 90 + 10


def test_job_of_a_dead_worker_returns_to_its_place() -> None:
    queue: FairQueue[str] = FairQueue({"free": 1.0}, ageing=0.0)
    first = queue.push("free", "me", 5.0, 0.0, "1")
    queue.push("free", "you", 5.0, 0.0, "2")
    queue.push("free", "me", 5.0, 0.0, "3")
    assert queue.pop(0.0) is first
    assert (queue.waiting, queue.jobs_of("free", "me")) == (2, 2)
    queue.put_back(first)
    assert (queue.waiting, queue.jobs_of("free", "me")) == (3, 2)
    assert queue.lanes["free"].start == 0.0
    assert order(queue) == ["1", "2"]  # the third waits for the first to end


def test_cancelled_jobs_cost_is_credited_to_the_members_next() -> None:
    queue: FairQueue[str] = FairQueue({"free": 1.0}, ageing=0.0)
    first = queue.push("free", "me", 5.0, 0.0, "1")
    second = queue.push("free", "me", 7.0, 0.0, "2")
    queue.cancel(second)
    assert (queue.waiting, queue.jobs_of("free", "me")) == (1, 1)
    third = queue.push("free", "me", 5.0, 0.0, "3")
    assert third.start == 5.0
    assert queue.pop(0.0) is first
    assert queue.pop(0.0) is None
    queue.settle(first, 5.0)
    assert queue.pop(0.0) is third
    assert queue.waiting == 0


def test_cancelling_a_ready_job_makes_the_next_one_ready() -> None:
    queue: FairQueue[str] = FairQueue({"free": 1.0}, ageing=0.0)
    first = queue.push("free", "me", 5.0, 0.0, "1")
    queue.push("free", "me", 5.0, 0.0, "2")
    queue.cancel(first)
    assert (queue.waiting, queue.jobs_of("free", "me")) == (1, 1)
    assert order(queue) == ["2"]


@pytest.mark.parametrize("gone", ["a", "b", "ab", "bc", "abc"])
def test_cancelled_jobs_are_passed_over(gone: str) -> None:
    queue: FairQueue[str] = FairQueue({"free": 1.0, "plus": 4.0})
    entries = {name: queue.push("plus", name, 1.0, 0.0, name) for name in "abc"}
    queue.push("free", "me", 1.0, 0.0, "free")
    for name in gone:
        queue.cancel(entries[name])
    left = [name for name in "abc" if name not in gone]
    served = order(queue)
    assert [name for name in served if name != "free"] == left
    assert "free" in served
    assert queue.waiting == 0


def test_cancelling_a_job_behind_makes_no_other_ready() -> None:
    queue: FairQueue[str] = FairQueue({"free": 1.0})
    _, second, _ = (queue.push("free", "me", 1.0, 0.0, name) for name in "abc")
    queue.cancel(second)
    assert queue.jobs_of("free", "me") == 2
    assert order(queue) == ["a"]  # and c when a is completed


def test_cancelled_last_job_lets_no_other_pass_the_limit() -> None:
    queue: FairQueue[str] = FairQueue({"free": 1.0})
    *_, last = (queue.push("free", "me", 1.0, 0.0, name, at_once=2) for name in "abcde")
    queue.cancel(last)
    running = queue.pop(0.0)
    assert running is not None
    queue.settle(running, 1.0)
    assert order(queue) == ["b", "c"]  # and d when one of them is completed


def test_first_job_behind_waits_for_its_own_limit() -> None:
    """Limits change while jobs wait: the next one has a lower limit than the one after it."""
    queue: FairQueue[str] = FairQueue({"free": 1.0})
    for item, at_once in (("a", 2), ("b", 2), ("c", 1), ("d", 3)):
        queue.push("free", "me", 1.0, 0.0, item, at_once)
    running = [queue.pop(0.0) for _ in range(2)]
    assert running[0] is not None
    assert running[1] is not None
    queue.settle(running[0], 1.0)
    assert queue.pop(0.0) is None
    queue.settle(running[1], 1.0)
    assert order(queue) == ["c", "d"]


def test_lane_whose_last_job_is_cancelled_has_no_work() -> None:
    """It resumes at the virtual time of the lanes, as an idle one."""
    queue: FairQueue[str] = FairQueue({"free": 1.0, "plus": 4.0})
    first = queue.push("plus", "a", 4.0, 0.0, "a")
    last = queue.push("plus", "b", 4.0, 0.0, "b")
    for number in range(4):
        queue.push("free", number, 3.0, 0.0, "free")
    assert queue.pop(0.0) is first
    queue.cancel(last)
    for _ in range(3):
        queue.pop(0.0)
    assert queue.lanes["plus"].start == 6.0


def test_limit_of_a_later_job_counts_once_it_is_first() -> None:
    queue: FairQueue[str] = FairQueue({"free": 1.0}, ageing=0.0)
    first = queue.push("free", "me", 1.0, 0.0, "1", at_once=3)
    for name, at_once in (("2", 1), ("3", 3), ("4", 3), ("5", 3)):
        queue.push("free", "me", 1.0, 0.0, name, at_once=at_once)
    assert order(queue) == ["1"]  # the others wait behind the second, whatever their own limit
    queue.settle(first, 1.0)
    assert order(queue) == ["2", "3", "4"]
    assert queue.jobs_of("free", "me") == 4


def test_job_with_a_lower_limit_waits_until_fewer_run() -> None:
    queue: FairQueue[str] = FairQueue({"free": 1.0}, ageing=0.0)
    running = [queue.push("free", "me", 1.0, 0.0, str(n), at_once=3) for n in range(3)]
    queue.push("free", "me", 1.0, 0.0, "single", at_once=1)
    assert order(queue) == ["0", "1", "2"]
    for entry in running[:2]:
        queue.settle(entry, 1.0)
        assert order(queue) == []
    queue.settle(running[2], 1.0)
    assert order(queue) == ["single"]


def test_only_corrections_after_its_entry_move_a_job() -> None:
    queue: FairQueue[str] = FairQueue({"free": 1.0}, ageing=0.0)
    first = queue.push("free", "me", 10.0, 0.0, "1")
    second = queue.push("free", "me", 10.0, 0.0, "2")
    queue.pop(0.0)
    queue.settle(first, 15.0)  # 5 more
    third = queue.push("free", "me", 10.0, 0.0, "3")
    assert (second.start, third.start) == (15.0, 25.0)
    queue.pop(0.0)
    queue.settle(second, 12.0)  # 2 more
    assert third.start == 27.0


def test_one_job_at_once_is_the_default() -> None:
    queue: FairQueue[str] = FairQueue({"free": 1.0})
    for name in "ab":
        queue.push("free", "me", 1.0, 0.0, name)
    assert order(queue) == ["a"]
    assert queue.jobs_of("free", "me") == 2
    assert queue.jobs_of("free", "stranger") == 0


def test_member_is_forgotten_when_a_newcomer_would_start_no_earlier() -> None:
    queue: FairQueue[str] = FairQueue({"free": 1.0}, ageing=1.0)
    flows = queue.lanes["free"].flows
    mine = queue.push("free", "me", 5.0, 0.0, "1")
    queue.pop(0.0)
    queue.settle(mine, 5.0)
    assert set(flows) == {"me"}  # the tail is 5, the lane's virtual time 0
    yours = queue.push("free", "you", 1.0, 4.0, "2")
    queue.pop(5.0)
    queue.settle(yours, 1.0)
    assert set(flows) == {"me"}  # a tail of 5 at 5: as a newcomer
    mine = queue.push("free", "me", 1.0, 5.0, "3")
    queue.pop(9.0)
    assert set(flows) == {"me"}
    queue.settle(mine, 1.0)
    assert set(flows) == set()


def test_member_with_a_running_job_is_remembered() -> None:
    queue: FairQueue[str] = FairQueue({"free": 1.0}, ageing=1.0)
    first = queue.push("free", "me", 1.0, 0.0, "1", at_once=2)
    queue.push("free", "me", 1.0, 0.0, "2", at_once=2)
    order(queue, 50.0)
    queue.settle(first, 1.0)
    assert queue.jobs_of("free", "me") == 1


def test_given_lanes_are_chosen_among_as_all_are() -> None:
    queue: FairQueue[str] = FairQueue({"free": 1.0, "plus": 4.0, "pro": 8.0})
    for name in ("free", "plus", "pro"):
        queue.push(name, "me", 8.0, 0.0, name)
    chosen = queue.pop(0.0, lanes=["free", "plus"])
    assert chosen is not None
    assert chosen.item == "plus"
    assert queue.lanes["pro"].start == 0.0


def test_lane_is_behind_by_its_last_job_at_most_after_an_idle_time() -> None:
    """Free was served 3 seconds of work alone; Plus then gets 4 × 3 seconds before it."""
    queue: FairQueue[str] = FairQueue({"free": 1.0, "plus": 4.0}, ageing=0.0)
    for number in range(5):
        queue.push("free", number, 3.0, 0.0, "f")
        entry = queue.pop(0.0)
        assert entry is not None
        queue.settle(entry, 3.0)
    queue.push("free", "me", 3.0, 900.0, "f")
    for number in range(6):
        queue.push("plus", number, 3.0, 900.0, "p")
    assert "".join(order(queue, 900.0)) == "pppppfp"


def test_unknown_lane_is_an_error() -> None:
    queue: FairQueue[str] = FairQueue({"free": 1.0})
    with pytest.raises(KeyError):
        queue.push("gold", "me", 1.0, 0.0, "")


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
def test_backlogged_members_of_a_tier_get_equal_shares(members: list[list[float]]) -> None:
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
def test_start_delay_is_bounded_by_one_job_of_each_other_lane(
    arrivals: list[tuple[str, float, float]],
) -> None:
    """Theorem 4 of the same paper: the delay bound, on one server of constant speed.

    Within a busy period: after it, a lane may still be charged for its last job (see below).
    """
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
        if not queue.waiting and pending[0][1][1] > clock:
            clock = pending[0][1][1]
            queue = FairQueue(WEIGHTS, ageing=0.0)
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
def test_burst_delays_another_member_by_at_most_one_job(
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
def test_idle_member_accumulates_no_credit(history: list[tuple[str, bool]], rest: int) -> None:
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
def test_ageing_bounds_overtaking_by_newcomers(
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


@given(st.floats(1.0, 4.0), st.floats(0.25, 1.0))
def test_wrong_expected_costs_are_corrected(dear: float, cheap: float) -> None:
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


def test_cost_correction_moves_waiting_jobs_but_not_the_ready_one() -> None:
    queue: FairQueue[str] = FairQueue({"free": 1.0}, ageing=0.0)
    first, second, third = (
        queue.push("free", "me", 10.0, 0.0, name, at_once=2) for name in ("1", "2", "3")
    )
    assert queue.pop(0.0) is first
    queue.settle(first, 25.0)
    assert second.start == 10.0
    assert third.start == 35.0
    assert queue.push("free", "me", 10.0, 0.0, "4", at_once=2).start == 45.0


def test_idle_lane_does_not_catch_up() -> None:
    queue: FairQueue[None] = FairQueue(WEIGHTS)
    for number in range(60):
        queue.push("free", number, 1.0, 0.0, None)
    for _ in range(40):
        queue.pop(0.0)
    for number in range(20):
        queue.push(RELAXED, number, 1.0, 0.0, None)
    lanes = [entry.lane.name for _ in range(20) if (entry := queue.pop(0.0))]
    assert abs(lanes.count("free") - lanes.count(RELAXED)) <= 2


def test_member_limit_holds_with_jobs_behind() -> None:
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


def test_pop_considers_only_given_lanes() -> None:
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
