"""Wait estimates under six shapes of demand, on a virtual clock.

Run as `python -m tasks.bench.waits [--json FILE] [--runs N] [--first-seed N]`. The product's
estimator, the one before it, and AI-Horde's rule see the same runs. Coverage is the share of ranges
on show whose p90 the true remaining wait did not exceed; width is p90 ÷ p50; the error is the mean
absolute error of p50 over the mean true wait.

A window of 20 s of one run has a few jobs that share one future: its coverage is near 0 or 1. So
each window is pooled over all runs of a shape. Two limits, and chance, say how many windows ranges
around the same medians could have in the band (`tasks.bench.wait_limits`). The forecast's constants
were chosen on the seeds 1 to 24 and 301 to 325; the default seeds begin at `HELD_OUT`.

`first_possible_s` is the first moment of a surge at which a job of the tier was on show a second
time: nothing can be corrected before.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from tasks.bench import wait_limits
from tasks.planner.replay_estimator import ReplayEstimator
from tasks.planner.wait_trial import (
    ForecastEstimator,
    HordeEstimator,
    Shown,
    WaitTrial,
)

GPUS = 4
SECONDS = 1.25
"""Mean GPU seconds of a job: the fleet serves 3.2 jobs a second."""

SPREAD = 0.3
MIX = {"free": 0.55, "plus": 0.28, "pro": 0.17}
CALM = 0.4
"""Demand before and after a surge, as a share of capacity."""

WARM_UP = 120.0
WINDOW = 20.0
FIRST = 15.0
"""Seconds of a surge in which 60 % coverage suffices."""

LEAST, MOST = 0.85, 0.95
"""The band in which the coverage of a window should be."""

MOVED = 0.15
"""A correction changes p50 by this share of it."""

COUNTED = (
    ("ours", ("ours", "coverage_by_window")),
    ("before", ("before", "coverage_by_window")),
    ("horde", ("horde", "coverage_by_window")),
    ("limit that knows the shape", ("ours", "informed_by_window")),
    ("limit that knows the age of the surge", ("ours", "blind_by_window")),
)
"""Whose windows are counted, and the figure that has their coverage."""

RUNS = 48
"""In fewer, many windows leave the band by chance: a heavy tier has a few moments in each."""

ENOUGH = 100
"""Moments of a window that barely leaves the band by chance."""

HELD_OUT = 101
"""The first of two hundred seeds that no constant was chosen on."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Demand as a share of capacity by seconds since the surge began, and the working GPUs."""

    lasts: float  # seconds of arrivals that are counted
    demand: Callable[[float], float]
    gpus: Callable[[float], int] = lambda _: GPUS
    noisy: bool = False


def _step(level: float, lasts: float) -> Callable[[float], float]:
    return lambda at: level if 0 <= at < lasts else CALM


def _ramp(at: float) -> float:
    return CALM + (2.0 - CALM) * at / 120 if 0 <= at < 120 else CALM


def _decay(at: float) -> float:
    return CALM + (3.0 - CALM) * math.exp(-at / 45) if at >= 0 else CALM


def _wave(at: float) -> float:
    return 0.75 - 0.5 * math.cos(2 * math.pi * at / 1200) if at >= 0 else 0.25


SHAPES: Mapping[str, Shape] = {
    "ramp": Shape(140, _ramp),
    "step-1.3": Shape(120, _step(1.3, 120)),
    "step-3": Shape(120, _step(3.0, 120)),
    "burst": Shape(80, _step(2.0, 60)),
    "decay": Shape(140, _decay),
    "wave": Shape(1000, _wave, noisy=True),
    "worker": Shape(140, lambda _: 0.75, lambda at: 2 if 0 <= at < 90 else GPUS),
}


def arrivals(shape: Shape, seed: int) -> list[tuple[float, str, float]]:
    """Poisson arrivals, from the warm-up to past the counted ones: (time, lane, GPU seconds)."""
    chance = Random(seed)  # noqa: S311  a simulation
    capacity = GPUS / SECONDS
    found = []
    noise, second = 1.0, 0.0
    end = WARM_UP + shape.lasts + 1200
    while second < end:
        if shape.noisy and second % 10 == 0:
            noise = math.exp(0.8 * math.log(noise) + chance.gauss(0, 0.15))
        rate = capacity * shape.demand(second - WARM_UP) * noise
        for _ in range(_poisson(chance, rate)):
            lane = chance.choices(list(MIX), list(MIX.values()))[0]
            cost = SECONDS * math.exp(chance.gauss(-SPREAD * SPREAD / 2, SPREAD))
            found.append((second + chance.random(), lane, cost))
        second += 1
    return sorted(found)


