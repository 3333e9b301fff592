"""Limits of what ranges can cover in the windows of the bench of waits."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.bench.wait_limits import blind, by_chance, informed

RATIOS = st.lists(st.floats(0.1, 10.0), max_size=12)
RUNS = st.lists(RATIOS, min_size=1, max_size=6)


def test_range_of_a_run_is_set_by_the_other_runs() -> None:
    """Each run's one moment is covered unless it is above all others."""
    assert informed([[1.0], [2.0], [3.0], [4.0]]) == 0.75
    assert informed([[1.0], [1.0]]) == 1.0
    assert informed([[1.0, 2.0]]) is None
    assert informed([[1.0], []]) is None


def test_limit_that_knows_the_shape_covers_nine_in_ten_of_many_moments() -> None:
    chance = Random(1)
    runs = [[math.exp(chance.gauss(0, 0.3)) for _ in range(100)] for _ in range(20)]
    assert informed(runs) == pytest.approx(0.9, abs=0.02)


def test_shapes_that_differ_are_not_covered_alike_by_one_range() -> None:
    """Nine shapes of ten have short waits: all of these are covered, and none of the tenth."""
    shapes = {str(n): [[1.0] * 5] * 4 for n in range(9)} | {"long": [[3.0] * 5] * 4}
    assert blind(shapes, "0") == 1.0
    assert blind(shapes | {"more": [[1.0] * 5] * 4}, "long") == 0.0
    assert informed(shapes["long"]) == 1.0


def test_shapes_have_the_same_weight_whatever_their_moments() -> None:
    shapes = {"few": [[3.0], [3.0]], "many": [[1.0] * 500, [1.0] * 500]}
    assert blind(shapes, "many") == 1.0
    assert blind(shapes, "few") == 1.0  # half of the weight is at 3


@given(RUNS)
def test_blind_limit_of_one_shape_is_the_informed_one(runs: list[list[float]]) -> None:
    assert blind({"only": runs}, "only") == informed(runs)


@given(st.lists(RUNS, min_size=1, max_size=3))
def test_limits_are_shares_and_do_not_depend_on_the_unit(
    every: list[list[list[float]]],
) -> None:
    shapes = {str(n): runs for n, runs in enumerate(every)}
    doubled = {name: [[one * 2.0 for one in run] for run in runs] for name, runs in shapes.items()}
    for name in shapes:
        share = blind(shapes, name)
        assert share is None or 0.0 <= share <= 1.0
        assert blind(doubled, name) == share


@given(st.integers(1, 400))
def test_chances_are_those_of_a_binomial(moments: int) -> None:
    below, above = by_chance(moments, 0.85, 0.95)
    assert 0 <= below <= 1 + 1e-9
    assert 0 <= above <= 1 + 1e-9
    assert below + above <= 1 + 1e-9
    everything = by_chance(moments, 1.1, 1.1)
    assert everything == pytest.approx((1.0, 0.0))


def test_windows_with_few_moments_leave_the_band_by_chance() -> None:
    assert by_chance(1, 0.85, 0.95) == pytest.approx((0.1, 0.9))
    assert sum(by_chance(2000, 0.85, 0.95)) < 1e-6
