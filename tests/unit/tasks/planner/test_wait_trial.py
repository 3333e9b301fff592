"""Trials of estimators on the virtual clock, and the check of a recorded day."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from bots.operator.errors import CommandError
from bots.operator.plan import day_of
from tasks.bench.waits import SHAPES, WARM_UP, arrivals, figures, limits, report, run
from tasks.planner.check import check, lines
from tasks.planner.replay_estimator import ReplayEstimator
from tasks.planner.wait_trial import (
    Estimator,
    ForecastEstimator,
    HordeEstimator,
    Moment,
    QueuedJob,
    Shown,
    WaitTrial,
)
from tasks.policy.doors import AutoDoor, DoorLevel, DoorLimits, follow
from tasks.queue.forecast import TREND_SECONDS, forecast
from tasks.store.recorded_day import RecordedDay, RecordedJob


def test_forecast_is_closer_than_the_replay_in_a_surge() -> None:
    """A step to three times the capacity: heavier tiers keep arriving before every Free job."""
    estimators: dict[str, Estimator] = {
        "ours": ForecastEstimator(),
        "before": ReplayEstimator(),
    }
    until = WARM_UP + 60
    demand = [one for one in arrivals(SHAPES["step-3"], 1) if one[0] < WARM_UP + 120]
    trial = WaitTrial(demand, lambda _: 4, estimators, (WARM_UP, until))
    trial.run()
    ours = figures([trial.shown["ours"]])["free"]
    before = figures([trial.shown["before"]])["free"]
    assert ours["error_median"] < 0.5 * before["error_median"]
    assert ours["coverage_first"] >= 0.6


class DoorAmidDemand:
    """Moves a door of Free each second by the forecast, as the clock process does."""

    def __init__(self, limits: DoorLimits) -> None:
        self.forecast = ForecastEstimator()
        self.limits = limits
        self.door = AutoDoor(since=0.0)
        self.levels = [self.door.door_level]

    def update(self, moment: Moment) -> None:
        self.forecast.update(moment)
        found = forecast(moment.load, self.forecast.demand, moment.now, moment.change)
        wait = found.newcomer("free", 1.25, TREND_SECONDS).at(0.5)
        self.door = follow(self.door, wait, moment.now, self.limits)
        if self.door.door_level is not self.levels[-1]:
            self.levels.append(self.door.door_level)

    def estimate(self, job: QueuedJob) -> tuple[float, float]:
        return self.forecast.estimate(job)

    def model(self, job: QueuedJob) -> float:
        return self.forecast.model(job)

    def learn(self, lane: str, shown: tuple[float, float, float], true: float) -> None:
        self.forecast.learn(lane, shown, true)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_doors_close_early_in_a_surge_and_reopen_without_flapping(seed: int) -> None:
    """A step to three times the capacity. Orders go on coming: the door only shows what it does."""
    limits = DoorLimits(longest_wait=60.0, close_at=20.0, stands=20.0)
    door = DoorAmidDemand(limits)
    demand = arrivals(SHAPES["step-3"], seed)
    trial = WaitTrial(demand, lambda _: 4, {"door": door}, (WARM_UP, WARM_UP + 15))
    trial.run()
    assert DoorLevel.WAITLIST in door.levels
    climbs = [after > before for before, after in pairwise(door.levels)]
    assert climbs == sorted(climbs, reverse=True), "it turns once: up, then down"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_noise_below_capacity_moves_no_door(seed: int) -> None:
    chance = Random(seed)
    demand = [(n / 2.6 + chance.random(), "free", chance.uniform(0.6, 1.9)) for n in range(1000)]
    door = DoorAmidDemand(DoorLimits(longest_wait=60.0))
    WaitTrial(demand, lambda _: 4, {"door": door}, (0.0, 390.0)).run()
    assert door.levels == [DoorLevel.OPEN]


def test_horde_estimate_has_no_width() -> None:
    trial = WaitTrial(
        [(0.1 * n, "free", 1.0) for n in range(20)],
        lambda _: 1,
        {"horde": HordeEstimator()},
        (0.0, 10.0),
    )
    trial.run()
    assert trial.shown["horde"]
    assert all(one.p50 == one.p90 for one in trial.shown["horde"])


def test_figures_are_by_window_of_arrival() -> None:
    shown = [
        Shown("free", WARM_UP + at, WARM_UP + at, 10.0, 20.0, true)
        for at, true in ((5, 15.0), (20, 15.0), (21, 30.0), (40, 15.0))
    ]
    found = figures([shown])["free"]
    assert found["coverage_by_window"] == {"15": 0.5, "35": 1.0}
    assert found["coverage_first"] == 1.0
    assert found["width_median"] == 2.0
    assert found["error_median"] == pytest.approx((5 + 5 + 20 + 5) / 75, abs=1e-3)
    assert found["moments_by_window"] == {"15": 2, "35": 1}
    assert (found["first_correction_s"], found["first_possible_s"]) == (None, None)


def test_correction_is_possible_once_a_job_is_on_show_again() -> None:
    moments = ((-8, -8, 10), (-8, -4, 6), (-8, 3, 10), (2, 2, 10), (2, 5, 7), (2, 6, 12))
    run = [Shown("pro", WARM_UP + a, WARM_UP + at, p50, 20.0, 9.0) for a, at, p50 in moments]
    found = figures([run, [], run[2:]])["pro"]
    assert found["first_possible_s"] == 4.0  # 3 and 5; -4 was before the surge
    assert found["first_correction_s"] == 4.5  # 3: 1 s at most was left of the first 10; and 6


def test_limits_are_of_the_windows_of_each_shape() -> None:
    """Of two shapes, one has twice the waits of the other: nobody knows which it is."""

    def run(ratio: float) -> list[Shown]:
        return [Shown("free", WARM_UP + 20, WARM_UP + 20, 10.0, 20.0, 10.0 * ratio)] * 4

    found = limits({"one": [run(1.0)] * 5, "two": [run(2.0)] * 5}, "free")
    assert found["one"]["informed_by_window"] == {"15": 1.0}
    assert found["one"]["blind_by_window"] == found["two"]["blind_by_window"] == {"15": 1.0}
    assert limits({"one": [run(1.0)]}, "free")["one"]["informed_by_window"] == {}


def test_report_counts_the_windows_outside_the_band(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = run(2, ["burst"], 1, workers=1)
    report(found, tmp_path / "figures.json")
    assert json.loads((tmp_path / "figures.json").read_text()) == found
    ours = found["burst"]["free"]["ours"]
    assert {"coverage_first", "width_median", "error_median", "first_correction_s"} <= {*ours}
    assert {*ours["coverage_by_window"]} == {*ours["moments_by_window"]}
    shares = [
        share
        for tier in found["burst"].values()
        for share in tier["ours"]["coverage_by_window"].values()
    ]
    below, above = sum(one < 0.85 for one in shares), sum(one > 0.95 for one in shares)
    printed = capsys.readouterr().out
    assert f"ours: of {len(shares)} windows {below} below 85%, {above} above 95%; " in printed
    assert printed.count("windows") == 11  # five estimators and limits twice, and chance


def test_recorded_day_is_compared_with_its_replay() -> None:
    jobs = [RecordedJob(2.0 * n, "free", 4.0, 6.0, 9.0, 8.0 if n % 2 else 12.0) for n in range(20)]
    found = check(RecordedDay(jobs, workers=1))
    recorded, replayed = found
    assert (recorded.source, recorded.estimates, recorded.coverage) == ("recorded", 20, 0.5)
    assert recorded.error == pytest.approx(0.4)
    assert replayed.source == "replayed"
    assert all("within p90" in line for line in lines(found))
    assert lines([]) == ["No orders of that day have an estimate."]


def test_checked_day_is_a_word_or_a_date() -> None:
    now = datetime(2026, 11, 30, 15, tzinfo=UTC)
    assert day_of(["--check", "yesterday"], now) == datetime(2026, 11, 29, tzinfo=UTC)
    assert day_of(["--check", "2026-11-01"], now) == datetime(2026, 11, 1, tzinfo=UTC)
    for wrong in (["--check"], ["--check", "soon"], ["--check", "today", "--gpus"]):
        with pytest.raises(CommandError):
            day_of(wrong, now)