def _poisson(chance: Random, mean: float) -> int:
    count, product, limit = 0, chance.random(), math.exp(-mean)
    while product > limit:
        count += 1
        product *= chance.random()
    return count


def trial(name: str, seed: int) -> dict[str, list[Shown]]:
    """One run of a shape: the ranges shown by each estimator, by seconds since the surge began."""
    shape = SHAPES[name]
    run = WaitTrial(
        arrivals(shape, seed),
        lambda at: shape.gpus(at - WARM_UP),
        {"ours": ForecastEstimator(), "before": ReplayEstimator(), "horde": HordeEstimator()},
        (WARM_UP - 20, WARM_UP + shape.lasts),
        seed=seed,
    )
    run.run()
    return run.shown


def figures(runs: Sequence[Sequence[Shown]]) -> dict[str, dict[str, Any]]:
    """The figures of one shape and estimator, by tier, over several runs."""
    return {tier: _figures([[o for o in run if o.lane == tier] for run in runs]) for tier in MIX}


def _figures(runs: Sequence[Sequence[Shown]]) -> dict[str, Any]:
    every = [one for run in runs for one in run if one.arrived >= WARM_UP]
    first = [one for one in every if one.arrived < WARM_UP + FIRST]
    windows = by_window(runs)
    error = sum(abs(one.p50 - one.true) for one in every)
    true = sum(one.true for one in every)
    return {
        "coverage_by_window": {
            _name(n): round(_coverage([o for run in window for o in run]), 3)
            for n, window in windows.items()
        },
        "coverage_first": round(_coverage(first), 3) if first else None,
        "coverage": round(_coverage(every), 3) if every else 0.0,
        "width_median": round(median(o.p90 / max(o.p50, 1e-9) for o in every), 2)
        if every
        else None,
        "error_median": round(error / true, 3) if true else None,
        "first_correction_s": _median([_first_correction(run) for run in runs]),
        "first_possible_s": _median([_first_possible(run) for run in runs]),
        "moments": len(every),
        "moments_by_window": {_name(n): sum(map(len, window)) for n, window in windows.items()},
    }


