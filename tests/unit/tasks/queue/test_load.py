"""The load: what waits, how fast the fleet is, and rates that are measured and decay."""

from __future__ import annotations

import math

import pytest

from tasks.queue import load
from tasks.queue.load import HEADROOM, FleetLoad, LaneLoad, Load, Meter, crowding
from tests.records import assert_records_are_immutable


def test_records_are_immutable() -> None:
    assert_records_are_immutable(load)


def test_two_slots_of_a_worker_are_kept_for_paid_work() -> None:
    assert HEADROOM == 2


def test_load_is_that_of_all_lanes() -> None:
    assert Load(FleetLoad(1.0)).seconds == 0.0
    lanes = {"free": LaneLoad(1.0, 3, 6.5), "pro": LaneLoad(8.0, 1, 2.0, inflow=5.0)}
    assert Load(FleetLoad(1.0), lanes).seconds == 8.5


def test_idle_lane_and_unknown_fleet() -> None:
    idle = LaneLoad(4.0)
    assert (idle.jobs, idle.seconds, idle.inflow) == (0, 0.0, 0.0)
    assert (idle.stretch, idle.spread) == (0.0, 0.0)
    fleet = FleetLoad(2.0)
    assert (fleet.slots, fleet.running) == (1, 0)
    assert (fleet.job_seconds, fleet.headroom) == (0.0, 0)
    assert (fleet.price_spread, fleet.handling) == (0.0, 0.0)
    assert (idle.pauses, idle.running, idle.underway) == (False, 0, 0.0)
    assert idle.with_underway() is idle
    assert LaneLoad(4.0, 2, 3.0, underway=1.5).with_underway().seconds == 4.5


@pytest.mark.parametrize(
    ("fleet", "stretch", "cost", "seconds"),
    [
        (FleetLoad(2.0, slots=3), 0.0, 4.0, 6.0),  # a third of the fleet
        (FleetLoad(0.5, slots=1), 0.0, 4.0, 8.0),
        (FleetLoad(2.0, slots=3, job_seconds=7.0), 0.0, 4.0, 7.0),
        (FleetLoad(2.0, slots=3, job_seconds=0.5), 0.0, 4.0, 0.5),
        (FleetLoad(2.0, slots=3, job_seconds=7.0), 1.5, 4.0, 6.0),
        (FleetLoad(2.0, slots=3, job_seconds=7.0), 0.5, 0.5, 0.25),
        (FleetLoad(2.0, slots=3, job_seconds=7.0), 1.5, 0.0, 7.0),
        (FleetLoad(2.0, slots=3), 1.5, 0.0, 0.0),
        (FleetLoad(2.0, slots=3, job_seconds=7.0), 1.5, -1.0, 7.0),
    ],
)
def test_job_takes_the_measured_time_of_its_lane(
    fleet: FleetLoad, stretch: float, cost: float, seconds: float
) -> None:
    lanes = {"free": LaneLoad(1.0, stretch=stretch), "pro": LaneLoad(8.0, stretch=20.0)}
    assert Load(fleet, lanes).seconds_of("free", cost) == pytest.approx(seconds)


def test_crowding_grows_with_the_jobs_on_a_device() -> None:
    assert crowding(0, 1) == crowding(0, 0) == 1.0
    assert crowding(3, 1) == crowding(6, 2) == 2.0


def test_new_meter_forgets_within_two_minutes_and_has_seen_nothing() -> None:
    meter = Meter()
    assert meter.memory == 120.0
    assert (meter.level, meter.weight, meter.at) == (0.0, 0.0, 0.0)


def test_amounts_decay_with_the_memory_and_add_up() -> None:
    """After one memory a third is left, 1 / e; the weight is the time seen, decayed alike."""
    first = Meter(memory=100.0).add(10.0, 0.0)
    assert (first.level, first.weight, first.at) == (10.0, 0.0, 0.0)
    second = first.add(3.0, 100.0)
    assert second.memory == 100.0
    assert second.level == pytest.approx(10.0 / math.e + 3.0)
    assert second.weight == pytest.approx(100.0 * (1 - 1 / math.e))
    assert second.at == 100.0
    third = second.add(0.0, 150.0)
    share = math.exp(-0.5)
    assert third.level == pytest.approx(second.level * share)
    assert third.weight == pytest.approx(second.weight * share + 100.0 * (1 - share))


def test_clock_that_goes_back_changes_no_amount() -> None:
    meter = Meter(memory=100.0).add(10.0, 50.0)
    back = meter.add(5.0, 20.0)
    assert back.level == pytest.approx(meter.level + 5.0)
    assert back.weight == pytest.approx(meter.weight)
    assert back.at == 20.0


@pytest.mark.parametrize(
    ("meter", "now", "rate"),
    [
        (Meter(300.0, 30.0, 100.0, 0.0), 0.0, 0.3),
        (Meter(300.0, 30.0, 60.0, 0.0), 0.0, 0.5),
        (Meter(300.0, 30.0, 10.0, 0.0), 0.0, 0.5),  # a minute at least
        (Meter(30.0, 30.0, 10.0, 0.0), 0.0, 1.0),  # or the memory, where that is shorter
        (Meter(300.0, 0.0, 0.0, 0.0), 0.0, 0.0),
    ],
)
def test_first_minute_counts_as_a_whole_one(meter: Meter, now: float, rate: float) -> None:
    assert meter.rate(now) == pytest.approx(rate)


def test_rate_decays_while_nothing_arrives() -> None:
    meter = Meter(100.0, 50.0, 100.0, 0.0)
    assert meter.rate(100.0) == pytest.approx(50.0 / math.e / 100.0)


def test_meter_measures_and_decays() -> None:
    meter = Meter(memory=60.0)
    for second in range(300):
        meter = meter.add(2.0, float(second))
    assert meter.rate(300.0) == pytest.approx(2.0, rel=0.05)
    assert meter.rate(900.0) < 0.01
    assert Meter().rate(0.0) == 0.0


def test_one_early_job_gives_a_low_rate() -> None:
    """A paid job of ten GPU seconds in the first second does not take the fleet from Free."""
    meter = Meter(memory=300.0).add(0.0, 0.0).add(10.0, 1.0)
    assert meter.rate(2.0) < 0.2
    for second in range(2, 120):
        meter = meter.add(1.0, float(second))
    assert meter.rate(120.0) == pytest.approx(1.0, rel=0.15)
