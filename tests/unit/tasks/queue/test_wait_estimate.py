"""Estimates: the fluid replay against the fair queue itself, and a range that comes true."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.jobs.job import Estimate
from tasks.queue import wait_estimate
from tasks.queue.fairness import RELAXED, FairQueue
from tasks.queue.load import FleetLoad, LaneLoad, Load
from tasks.queue.wait_estimate import (
    FOREVER,
    MOST_MEDIAN_CORRECTION,
    NARROWEST,
    WIDEST,
    Calibration,
    Outcome,
    begin_seconds,
    correct,
    corrected,
    jobs_before,
    own_seconds,
    quantile,
    replay,
    spare_seconds,
)
from tests.records import assert_records_are_immutable

WEIGHTS = {"free": 1.0, "plus": 4.0, "team": 6.0, "pro": 8.0, RELAXED: 1.0}


def load(rate: float, **seconds: float) -> Load:
    lanes = {
        name: LaneLoad(weight, round(seconds.get(name, 0)), seconds.get(name, 0.0))
        for name, weight in WEIGHTS.items()
    }
    return Load(FleetLoad(rate, slots=1, job_seconds=1.0), lanes)


@given(
    jobs=st.dictionaries(st.sampled_from(list(WEIGHTS)), st.integers(1, 60), min_size=1),
    lane=st.sampled_from(list(WEIGHTS)),
)
def test_replay_matches_the_fair_queue_within_one_job_per_lane(
    jobs: dict[str, int], lane: str
) -> None:
    """A new last job of `lane`: when does the queue itself serve it, on one GPU?"""
    queue: FairQueue[None] = FairQueue(WEIGHTS)
    for name, count in jobs.items():
        for number in range(count):
            queue.push(name, number, 1.0, 0.0, None)
    mine = queue.push(lane, "me", 1.0, 0.0, None)
    true = 0
    while queue.pop(0.0) is not mine:
        true += 1
    now = load(1.0, **{name: float(count) for name, count in jobs.items()})
    ahead = jobs.get(lane, 0)
    model = replay(now, lane, float(ahead)).seconds
    bound = sum(1 + WEIGHTS[lane] / WEIGHTS[name] for name in jobs if name != lane)
    slow = sum(WEIGHTS[name] / WEIGHTS[lane] for name in jobs if name != lane)
    assert abs(true - model) <= bound + slow + 1
    told = jobs_before(now, lane, ahead, float(ahead))
    assert abs(true + 1 - told) <= bound + slow + 2


@given(st.floats(0.1, 100), st.floats(0, 1e5), st.floats(0, 1e5), st.floats(1.01, 3))
def test_wait_grows_with_backlog_and_shrinks_with_gpus(
    rate: float, free: float, pro: float, factor: float
) -> None:
    one = replay(load(rate, free=free, pro=pro), "free", free).seconds
    assert one == pytest.approx((free + min(pro, 8 * free)) / rate, abs=1e-6)
    assert replay(load(rate * factor, free=free, pro=pro), "free", free).seconds <= one + 1e-9
    assert replay(load(rate, free=free, pro=pro), "free", free / 2).seconds <= one + 1e-9


def test_paid_inflow_takes_its_share_first() -> None:
    lanes = {"free": LaneLoad(1.0, 100, 100.0), "pro": LaneLoad(8.0, 0, 0.0, inflow=0.5)}
    assert replay(Load(FleetLoad(1.0), lanes), "free", 100.0).seconds == pytest.approx(200.0)
    flood = lanes | {"pro": LaneLoad(8.0, 0, 0.0, inflow=50.0)}
    assert replay(Load(FleetLoad(1.0), flood), "free", 100.0).seconds == pytest.approx(900.0)


@given(
    st.dictionaries(
        st.sampled_from(list(WEIGHTS)),
        st.tuples(st.floats(0, 1e6), st.just(0.0) | st.floats(1e-6, 50)),
        min_size=1,
    ),
    st.just(0.0) | st.floats(1e-3, 100),
)
def test_every_load_has_a_wait(lanes: dict[str, tuple[float, float]], rate: float) -> None:
    whole = Load(
        FleetLoad(rate),
        {
            name: LaneLoad(weight, int(lanes.get(name, (0, 0))[0]), *lanes.get(name, (0.0, 0.0)))
            for name, weight in WEIGHTS.items()
        },
    )
    answer = replay(whole, "free", 10.0).seconds
    assert answer >= 0.0
    assert math.isinf(answer) == (rate == 0)


@given(st.floats(0.1, 100), st.floats(0, 1e4), st.floats(0, 1e4), st.floats(1, 5000))
def test_spare_seconds_bring_the_wait_to_its_limit(
    rate: float, free: float, pro: float, longest: float
) -> None:
    now = load(rate, free=free, pro=pro)
    spare = spare_seconds(now, "free", 1.0, longest)
    if spare > 0:
        after = load(rate, free=free + spare, pro=pro)
        assert begin_seconds(after, "free", free + spare, 1.0) <= longest + 1e-6
        more = free + spare * 1.01 + 0.1
        assert begin_seconds(load(rate, free=more, pro=pro), "free", more, 1.0) > longest - 1e-6
    else:
        assert begin_seconds(now, "free", free, 1.0) >= longest - 1e-6


def two_lanes(rate: float = 2.0, **inflow: float) -> Load:
    """Lane `a` of weight 1 with 2 GPU seconds, and `b` of weight 3 with 6."""
    lanes = {
        "a": LaneLoad(1.0, 4, 2.0, inflow.get("a", 0.0)),
        "b": LaneLoad(3.0, 6, 6.0, inflow.get("b", 0.0)),
    }
    return Load(FleetLoad(rate), lanes)


def test_records_are_immutable() -> None:
    assert_records_are_immutable(wait_estimate)


def test_lanes_drain_by_weight_and_take_what_others_leave() -> None:
    """`b` drains at 1.5 for 4 s; `a` receives 2 until then, and the other 8 at 2 a second."""
    found = replay(two_lanes(), "a", 10.0)
    assert found.seconds == pytest.approx(8.0)
    assert found.served == pytest.approx({"a": 10.0, "b": 6.0})
    early = replay(two_lanes(), "a", 1.0)
    assert early.seconds == pytest.approx(2.0)
    assert early.served == pytest.approx({"a": 1.0, "b": 3.0})


def test_inflow_of_a_backlogged_lane_lengthens_its_backlog() -> None:
    """`b` drains at 1.5 - 0.5 for 6 s, then takes its inflow; `a` gets 3, then 1.5 a second."""
    found = replay(two_lanes(b=0.5), "a", 10.0)
    assert found.seconds == pytest.approx(6.0 + 7.0 / 1.5)
    assert found.served == pytest.approx({"a": 10.0, "b": 9.0 + 0.5 * 7.0 / 1.5})


def test_own_inflow_waits_behind() -> None:
    assert replay(two_lanes(a=5.0), "a", 10.0).seconds == pytest.approx(8.0)


def test_lane_that_arrives_faster_than_its_share_never_empties() -> None:
    found = replay(two_lanes(b=1.5), "a", 10.0)
    assert found.seconds == pytest.approx(20.0)
    assert found.served == pytest.approx({"a": 10.0, "b": 30.0})


def test_backlog_grows_while_others_have_more_weight_behind_them() -> None:
    """`c` grows from 1 to 1.4 in 6 s while `b` drains, and then drains at 0.1 for 14 s."""
    lanes = {
        "a": LaneLoad(1.0),
        "b": LaneLoad(1.0, 1, 2.0),
        "c": LaneLoad(1.0, 1, 1.0, inflow=0.4),
    }
    found = replay(Load(FleetLoad(1.0), lanes), "a", 10.0)
    assert found.seconds == pytest.approx(20.0 + 1.0 / 0.6)
    assert found.served == pytest.approx({"a": 10.0, "b": 2.0, "c": 9.0 + 0.4 / 0.6})


def test_lane_is_known_by_its_name_whatever_the_object() -> None:
    other = "".join(("pl", "us"))
    assert other is not "plus"  # noqa: F632
    now = load(1.0, plus=8.0, free=2.0)
    assert replay(now, other, 8.0) == replay(now, "plus", 8.0)
    assert replay(now, other, 8.0).seconds == pytest.approx(10.0)  # 4/5 of the rate at first
    assert jobs_before(now, other, 8, 8.0) == 11
    assert spare_seconds(now, other, 1.0, 20.0) == pytest.approx(10.0)


def test_small_backlog_counts() -> None:
    lanes = {"a": LaneLoad(1.0), "b": LaneLoad(1.0, 1, 0.25)}
    assert replay(Load(FleetLoad(1.0), lanes), "a", 1.0).seconds == pytest.approx(1.25)


def test_idle_lanes_take_their_inflow_and_leave_the_rest() -> None:
    """Of a rate of 1, `b` and `c` take 0.1 and 0.2, so that `a` receives 0.7 a second."""
    lanes = {"a": LaneLoad(1.0), "b": LaneLoad(1.0, inflow=0.1), "c": LaneLoad(2.0, inflow=0.2)}
    found = replay(Load(FleetLoad(1.0), lanes), "a", 7.0)
    assert found.seconds == pytest.approx(10.0)
    assert found.served == pytest.approx({"a": 7.0, "b": 1.0, "c": 2.0})


def test_what_an_idle_lane_leaves_is_shared_by_weight() -> None:
    """`b` takes its 0.2 of a rate of 1; `c` wants 0.45 and shares the other 0.8 with `a`."""
    lanes = {"a": LaneLoad(1.0), "b": LaneLoad(1.0, inflow=0.2), "c": LaneLoad(1.0, inflow=0.45)}
    found = replay(Load(FleetLoad(1.0), lanes), "a", 4.0)
    assert found.seconds == pytest.approx(10.0)
    assert found.served == pytest.approx({"a": 4.0, "b": 2.0, "c": 4.0})


@pytest.mark.parametrize("last", ["b", "c"])
def test_lane_that_takes_the_rest_is_found_in_a_second_round(last: str) -> None:
    """Shares of 1/3 each at first; once the others have theirs, 0.35 is less than a share."""
    first = "c" if last == "b" else "b"
    lanes = {"a": LaneLoad(1.0), "b": LaneLoad(1.0), "c": LaneLoad(1.0)}
    lanes |= {first: LaneLoad(1.0, inflow=0.05), last: LaneLoad(1.0, inflow=0.35)}
    found = replay(Load(FleetLoad(1.0), lanes), "a", 6.0)
    assert found.seconds == pytest.approx(10.0)
    assert found.served == pytest.approx({"a": 6.0, first: 0.5, last: 3.5})


def test_replay_stops_after_the_longest_time() -> None:
    at_once = replay(two_lanes(), "a", math.inf, 2.0)
    assert at_once.seconds == pytest.approx(2.0)
    assert at_once.served == pytest.approx({"a": 1.0, "b": 3.0})
    later = replay(two_lanes(), "a", math.inf, 7.0)
    assert later.seconds == pytest.approx(7.0)
    assert later.served == pytest.approx({"a": 8.0, "b": 6.0})
    assert replay(two_lanes(), "a", 1.0, 7.0).seconds == pytest.approx(2.0)
    assert replay(two_lanes(), "a", 1.0, 0.5).seconds == pytest.approx(0.5)


@pytest.mark.parametrize(("ahead", "longest"), [(0.0, 9.0), (-1.0, 9.0), (9.0, 0.0), (9.0, -1.0)])
def test_nothing_ahead_or_no_time_takes_no_time(ahead: float, longest: float) -> None:
    found = replay(two_lanes(), "a", ahead, longest)
    assert (found.seconds, found.served) == (0.0, {"a": 0.0, "b": 0.0})


@pytest.mark.parametrize("rate", [0.0, -1.0])
def test_without_a_worker_work_takes_for_ever(rate: float) -> None:
    found = replay(two_lanes(rate), "a", 1.0)
    assert (found.seconds, found.served) == (FOREVER, {"a": 0.0, "b": 0.0})
    assert replay(two_lanes(rate), "a", 0.0).seconds == 0.0
    assert begin_seconds(two_lanes(rate), "a", 0.0, 1.0) == FOREVER
    assert spare_seconds(two_lanes(rate), "a", 1.0, 1e9) == 0.0


def test_slow_worker_is_a_worker() -> None:
    assert replay(two_lanes(0.5), "a", 10.0).seconds == pytest.approx(32.0)
    assert begin_seconds(two_lanes(0.5), "a", 10.0, 1.0) == pytest.approx(32.0)


@pytest.mark.parametrize(
    ("ahead", "jobs_ahead", "place"),
    [
        (0.0, 0, 1),
        (0.0, 4, 5),
        (1.0, 2, 6),  # 3 GPU seconds of `b` meanwhile: three of its six jobs
        (10.0, 4, 11),  # all six
    ],
)
def test_place_in_line_counts_jobs_of_other_lanes_served_meanwhile(
    ahead: float, jobs_ahead: int, place: int
) -> None:
    assert jobs_before(two_lanes(), "a", jobs_ahead, ahead) == place


def test_place_in_line_counts_waiting_jobs_only() -> None:
    """`b` has 6 GPU seconds in 3 jobs and receives 30 with its inflow; `c` has none waiting."""
    lanes = {
        "a": LaneLoad(1.0, 4, 10.0),
        "b": LaneLoad(3.0, 3, 6.0, inflow=1.5),
        "c": LaneLoad(1.0, 0, 0.0),
    }
    assert jobs_before(Load(FleetLoad(2.0), lanes), "a", 4, 10.0) == 8
    half = {"a": LaneLoad(1.0, 1, 1.0), "b": LaneLoad(1.0, 1, 0.5)}
    assert jobs_before(Load(FleetLoad(1.0), half), "a", 1, 1.0) == 3


@pytest.mark.parametrize(
    ("fleet", "seconds"),
    [
        (FleetLoad(2.0, slots=3, running=2, job_seconds=8.0), 8.0),
        (FleetLoad(2.0, slots=3, running=3, job_seconds=8.0), 10.0),  # 8 s / 4 until a slot is free
        (FleetLoad(2.0, slots=3, running=4, job_seconds=8.0), 10.0),
        (FleetLoad(2.0, slots=1, running=1, job_seconds=8.0), 12.0),
        (FleetLoad(2.0, slots=3, running=3), 9.5),  # a job of 4 GPU seconds takes 4 × 3 / 2
        (FleetLoad(0.0, slots=1, running=1), FOREVER),
        (FleetLoad(2.0, slots=0, running=0), FOREVER),
        (FleetLoad(2.0, slots=-1, running=0), FOREVER),
    ],
)
def test_job_waits_for_a_free_slot_where_all_are_taken(fleet: FleetLoad, seconds: float) -> None:
    load = Load(fleet, two_lanes().lanes)
    assert begin_seconds(load, "a", 10.0, 4.0) == pytest.approx(seconds)


def test_render_takes_the_measured_time_or_its_share_of_the_fleet() -> None:
    measured = Load(FleetLoad(2.0, slots=3, job_seconds=8.0))
    assert own_seconds(measured, 4.0) == 8.0
    assert own_seconds(Load(FleetLoad(2.0, slots=3)), 4.0) == 6.0


@pytest.mark.parametrize(("true", "kept"), [(9.0, True), (10.0, True), (10.5, False)])
def test_outcome_within_p90_is_kept(true: float, kept: bool) -> None:
    assert Outcome(5.0, 10.0, true).kept is kept


def test_forecast_without_outcomes_is_not_corrected() -> None:
    assert correct([]) == Calibration(1.0, 1.0, None, 0)


def test_kept_outcomes_narrow_the_range_and_move_the_median() -> None:
    """Outcomes of 20 s count half: sixty of them as much as the thirty of the forecast itself.

    None missed where one in ten may be: -0.1 × 30 / 60, times the gain of 10, is -0.5.
    """
    found = correct([Outcome(19.0, 24.0, 20.0)] * 61)
    assert found.median == pytest.approx(20 / 19)
    assert found.high == pytest.approx(math.exp(-0.1 * 30.5 / 60.5 * 10))
    assert (found.share, found.samples) == (1.0, 61)
    assert correct([Outcome(19.0, 24.0, 20.0)] * 59).median == 1.0


def test_missed_outcomes_widen_the_range() -> None:
    """One miss in three, of 20 s: it counts half, and those of 5 s four fifths."""
    outcomes = [Outcome(10.0, 15.0, 20.0), *[Outcome(10.0, 15.0, 5.0)] * 2]
    many = correct(outcomes * 20)
    assert many.high == pytest.approx(2.0)  # e^(10 × 5.8 / 72) is above the bound
    assert many.share == pytest.approx(2 / 3)
    few = correct(outcomes * 2)
    assert few.high == pytest.approx(math.exp((1.0 - 0.42) / 34.2 * 10))
    assert (few.median, few.samples) == (1.0, 6)


def test_outcomes_of_long_waits_say_little_of_the_present() -> None:
    """Of a surge's first jobs all waited four times as long as was forecast then."""
    short = correct([Outcome(1.0, 2.0, 4.0)] * 200)
    assert (short.median, short.high) == (1.1, 2.0)
    long = correct([Outcome(1000.0, 2000.0, 4000.0)] * 200)
    assert long.median == 1.0
    assert 1.0 < long.high < short.high


