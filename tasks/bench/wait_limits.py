"""What ranges could cover in the windows of `tasks.bench.waits`: two limits, and chance. Pure.

Both limits keep the medians that an estimator showed and set p90 by the ratios of true waits to
them in other runs, so that nine in ten of those are covered. The informed limit uses the other runs
of the same shape: where its coverage leaves the band, a window has too few moments. The blind limit
uses all runs of all shapes at the same age of the surge, as nobody knows beforehand which shape a
surge will have: where it leaves the band, the shapes differ.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

LEVEL = 0.9

Ratios = Sequence[float]
"""True wait ÷ median on show, of all moments of one window of one run."""


def informed(runs: Sequence[Ratios]) -> float | None:
    """Coverage of a window, each run's p90 set by the other runs; None without two runs."""
    return _coverage({(0, number): ratios for number, ratios in enumerate(runs)}, 0)


def blind(shapes: Mapping[str, Sequence[Ratios]], shape: str) -> float | None:
    """Coverage of a shape's window, p90 set by all other runs of all shapes, of equal weight."""
    numbers = {name: number for number, name in enumerate(shapes)}
    runs = {
        (numbers[name], n): one for name, every in shapes.items() for n, one in enumerate(every)
    }
    return _coverage(runs, numbers[shape])


def by_chance(moments: int, least: float, most: float) -> tuple[float, float]:
    """Probabilities that a window's coverage is below and above a band: calibrated ranges.

    As if the moments were independent. Those of one job, and of one run, are not, so that more
    windows are outside.
    """
    below = above = 0.0
    for kept in range(moments + 1):
        probability = math.exp(
            math.lgamma(moments + 1)
            - math.lgamma(kept + 1)
            - math.lgamma(moments - kept + 1)
            + kept * math.log(LEVEL)
            + (moments - kept) * math.log(1 - LEVEL)
        )
        below += probability * (kept / moments < least)
        above += probability * (kept / moments > most)
    return below, above


def _coverage(runs: Mapping[tuple[int, int], Ratios], shape: int) -> float | None:
    """Coverage of the runs of one shape; a run is known by the shape's number and its own."""
    moments: dict[int, int] = {}
    for (of, _), ratios in runs.items():
        moments[of] = moments.get(of, 0) + len(ratios)
    ranked = sorted(((one, key) for key, ratios in runs.items() for one in ratios), reverse=True)
    kept = counted = 0
    for key, ratios in runs.items():
        if key[0] != shape or not ratios:
            continue
        left = dict(moments)
        left[shape] -= len(ratios)
        bound = _quantile(ranked, key, left)
        if bound is not None:
            kept += sum(one <= bound for one in ratios)
            counted += len(ratios)
    return kept / counted if counted else None


def _quantile(
    ranked: Sequence[tuple[float, tuple[int, int]]],
    without: tuple[int, int],
    left: Mapping[int, int],
) -> float | None:
    """The ratio with one in ten above it, every shape of equal weight, without one run.

    `left` is the number of moments of each shape that remain.
    """
    shapes = sum(count > 0 for count in left.values())
    above = (1 - LEVEL) * shapes
    for ratio, key in ranked:
        if key == without:
            continue
        above -= 1 / left[key[0]]
        if above < 0:
            return ratio
    return None
