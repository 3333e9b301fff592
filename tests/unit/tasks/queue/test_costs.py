"""Learnt costs follow what is true and shrug off what is odd."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.request import ImageRequest, Operation
from tasks.queue import costs
from tasks.queue.costs import LearntCost, Shape, expected_seconds, shape_of
from tests.records import assert_records_are_immutable

SMALL = Shape("postcard", "imagine", 256, 256, 8)


def learn(samples: list[float]) -> LearntCost:
    cost = LearntCost()
    for sample in samples:
        cost = cost.learn(sample)
    return cost


@given(st.floats(0.05, 500.0), st.integers(0, 2**32))
def test_learnt_cost_converges_to_the_true_cost(true: float, seed: int) -> None:
    noise = random.Random(seed)
    cost = learn([true * math.exp(noise.gauss(0, 0.2)) for _ in range(150)])
    assert cost.seconds == pytest.approx(true, rel=0.2)


@given(st.floats(0.05, 500.0), st.floats(50.0, 1e6))
def test_one_outlier_moves_the_cost_little(true: float, factor: float) -> None:
    before = learn([true] * 30)
    after = before.learn(true * factor)
    assert after.seconds <= before.seconds * 1.1


@given(st.floats(0.1, 10.0), st.floats(2.0, 10.0))
def test_learnt_cost_follows_a_lasting_change(true: float, factor: float) -> None:
    assert learn([true] * 50 + [true * factor] * 300).seconds == pytest.approx(
        true * factor, rel=0.1
    )


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf, -math.inf])
def test_invalid_seconds_are_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        LearntCost().learn(wrong)


def test_cost_below_a_second_is_valid() -> None:
    assert LearntCost().learn(0.5).seconds == pytest.approx(0.5)


def test_records_are_immutable() -> None:
    assert_records_are_immutable(costs)


@pytest.mark.parametrize(
    ("size", "steps", "work"),
    [
        ((1000, 1000), 20, 1.0),
        ((1000, 1000), 30, 1.5),
        ((2000, 1000), 10, 1.0),
        ((256, 256), 8, 0.0262144),
        ((100, 100), 20, 0.01),
        ((64, 32), 20, 0.01),  # a hundredth of a megapixel at least
        ((64, 32), 10, 0.005),
    ],
)
def test_work_is_in_megapixels_at_twenty_steps(
    size: tuple[int, int], steps: int, work: float
) -> None:
    assert Shape("sdxl", "imagine", *size, steps).work == pytest.approx(work, rel=1e-12)


def test_first_guess_is_five_seconds_of_work_and_one_at_least() -> None:
    whole = Shape("sdxl", "imagine", 1000, 1000, 20)
    assert expected_seconds(whole, 1, None, None) == 5.0
    assert expected_seconds(whole, 3, None, None) == 15.0
    assert expected_seconds(Shape("sdxl", "imagine", 2000, 1000, 40), 2, None, None) == 40.0
    assert expected_seconds(SMALL, 1, None, None) == 1.0
    assert expected_seconds(SMALL, 4, None, None) == 4.0


def test_cost_of_the_shape_comes_before_that_of_its_profile() -> None:
    shape = Shape("sdxl", "imagine", 2000, 1000, 20)
    known, per_work, nothing = LearntCost().learn(3.0), LearntCost().learn(2.0), LearntCost()
    assert expected_seconds(shape, 2, known, per_work) == pytest.approx(6.0)
    assert expected_seconds(shape, 2, known, None) == pytest.approx(6.0)
    assert expected_seconds(shape, 3, None, per_work) == pytest.approx(12.0)
    assert expected_seconds(shape, 3, nothing, per_work) == pytest.approx(12.0)
    assert expected_seconds(shape, 2, nothing, nothing) == pytest.approx(20.0)


def test_nothing_learnt_is_five_seconds() -> None:
    assert LearntCost().seconds == pytest.approx(5.0)
    assert (LearntCost().spread, LearntCost().samples) == (0.5, 0)


def test_first_sample_is_the_cost() -> None:
    one = LearntCost().learn(10.0)
    assert one.seconds == pytest.approx(10.0)
    assert (one.spread, one.samples) == (0.5, 1)


@pytest.mark.parametrize(
    ("sample", "seconds", "spread"),
    [
        (20.0, 14.142136, 0.5965736),  # half of the way on the logarithm; |log 2| is 0.693147
        (5.0, 7.071068, 0.5965736),
        (10.0, 10.0, 0.25),
        (1000.0, 16.487213, 0.75),  # two spreads at most: 10 × √e
        (0.1, 6.065307, 0.75),
    ],
)
def test_second_sample_moves_the_cost_half_of_the_way(
    sample: float, seconds: float, spread: float
) -> None:
    two = LearntCost().learn(10.0).learn(sample)
    assert two.seconds == pytest.approx(seconds, rel=1e-6)
    assert two.spread == pytest.approx(spread, rel=1e-6)
    assert two.samples == 2


@pytest.mark.parametrize(("samples", "share"), [(4, 0.2), (9, 0.1), (19, 0.05), (100, 0.05)])
def test_later_samples_count_for_a_twentieth_at_least(samples: int, share: float) -> None:
    after = LearntCost(0.0, 0.5, samples).learn(math.exp(0.4))
    assert after.log_seconds == pytest.approx(0.4 * share)
    assert after.spread == pytest.approx(0.5 - 0.1 * share)
    assert after.samples == samples + 1


def test_cost_that_has_changed_is_learnt_within_a_few_samples() -> None:
    """Pictures that share batches cost a sixth: one outlier counts little, eight in a row do."""
    calm = learn([4.5] * 40)
    assert calm.learn(0.7).seconds > 4.0
    cost = calm
    for _ in range(12):
        cost = cost.learn(0.7)
    assert cost.seconds == pytest.approx(0.7, rel=0.3)


def test_outliers_in_a_row_count_the_more() -> None:
    low, high = math.exp(-9.0), math.exp(9.0)
    cost, shares = LearntCost(0.0, 0.5, 100), []
    for _ in range(7):
        reach, before = 2 * cost.spread, cost.log_seconds
        cost = cost.learn(low)
        shares.append((before - cost.log_seconds) / reach)
    assert shares == pytest.approx([0.05, 0.125, 0.25, 0.375, 0.5, 0.5, 0.5])
    assert cost.outliers == -7
    assert cost.learn(cost.seconds).outliers == -6
    assert cost.learn(high).outliers == 1
    assert cost.learn(high).learn(high).outliers == 2
    assert LearntCost(0.0, 0.5, 100).learn(1.0).outliers == 0
    assert LearntCost(0.0, 0.5, 100).learn(math.e).outliers == 0  # two spreads are none yet
    assert LearntCost(0.0, 0.1, 100).learn(math.exp(0.5)).outliers == 1
    assert LearntCost().outliers == 0


def test_spread_has_a_floor() -> None:
    assert LearntCost(0.0, 0.02, 9).learn(1.0).spread == 0.02
    assert LearntCost(0.0, 0.03, 1).learn(1.0).spread == 0.02


def test_shape_of_a_request_has_its_size_and_steps() -> None:
    asked = ImageRequest(Operation.EDIT, "a house", "sdxl", 640, 384, seed=1, steps=12)
    assert shape_of(asked, usual_steps=8) == Shape("sdxl", "edit", 640, 384, 12)
    bare = ImageRequest(Operation.EDIT, "a house", "sdxl", 640, 384, seed=1)
    assert shape_of(bare) == Shape("sdxl", "edit", 640, 384, 20)
    assert shape_of(bare).key == "sdxl/edit/640x384/20"


def test_request_without_steps_uses_the_usual_steps() -> None:
    request = ImageRequest(Operation.IMAGINE, "a house", "postcard", 256, 256, seed=1)
    assert shape_of(request, usual_steps=8) == SMALL
    assert SMALL.key == "postcard/imagine/256x256/8"