OUTCOMES = st.lists(
    st.builds(Outcome, st.floats(0.1, 1e3), st.floats(0.1, 1e3), st.floats(0.0, 1e4)), max_size=80
)


@given(OUTCOMES, st.floats(0.1, 1e3), st.floats(1.1, 5.0))
def test_more_misses_never_narrow_the_range(
    outcomes: list[Outcome], model: float, factor: float
) -> None:
    kept = correct([*outcomes, Outcome(model, model * 6, model * factor)])
    missed = correct([*outcomes, Outcome(model, model, model * factor)])
    assert NARROWEST <= kept.high <= missed.high <= WIDEST
    assert kept.median == missed.median
    assert 1 / MOST_MEDIAN_CORRECTION <= kept.median <= MOST_MEDIAN_CORRECTION


@given(OUTCOMES)
def test_order_of_outcomes_does_not_matter(outcomes: list[Outcome]) -> None:
    one, other = correct(outcomes), correct(outcomes[::-1])
    assert one.median == other.median
    assert one.high == pytest.approx(other.high)


@pytest.mark.parametrize(
    ("ratio", "median", "high"),
    [(3.0, 1.1, 2.0), (0.2, 1 / 1.1, 0.5), (1.05, 1.05, 0.5), (0.95, 0.95, 0.5)],
)
def test_correction_is_bounded(ratio: float, median: float, high: float) -> None:
    """After 300 outcomes, the last ones only, of which all or none are kept."""
    found = correct([Outcome(1.0, 2.0, ratio)] * 300)
    assert found.median == pytest.approx(median)
    assert found.high == pytest.approx(high)
    assert found.samples == 300