def by_window(runs: Sequence[Sequence[Shown]]) -> dict[int, list[list[Shown]]]:
    """Each run's moments by the window of arrival, the first seconds of the surge left out."""
    found: dict[int, list[list[Shown]]] = {}
    for number, run in enumerate(runs):
        for one in run:
            since = one.arrived - WARM_UP - FIRST
            if since >= 0:
                window = found.setdefault(int(since // WINDOW), [[] for _ in runs])
                window[number].append(one)
    return dict(sorted(found.items()))


def _name(window: int) -> str:
    return f"{FIRST + WINDOW * window:.0f}"


def _coverage(shown: Sequence[Shown]) -> float:
    return sum(one.true <= one.p90 for one in shown) / len(shown)


def _median(seconds: Sequence[float | None]) -> float | None:
    known = [one for one in seconds if one is not None]
    return round(median(known), 1) if known else None


def limits(runs: Mapping[str, Sequence[Sequence[Shown]]], tier: str) -> dict[str, dict[str, Any]]:
    """For each shape, the coverage by window that the two limits reach for a tier."""
    ratios: dict[int, dict[str, list[list[float]]]] = {}
    for shape, of_shape in runs.items():
        mine = [[one for one in run if one.lane == tier] for run in of_shape]
        for number, window in by_window(mine).items():
            ratios.setdefault(number, {})[shape] = [
                [one.true / max(one.p50, 1e-9) for one in run] for run in window
            ]
    found: dict[str, dict[str, Any]] = {
        shape: {"informed_by_window": {}, "blind_by_window": {}} for shape in runs
    }
    for number, shapes in sorted(ratios.items()):
        for shape, of_shape_ratios in shapes.items():
            informed = wait_limits.informed(of_shape_ratios)
            blind = wait_limits.blind(shapes, shape)
            for name, share in (("informed", informed), ("blind", blind)):
                if share is not None:
                    found[shape][f"{name}_by_window"][_name(number)] = round(share, 3)
    return found


def _first_possible(run: Sequence[Shown]) -> float | None:
    """Seconds from the surge to the first moment at which a job is on show a second time."""
    seen: set[float] = set()
    for one in sorted(run, key=lambda one: one.at):
        if one.arrived in seen and one.at >= WARM_UP:
            return one.at - WARM_UP
        seen.add(one.arrived)
    return None


def _first_correction(run: Sequence[Shown]) -> float | None:
    """Seconds from the surge to the first moment at which a shown median had moved."""
    last: dict[float, Shown] = {}
    for one in sorted(run, key=lambda one: one.at):
        before = last.get(one.arrived)
        last[one.arrived] = one
        if before is None or one.at < WARM_UP:
            continue
        expected = max(0.5, before.p50 - (one.at - before.at))
        if abs(one.p50 - expected) > MOVED * expected:
            return one.at - WARM_UP
    return None


def _trial(arguments: tuple[str, int]) -> dict[str, list[Shown]]:
    return trial(*arguments)


def run(
    runs: int = RUNS,
    shapes: Sequence[str] = tuple(SHAPES),
    first_seed: int = HELD_OUT,
    workers: int = 2,
) -> dict[str, Any]:
    """The figures: shape → tier → estimator → figure."""
    seeds = range(first_seed, first_seed + runs)
    asked = [(shape, seed) for shape in shapes for seed in seeds]
    with ProcessPoolExecutor(workers) as pool:
        results = list(pool.map(_trial, asked))
    by_shape = {
        shape: [one for (name, _), one in zip(asked, results, strict=True) if name == shape]
        for shape in shapes
    }
    found: dict[str, Any] = {}
    for shape, of_shape in by_shape.items():
        by_estimator = {
            name: figures([result[name] for result in of_shape])
            for name in ("ours", "before", "horde")
        }
        found[shape] = {
            tier: {name: by_estimator[name][tier] for name in by_estimator} for tier in MIX
        }
    ours = {shape: [one["ours"] for one in of_shape] for shape, of_shape in by_shape.items()}
    for tier in MIX:
        for shape, reached in limits(ours, tier).items():
            found[shape][tier]["ours"] |= reached
    return found


def report(found: Mapping[str, Any], file: Path | None) -> None:
    """A table on standard output, and all figures as JSON where a file is named."""
    heads = (
        "shape",
        "tier",
        "estimator",
        "cov.",
        "first",
        "lowest",
        "highest",
        "width",
        "error",
        "corr.",
        "possible",
    )
    print("".join(f"{head:>10}" for head in heads))
    for shape, tiers in found.items():
        for tier, estimators in tiers.items():
            for name, one in estimators.items():
                windows = list(one["coverage_by_window"].values())
                cells = (
                    shape,
                    tier,
                    name,
                    one["coverage"],
                    one["coverage_first"],
                    min(windows, default=None),
                    max(windows, default=None),
                    one["width_median"],
                    one["error_median"],
                    one["first_correction_s"],
                    one["first_possible_s"],
                )
                print("".join(f"{'' if cell is None else cell:>10}" for cell in cells))
    _report_windows([one for tiers in found.values() for one in tiers.values()])
    if file is not None:
        file.write_text(json.dumps(found, indent=2) + "\n")


def _report_windows(tiers: Sequence[Mapping[str, Any]]) -> None:
    """How many windows of all shapes and tiers are outside the band; all, and those with enough."""
    for name, (estimator, key) in COUNTED:
        windows = [
            (share, one[estimator]["moments_by_window"][window])
            for one in tiers
            for window, share in one[estimator][key].items()
        ]
        enough = [share for share, moments in windows if moments >= ENOUGH]
        print(
            f"{name}: {_outside([share for share, _ in windows])}; "
            f"with {ENOUGH} moments: {_outside(enough)}"
        )
    counts = [count for one in tiers for count in one["ours"]["moments_by_window"].values()]
    chances = [wait_limits.by_chance(count, LEAST, MOST) for count in counts]
    print(
        f"calibrated ranges with independent moments: of {len(chances)} windows "
        f"{sum(low for low, _ in chances):.0f} below, {sum(high for _, high in chances):.0f} above"
    )


def _outside(shares: Sequence[float]) -> str:
    below, above = sum(one < LEAST for one in shares), sum(one > MOST for one in shares)
    return f"of {len(shares)} windows {below} below {LEAST:.0%}, {above} above {MOST:.0%}"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--runs", type=int, default=RUNS, help="runs of each shape")
    parser.add_argument("--first-seed", type=int, default=HELD_OUT, help="of the runs' seeds")
    parser.add_argument("--shape", action="append", choices=list(SHAPES), help="only this shape")
    asked = parser.parse_args()
    shapes = asked.shape or tuple(SHAPES)
    report(run(asked.runs, shapes, asked.first_seed), asked.json)


if __name__ == "__main__":
    main()
