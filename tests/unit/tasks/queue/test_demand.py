"""Arrival rates: the posterior finds the present demand, and shrinks with evidence."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.queue.demand import Arrivals, Demand, read_demand


def observed(
    levels: list[tuple[float, float]], seed: int = 1, mix: tuple[str, ...] = ("free", "plus")
) -> Demand:
    """The demand after (arrivals per second, seconds) one after the other, a second at a time."""
    chance = Random(seed)
    demand, now = Demand(), 0.0
    for rate, seconds in levels:
        for _ in range(int(seconds)):
            now += 1
            jobs = sum(chance.random() < rate / 20 for _ in range(20))
            lanes = [chance.choice(mix) for _ in range(jobs)]
            arrived = {
                lane: Arrivals(lanes.count(lane), 2.0 * lanes.count(lane)) for lane in set(lanes)
            }
            demand = demand.observe(arrived, now)
    return demand


@given(st.floats(0.3, 5.0), st.integers(1, 50))
@settings(max_examples=6, deadline=None)  # nine runs of 300 seconds each
def test_rate_converges_to_a_steady_demand(rate: float, seed: int) -> None:
    demand = observed([(rate, 300)], seed)
    assert demand.rate() == pytest.approx(rate, rel=0.7)
    every = [observed([(rate, 300)], seed + n).rate() for n in range(8)]
    assert sum(every) / len(every) == pytest.approx(rate, rel=0.25)
    assert sum(one.seconds for one in demand.rates().values()) == pytest.approx(
        2.0 * demand.rate(), rel=0.02
    )


@given(st.integers(1, 50))
@settings(max_examples=20, deadline=None)
def test_surge_and_its_end_are_followed_within_ten_seconds(seed: int) -> None:
    assert observed([(0.5, 200), (6.0, 10)], seed).rate() > 3.0
    assert observed([(0.5, 200), (6.0, 60), (0.5, 10)], seed).rate() < 2.5


def test_young_surge_remembers_the_demand_before_it() -> None:
    demand = observed([(0.5, 300), (6.0, 20)])
    likeliest = max(demand.regimes, key=lambda one: one.weight)
    assert likeliest.age(demand.at) == pytest.approx(20, abs=6)
    assert sum(one.jobs for one in likeliest.before.values()) == pytest.approx(0.5, abs=0.4)


def test_cold_start_is_uncertain_and_evidence_shrinks_it() -> None:
    young, old = observed([(3.0, 3)], seed=3), observed([(3.0, 120)], seed=3)
    spreads = []
    for demand in (young, old):
        shape, _ = max(demand.regimes, key=lambda one: one.weight).rate_parameters(demand.at)
        spreads.append(shape**-0.5)
    assert spreads[0] > 3 * spreads[1]


def test_nothing_is_known_before_the_first_arrival() -> None:
    demand = Demand().observe({}, 10.0)
    assert demand.rate() == 0.0
    assert demand.rates() == {}


def test_demand_round_trips_through_json() -> None:
    demand = observed([(0.5, 60), (6.0, 20)])
    assert read_demand(json.loads(json.dumps(demand.to_json()))) == demand
    assert read_demand({}) == Demand()


@given(st.lists(st.tuples(st.floats(0.0, 5.0), st.integers(0, 2000)), max_size=30))
@settings(max_examples=60, deadline=None)
def test_weights_always_add_up_to_one(steps: list[tuple[float, int]]) -> None:
    demand, now = Demand(), 0.0
    for step, jobs in steps:
        now += step
        demand = demand.observe({"free": Arrivals(jobs, jobs)} if jobs else {}, now)
    if demand.regimes:
        assert sum(one.weight for one in demand.regimes) == pytest.approx(1.0)
        assert demand.rate() >= 0.0


def test_repriced_demand_has_the_same_jobs_at_other_costs() -> None:
    demand = observed([(1.0, 60), (3.0, 20)])
    cheaper = demand.repriced(0.25)
    for lane, one in demand.rates().items():
        assert cheaper.rates()[lane].jobs == pytest.approx(one.jobs)
        assert cheaper.rates()[lane].seconds == pytest.approx(one.seconds / 4)
    for lane, slow in demand.slow_rates().items():
        assert cheaper.slow_rates()[lane].seconds == pytest.approx(slow.seconds / 4)
    before = cheaper.regimes[0].returns_to(demand.at)
    for lane, one in demand.regimes[0].returns_to(demand.at).items():
        assert before[lane].seconds == pytest.approx(one.seconds / 4)
    assert cheaper.rate() == demand.rate()
