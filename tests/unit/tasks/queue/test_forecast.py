"""Forecasts: the fair order under the demand that is still to come."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imaging.engine.step_scheduler import WEIGHTS as WEIGHTS_OF_CLASSES
from imaging.request import Priority
from tasks.queue.demand import Arrivals, Demand, Regime, read_demand
from tasks.queue.fairness import AGEING, FairQueue
from tasks.queue.fluid import PAUSED_SHARE, Phase, service_curves
from tasks.queue.forecast import Duration, FleetChange, forecast, remaining
from tasks.queue.load import FleetLoad, LaneLoad, Load
from tasks.queue.wait_estimate import Outcome, correct, corrected, replay

WEIGHTS = {"free": 1.0, "plus": 4.0, "pro": 8.0}


def load(rate: float = 1.0, **seconds: float) -> Load:
    lanes = {name: LaneLoad(w, 1, seconds.get(name, 0.0)) for name, w in WEIGHTS.items()}
    return Load(FleetLoad(rate, max(1, round(rate)), max(1, round(rate)), 1.0), lanes)


def steady(age: float, **per_second: float) -> Demand:
    """A demand that has lasted for `age` seconds, in jobs of one GPU second; nothing before it."""
    lanes = {name: Arrivals(rate * age, rate * age) for name, rate in per_second.items()}
    moment = sum(per_second.values()) * age * age / 2
    return Demand(age, (Regime(0.0, 1.0, lanes, {}, {}, 1.0, moment),), lanes, age)


@given(st.floats(1, 300), st.floats(0, 300), st.floats(0, 300), st.floats(0.5, 8))
@example(51.46594094549028, 206.0, 0.0, 1.0)  # served by steps whose sum is a rounding error less
@settings(max_examples=50, deadline=None)
def test_curves_without_inflow_are_the_replay(
    free: float, plus: float, pro: float, rate: float
) -> None:
    now = load(rate, free=free, plus=plus, pro=pro)
    curves = service_curves(now, [Phase(0.0, rate, {})])
    assert curves["free"].time_of(free) == pytest.approx(
        replay(now, "free", free).seconds, rel=1e-6, abs=1e-6
    )


def test_heavier_arrivals_to_come_lengthen_the_wait_of_free() -> None:
    quiet = forecast(load(free=20.0), Demand(), 0.0).wait("free", 20.0, 1.0)
    busy = forecast(load(free=20.0), steady(600, plus=0.4, pro=0.3), 600.0).wait("free", 20.0, 1.0)
    assert busy.at(0.5) > 2 * quiet.at(0.5)


def test_young_surge_is_expected_to_end_sooner_than_an_old_one() -> None:
    young = forecast(load(free=60.0), steady(10, pro=0.8), 10.0).wait("free", 60.0, 1.0)
    old = forecast(load(free=60.0), steady(3600, pro=0.8), 3600.0).wait("free", 60.0, 1.0)
    assert young.at(0.5) < 0.8 * old.at(0.5)


def test_lost_workers_may_return_and_recovered_ones_stay() -> None:
    now = load(2.0, free=100.0)
    plain = forecast(now, Demand(), 100.0).wait("free", 100.0, 1.0)
    lost = forecast(now, Demand(), 100.0, FleetChange(95.0, 4.0)).wait("free", 100.0, 1.0)
    recovered = forecast(now, Demand(), 100.0, FleetChange(95.0, 1.0)).wait("free", 100.0, 1.0)
    assert lost.at(0.5) < plain.at(0.5)
    assert recovered.waits == plain.waits


def test_newcomers_overtake_a_later_job_of_a_member() -> None:
    found = forecast(load(free=10.0), steady(600, free=0.8), 600.0)
    assert found.wait("free", 10.0, 1.0, lead=0.05).at(0.5) > found.wait("free", 10.0, 1.0).at(0.5)


def test_trend_of_a_growing_queue_raises_the_doors_wait() -> None:
    found = forecast(load(free=30.0), steady(60, free=2.0), 60.0)
    assert found.newcomer("free", 1.0, 30.0).at(0.5) > found.newcomer("free", 1.0).at(0.5) + 10
    drained = forecast(load(free=30.0), Demand(), 60.0)
    assert drained.newcomer("free", 1.0, 30.0).at(0.5) == drained.newcomer("free", 1.0).at(0.5)


def test_newcomer_of_an_empty_lane_barely_waits_behind_a_short_paid_queue() -> None:
    now = load(4.0, pro=0.5)
    found = forecast(now, steady(600, free=0.8, pro=0.5), 600.0)
    assert found.newcomer("free", 1.0, 30.0).at(0.5) < 2.0


def test_job_that_came_after_the_load_was_read_has_a_finite_wait() -> None:
    found = forecast(load(2.0), Demand(), 0.0)
    assert found.wait("free", 6.0, 1.0).at(0.5) == pytest.approx(4.0, rel=0.3)


def test_no_worker_means_no_wait_is_known() -> None:
    found = forecast(load(0.0, free=10.0), Demand(), 0.0)
    assert found.wait("free", 10.0, 1.0).at(0.5) == math.inf
    assert found.newcomer("free", 1.0).at(0.5) == math.inf
    assert corrected(correct([]), math.inf, math.inf) is None


@given(st.floats(0, 500), st.floats(0, 3), st.floats(1, 2000), st.floats(0.5, 10))
@settings(max_examples=50, deadline=None)
def test_quantiles_are_ordered_and_repeatable(
    ahead: float, inflow: float, age: float, rate: float
) -> None:
    demand = steady(age, plus=inflow, free=inflow)
    one = forecast(load(rate, free=ahead), demand, age).wait("free", ahead, 1.0)
    again = forecast(load(rate, free=ahead), demand, age).wait("free", ahead, 1.0)
    assert list(one.waits) == sorted(one.waits)
    assert one.at(0.5) <= one.at(0.9)
    assert one.waits == again.waits


def growing(slope: float, seconds: int = 100) -> Demand:
    """Arrivals observed each second at a rate that changes linearly from 2 a second."""
    demand = Demand()
    for second in range(1, seconds):
        came = Arrivals(2 + slope * second, 2 + slope * second)
        demand = demand.observe({"free": came}, float(second))
    return demand


def test_present_rate_of_a_ramp_is_not_its_mean() -> None:
    """After 100 s the rate is 6 a second, and the mean of those seconds 4."""
    assert growing(0.04).rate() == pytest.approx(6.0, rel=0.1)
    assert growing(0.0).rate() == pytest.approx(2.0, rel=0.1)
    assert growing(-0.015).rate() == pytest.approx(0.5, rel=0.3)


def test_demand_survives_being_stored_and_older_records_have_no_trend() -> None:
    demand = growing(0.04)
    stored = demand.to_json()
    assert read_demand(stored) == demand
    for regime in stored["regimes"]:
        del regime["moment"]
    for regime in read_demand(stored).regimes:
        assert regime.trend(demand.at)[0] == pytest.approx(0.0)


def test_noise_of_other_lanes_widens_a_light_lane_more_than_a_heavy_one() -> None:
    demand = steady(600, free=0.3, plus=0.3, pro=0.3)
    found = forecast(load(), demand, 600.0).scenarios[0].spread
    assert found["free"] > found["plus"] > found["pro"] > 0


def test_turn_of_a_light_lane_is_less_certain_while_other_lanes_wait() -> None:
    """Between two jobs of Free come twelve of the others, between two of Pro less than one."""
    now = load(4.0, free=1.0, plus=20.0, pro=20.0)

    def spread(lane: str) -> float:
        waits = forecast(now, Demand(), 0.0).wait(lane, 0.0, 1.0)
        return waits.at(0.9) - waits.at(0.5)

    assert spread("free") > spread("plus") > spread("pro") > 0
    alone = forecast(load(4.0, free=1.0), Demand(), 0.0).wait("free", 0.0, 1.0)
    assert alone.at(0.9) - alone.at(0.5) < spread("plus")


def test_own_work_of_a_job_counts_in_its_wait() -> None:
    fleet = FleetLoad(2.0, 2, 1, job_seconds=3.0)
    now = Load(fleet, {"pro": LaneLoad(8.0, stretch=1.5), "free": LaneLoad(1.0, stretch=9.0)})
    small, large = (forecast(now, Demand(), 0.0).wait("pro", 0.0, cost) for cost in (1.0, 4.0))
    assert small.at(0.5) == pytest.approx(1.5, rel=0.05)
    assert large.at(0.5) == pytest.approx(6.0, rel=0.05)


def test_free_renders_faster_once_the_paid_jobs_that_pause_it_are_gone() -> None:
    """Eight of nine seconds go to Pro for 18 s; a job of Free then has the device for itself."""
    lanes = {
        "pro": LaneLoad(8.0, 16, 16.0, stretch=2.0),
        "free": LaneLoad(1.0, 20, 20.0, stretch=1.0, pauses=True),
    }
    found = forecast(Load(FleetLoad(1.0, 2, 4, 1.0, headroom=2), lanes), Demand(), 0.0)
    next_one, last = (found.wait("free", ahead, 1.0).at(0.5) for ahead in (0.0, 20.0))
    assert next_one == pytest.approx(9.0, abs=1.0)
    assert last == pytest.approx(36.0 + 1.0, abs=1.0)
    # The half of one that runs is needed before, and a quarter of the render's time goes to it.
    amid = {**lanes, "free": replace(lanes["free"], running=1, underway=0.5)}
    found = forecast(Load(FleetLoad(1.0, 2, 4, 1.0, headroom=2), amid), Demand(), 0.0)
    assert found.wait("free", 0.0, 1.0).at(0.5) == pytest.approx(9 * (0.5 + 1.25), rel=0.1)


def test_what_running_jobs_still_need_is_uncertain() -> None:
    def width(underway: float) -> float:
        lane = LaneLoad(1.0, 9, 9.0, stretch=1.0, pauses=True, running=1, underway=underway)
        now = Load(FleetLoad(1.0, 2, 1, 1.0, headroom=2), {"free": lane})
        waits = forecast(now, Demand(), 0.0).wait("free", 9.0, 1.0)
        return waits.at(0.9) - waits.at(0.5)

    assert width(4.0) > width(0.0) + 1.0


def test_paused_lanes_receive_a_ninth_while_paid_jobs_wait() -> None:
    """By the weights of the lanes alone, Free and relaxed work would have a third."""
    lanes = {
        "plus": LaneLoad(4.0, 16, 16.0),
        "free": LaneLoad(1.0, 9, 9.0, pauses=True),
        "relaxed": LaneLoad(1.0, 9, 9.0, pauses=True),
    }
    curves = service_curves(Load(FleetLoad(1.0), lanes), [Phase(0.0, 1.0, {})])
    assert curves["plus"].time_of(16.0) == pytest.approx(18.0)
    assert curves["free"].time_of(1.0) == curves["relaxed"].time_of(1.0) == pytest.approx(18.0)
    assert curves["free"].time_of(9.0) == pytest.approx(34.0)
    # Paid jobs that come and do not wait leave the rest to them.
    now = Load(FleetLoad(1.0), {**lanes, "plus": LaneLoad(4.0)})
    coming = service_curves(now, [Phase(0.0, 1.0, {"plus": 0.5})])
    assert coming["free"].time_of(1.0) == pytest.approx(4.0)


def test_share_of_paused_jobs_is_the_engines() -> None:
    free, paid = WEIGHTS_OF_CLASSES[Priority.NORMAL], WEIGHTS_OF_CLASSES[Priority.EXPRESS]
    assert free / (free + paid) == PAUSED_SHARE


def test_two_workers_render_no_job_faster_than_one() -> None:
    lanes = {"pro": LaneLoad(8.0), "free": LaneLoad(1.0, stretch=1.0, pauses=True)}
    idle = forecast(Load(FleetLoad(2.0, 4, 0, 1.0, headroom=4), lanes), Demand(), 0.0)
    assert idle.wait("free", 0.0, 3.0).at(0.5) == pytest.approx(3.0, rel=0.05)


def test_paid_job_takes_a_slot_that_is_kept_for_it() -> None:
    lanes = {
        "pro": LaneLoad(8.0, stretch=1.0),
        "free": LaneLoad(1.0, 9, 9.0, pauses=True, running=2),
    }
    for running, longer in ((2, 0.0), (3, 0.0), (4, 0.2)):
        fleet = FleetLoad(1.0, 2, running, job_seconds=9.0, headroom=2)
        wait = forecast(Load(fleet, lanes), Demand(), 0.0).wait("pro", 0.0, 1.0).at(0.5)
        assert wait == pytest.approx(1.0 + longer, abs=0.15)


def test_range_is_as_wide_as_prices_are_uncertain() -> None:
    def width(price_spread: float) -> float:
        now = load(4.0, free=200.0)
        fleet = replace(now.fleet, price_spread=price_spread)
        waits = forecast(replace(now, fleet=fleet), Demand(), 0.0).wait("free", 200.0, 1.0)
        return waits.at(0.9) / waits.at(0.5)

    assert width(0.0) < 1.1
    assert width(0.25) > 1.25


def test_short_wait_is_as_uncertain_as_what_passes_beside_the_render() -> None:
    def range_of(handling: float, cost: float) -> float:
        fleet = FleetLoad(1.0, 2, 0, handling=handling)
        now = Load(fleet, {"pro": LaneLoad(8.0, stretch=1.0)})
        waits = forecast(now, Demand(), 0.0).wait("pro", 0.0, cost)
        return waits.at(0.9) - waits.at(0.5)

    assert range_of(0.0, 0.3) < 0.06
    assert range_of(0.3, 0.3) > 0.25
    assert range_of(0.3, 30.0) == pytest.approx(range_of(0.0, 30.0), rel=0.1)


def test_surge_that_has_just_begun_has_unknown_prices() -> None:
    def width(surge: Regime, ahead: float = 200.0) -> float:
        demand = Demand(60.0, (surge,), {"free": Arrivals(1.0, 1.0)}, 60.0)
        now = load(4.0, free=ahead)
        idle = replace(now, fleet=replace(now.fleet, running=0))
        waits = forecast(idle, demand, 60.0).wait("free", ahead, 1.0)
        return waits.at(0.9) / waits.at(0.5)

    def regime(age: float, jobs: float, before: float) -> Regime:
        now, then = {"free": Arrivals(jobs, jobs)}, {"free": Arrivals(before, before)}
        return Regime(60.0 - age, 1.0, now, then, then, 1.0, jobs * age / 2)

    assert width(regime(2.0, 20.0, 0.1)) > 1.4
    assert width(regime(50.0, 500.0, 0.1)) < 1.2
    assert width(regime(2.0, 2.0, 9.0)) < 1.2
    assert width(regime(2.0, 20.0, 0.1), ahead=0.0) > 1.4  # its own render, too
    assert width(regime(50.0, 500.0, 0.1), ahead=0.0) < 1.2


def test_usual_demand_of_the_hour_is_the_prior_and_what_a_surge_returns_to() -> None:
    usual = {"pro": Arrivals(0.6, 0.6)}
    cold = forecast(load(free=30.0), Demand(usual=usual), 0.0).wait("free", 30.0, 1.0)
    unknown = forecast(load(free=30.0), Demand(), 0.0).wait("free", 30.0, 1.0)
    assert cold.at(0.5) > 1.5 * unknown.at(0.5)
    surge = steady(30, pro=0.9)
    busy_hour = forecast(load(free=60.0), replace(surge, usual=usual), 30.0)
    quiet_hour = forecast(load(free=60.0), surge, 30.0)
    busy, quiet = (found.wait("free", 60.0, 1.0) for found in (busy_hour, quiet_hour))
    assert busy.at(0.5) > 1.1 * quiet.at(0.5)


def test_remaining_time_grows_with_the_age() -> None:
    law = Duration(ratio=0.5, young=20.0, spread=1.0)
    assert remaining(10.0, 0.5, law) == pytest.approx(15.0)
    assert remaining(1000.0, 0.5, law) == pytest.approx(510.0)
    assert remaining(10.0, 0.9, law) > 3 * remaining(10.0, 0.5, law)


@given(st.integers(20, 300), st.floats(0.3, 3.0))
@settings(max_examples=40, deadline=None)
def test_outcomes_move_the_range_towards_the_truth(count: int, ratio: float) -> None:
    found = correct([Outcome(10.0, 15.0, 10.0 * ratio)] * count)
    assert (found.median - 1) * (ratio - 1) >= 0
    assert (found.high > 1) == (ratio > 1.5)
    assert found.share == (1.0 if ratio <= 1.5 else 0.0)


def served_after(inflow: float, seed: int, ahead: int = 10, behind: int = 2) -> float:
    """When the queue itself serves a member's last job, amid newcomers; one GPU, jobs of 1 s."""
    queue: FairQueue[None] = FairQueue(WEIGHTS)
    chance = random.Random(seed)
    for number in range(ahead):
        queue.push("free", f"before{number}", 1.0, 0.0, None)
    mine = [queue.push("free", "me", 1.0, 0.0, None) for _ in range(behind + 1)][-1]
    comes, newcomer = chance.expovariate(inflow), 0
    for second in range(10_000):
        now = float(second)
        while comes <= now:
            newcomer += 1
            queue.push("free", newcomer, 1.0, comes, None)
            comes += chance.expovariate(inflow)
        if (entry := queue.pop(now)) is mine:
            return now
        if entry is not None:
            queue.settle(entry, 1.0)
    raise AssertionError("a job starved")


@pytest.mark.parametrize("inflow", [0.3, 0.6, 0.8])
def test_wait_of_a_job_behind_its_members_own_is_the_queues(inflow: float) -> None:
    """Two jobs behind one's own first, amid newcomers that overtake it."""
    true = sum(served_after(inflow, seed) for seed in range(40)) / 40
    now = Load(FleetLoad(1.0, slots=1), {"free": LaneLoad(1.0, 12, 12.0)})
    found = forecast(now, steady(3600, free=inflow), 3600.0)
    assert found.wait("free", 12.0, 1.0, lead=2.0).at(0.5) == pytest.approx(true, rel=0.3)


def test_ageing_bounds_the_wait_under_a_flood_of_newcomers() -> None:
    now = Load(FleetLoad(1.0, slots=1), {"free": LaneLoad(1.0, 12, 12.0)})
    found = forecast(now, steady(3600, free=5.0), 3600.0)
    wait = found.wait("free", 12.0, 1.0, lead=2.0)
    assert wait.at(0.9) == pytest.approx(12.0 + 2.0 / AGEING, abs=3.0)