def test_only_the_last_three_hundred_outcomes_count() -> None:
    old, new = [Outcome(10.0, 20.0, 100.0)] * 50, [Outcome(10.0, 20.0, 10.0)] * 300
    assert correct(old + new) == correct(new)
    assert correct(old + new[1:]).share == pytest.approx(299 / 300)


@pytest.mark.parametrize("model", [0.0, -5.0, math.inf, math.nan])
def test_outcome_without_a_forecast_does_not_count(model: float) -> None:
    assert correct([Outcome(model, 20.0, 100.0)] * 40) == Calibration(1.0, 1.0, None, 0)
    assert correct([Outcome(0.5, 20.0, 0.5)]).samples == 1


@pytest.mark.parametrize(
    ("p50", "p90", "shown"),
    [
        (100.0, 200.0, (110.0, 110.0 * 2**1.2)),
        (100.0, 80.0, (110.0, 110.0)),  # never below the median
        (0.01, 0.02, (0.1, 0.1)),  # a tenth of a second at least
        (0.05, 0.15, (0.1, 0.1 * 1.5**1.2)),  # the width above a tenth of a second
        (100.0, 240.0, (110.0, 110.0 * 2.5)),  # outcomes widen no range beyond two and a half
        (0.05, 2.0, (0.1, 0.1 * 20.0)),
        (1e12, 1e12, (1e9, 1e9)),
        (100.0, math.inf, (110.0, 1e9)),
    ],
)
def test_members_see_the_corrected_forecast(
    p50: float, p90: float, shown: tuple[float, float]
) -> None:
    found = corrected(Calibration(1.1, 1.2, 0.9, 50), p50, p90)
    assert found is not None
    assert found.p50.total_seconds() == pytest.approx(shown[0])
    assert found.p90.total_seconds() == pytest.approx(shown[1], abs=1e-6)


