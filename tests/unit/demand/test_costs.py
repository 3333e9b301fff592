"""Learnt costs follow what is true and shrug off what is odd."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.request import ImageRequest, Operation
from tasks.costs import CostBook, LearntCost, Shape, expected_seconds, shape_of

SMALL = Shape("postcard", "imagine", 256, 256, 8)
LARGE = Shape("postcard", "imagine", 512, 512, 16)


def learn(samples: list[float]) -> LearntCost:
    cost = LearntCost()
    for sample in samples:
        cost = cost.learn(sample)
    return cost


@given(st.floats(0.05, 500.0), st.integers(0, 2**32))
def test_the_estimate_comes_to_the_true_cost(true: float, seed: int) -> None:
    noise = random.Random(seed)
    cost = learn([true * math.exp(noise.gauss(0, 0.2)) for _ in range(150)])
    assert cost.seconds == pytest.approx(true, rel=0.2)


@given(st.floats(0.05, 500.0), st.floats(50.0, 1e6))
def test_one_odd_sample_moves_it_little(true: float, factor: float) -> None:
    before = learn([true] * 30)
    after = before.learn(true * factor)
    assert after.seconds <= before.seconds * 1.1


@given(st.floats(0.1, 10.0), st.floats(2.0, 10.0))
def test_it_follows_a_lasting_change(true: float, factor: float) -> None:
    assert learn([true] * 50 + [true * factor] * 300).seconds == pytest.approx(
        true * factor, rel=0.1
    )


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf])
def test_a_cost_that_is_no_time_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        LearntCost().learn(wrong)


def test_an_unknown_shape_is_scaled_from_its_profile() -> None:
    book = CostBook()
    book.learn(SMALL, 2, 1.0)
    assert book.expected(SMALL) == pytest.approx(0.5)
    assert book.expected(LARGE, 3) == pytest.approx(3 * 0.5 * LARGE.work / SMALL.work)


def test_before_anything_is_known_larger_costs_more() -> None:
    small, large = (expected_seconds(shape, 1, None, None) for shape in (SMALL, LARGE))
    assert 0 < small < large


def test_a_request_without_steps_has_the_profiles_usual_ones() -> None:
    request = ImageRequest(Operation.IMAGINE, "a house", "postcard", 256, 256, seed=1)
    assert shape_of(request, usual_steps=8) == SMALL
    assert SMALL.key == "postcard/imagine/256x256/8"
