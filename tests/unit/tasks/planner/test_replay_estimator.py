"""The estimator that the forecast is compared with: its range follows what came true."""

from __future__ import annotations

import math
import random

from tasks.planner.replay_estimator import ReplayEstimator
from tasks.planner.wait_trial import Moment, QueuedJob
from tasks.queue.load import FleetLoad, LaneLoad, Load

JOB = QueuedJob("free", 20.0, 2.0, 4)


def moment(now: float, rate: float = 2.0) -> Moment:
    lanes = {"free": LaneLoad(1.0, 5, 22.0)}
    return Moment(now, Load(FleetLoad(rate, slots=2, running=1), lanes), {}, None, 0.0)


def test_model_is_the_replay_and_the_own_render() -> None:
    """20 GPU seconds at 2 a second, and 2 × 2 slots / 2 a second."""
    estimator = ReplayEstimator()
    estimator.update(moment(0.0))
    assert estimator.model(JOB) == 12.0


def test_without_a_worker_the_wait_is_infinite() -> None:
    estimator = ReplayEstimator()
    assert estimator.estimate(JOB) == (math.inf, math.inf)


def test_range_covers_nine_in_ten_of_waits_that_grow() -> None:
    chance = random.Random(3)
    estimator = ReplayEstimator()
    kept = 0
    for number in range(600):
        estimator.update(moment(2.0 * number))
        p50, p90 = estimator.estimate(JOB)
        assert p50 <= p90
        true = 12.0 * math.exp(number / 250 + chance.gauss(0, 0.2))
        estimator.learn("free", (estimator.model(JOB), p50, p90), true)
        kept += true <= p90
    assert kept / 600 > 0.8