def test_estimate_is_a_thousand_million_seconds_at_most() -> None:
    found = corrected(Calibration(1.0, 1.0, None, 0), 1e12, 1e12)
    longest = timedelta(seconds=1_000_000_000)
    assert found == Estimate(longest, longest)
    below = corrected(Calibration(1.0, 1.0, None, 0), 999_999_999.5, 999_999_999.5)
    assert below == Estimate(*[timedelta(seconds=999_999_999.5)] * 2)


@pytest.mark.parametrize("p50", [math.inf, math.nan])
def test_infinite_forecast_is_no_estimate(p50: float) -> None:
    assert corrected(Calibration(1.1, 1.2, 0.9, 50), p50, math.inf) is None


@pytest.mark.parametrize(
    ("values", "level", "value"),
    [
        ([1.0, 2.0, 4.0, 8.0], 0.0, 1.0),
        ([1.0, 2.0, 4.0, 8.0], 1.0, 8.0),
        ([1.0, 2.0, 4.0, 8.0], 0.1, 1.3),
        ([1.0, 2.0, 4.0, 8.0], 0.5, 3.0),
        ([1.0, 2.0, 4.0, 8.0], 0.9, 6.8),
        ([1.0, 2.0, 4.0], 0.5, 2.0),
        ([5.0], 0.9, 5.0),
    ],
)
def test_quantile_is_linear_between_neighbours(
    values: list[float], level: float, value: float
) -> None:
    assert quantile(values, level) == pytest.approx(value)


@pytest.mark.parametrize(
    ("fleet", "longest", "spare"),
    [
        (FleetLoad(2.0), 8.0, 8.0),  # `a` receives 10 in 8 s and has 2
        (FleetLoad(2.0), 2.0, 0.0),  # 1 in 2 s
        (FleetLoad(2.0), 4.5, 1.0),  # 2 in 4 s, and 1 in the next half
        (FleetLoad(2.0, slots=2, running=2, job_seconds=6.0), 10.0, 8.0),  # a slot is free in 2 s
        (FleetLoad(2.0, slots=2, running=2, job_seconds=6.0), 2.0, 0.0),
        (FleetLoad(2.0, slots=2, running=2, job_seconds=6.0), 1.0, 0.0),
        (FleetLoad(2.0), 0.0, 0.0),
    ],
)
def test_spare_capacity_is_what_a_lane_receives_without_its_backlog(
    fleet: FleetLoad, longest: float, spare: float
) -> None:
    load = Load(fleet, two_lanes().lanes)
    assert spare_seconds(load, "a", 3.0, longest) == pytest.approx(spare)
