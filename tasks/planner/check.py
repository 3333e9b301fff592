"""`atelier plan --check`: a recorded day replayed, estimates against true waits.

The record has what members saw; the replay has what the present estimator would have shown for
the same arrivals on the same number of workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import mean, median
from typing import Any

from tasks.planner.charts import count, duration
from tasks.planner.trace import LANES
from tasks.planner.wait_trial import ForecastEstimator, Shown, WaitTrial
from tasks.store.recorded_day import RecordedDay

REPLAY_TICK = 10.0
"""Seconds between two moments of the replay: a day has 86,400."""


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Estimates of one tier against true waits, in seconds.

    `coverage` is the share of waits within p90, `width` the median of p90 ÷ p50, `error` the mean
    absolute error of p50 over the mean true wait.
    """

    tier: str
    source: str  # "recorded" or "replayed"
    estimates: int
    told_p50: float
    told_p90: float
    true: float
    coverage: float
    width: float
    error: float

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def check(day: RecordedDay, gpus: int | None = None) -> list[Accuracy]:
    """The accuracy of each tier, recorded and replayed; `gpus` replaces the recorded workers."""
    recorded = [
        Shown(job.lane, job.at, job.at, job.p50, job.p90, job.true)
        for job in day.jobs
        if job.p50 is not None and job.p90 is not None and job.true is not None
    ]
    workers = gpus or max(1, day.workers)
    arrivals = [(job.at, job.lane, job.cost) for job in day.jobs]
    estimators = {"replayed": ForecastEstimator()}
    trial = WaitTrial(
        arrivals, lambda _: workers, estimators, (0.0, float("inf")), tick=REPLAY_TICK
    )
    trial.run()
    found = []
    for lane in LANES:
        for source, shown in (("recorded", recorded), ("replayed", trial.shown["replayed"])):
            mine = [one for one in shown if one.lane == lane]
            if mine:
                found.append(_accuracy(lane, source, mine))
    return found


def _accuracy(lane: str, source: str, shown: Sequence[Shown]) -> Accuracy:
    true = mean(one.true for one in shown)
    return Accuracy(
        tier=lane,
        source=source,
        estimates=len(shown),
        told_p50=mean(one.p50 for one in shown),
        told_p90=mean(one.p90 for one in shown),
        true=true,
        coverage=mean(one.true <= one.p90 for one in shown),
        width=median(one.p90 / max(one.p50, 1e-9) for one in shown),
        error=mean(abs(one.p50 - one.true) for one in shown) / max(true, 1e-9),
    )


def lines(found: Sequence[Accuracy]) -> list[str]:
    """The answer as lines of text."""
    if not found:
        return ["No orders of that day have an estimate."]
    return [
        f"{one.tier:8} {one.source:9} {count(one.estimates):>8} estimates  "
        f"told {duration(one.told_p50):>8} – {duration(one.told_p90):>8}  "
        f"true {duration(one.true):>8}  within p90 {one.coverage:4.0%}  "
        f"p90 ÷ p50 {one.width:4.1f}  error {one.error:4.0%}"
        for one in found
    ]
