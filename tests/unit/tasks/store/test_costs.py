"""Learnt costs: which rows are what, and how the price level follows them."""

from __future__ import annotations

import math

import pytest

from imaging.request import Priority
from tasks.queue.costs import LearntCost
from tasks.store import costs
from tasks.store.costs import LEVEL, STRETCH, UNIT


def learnt(seconds: float, samples: int = 1) -> LearntCost:
    return LearntCost(math.log(seconds), 0.1, samples)


def test_stretch_is_of_the_priority_or_of_the_one_with_the_most_samples() -> None:
    known = {
        ("postcard", STRETCH[Priority.EXPRESS]): learnt(1.5, 9),
        ("postcard", STRETCH[Priority.RELAXED]): learnt(7.0, 3),
        ("sdxl", STRETCH[Priority.NORMAL]): learnt(4.0, 99),
    }
    assert costs.stretch(known, "postcard", Priority.RELAXED) == learnt(7.0, 3)
    assert costs.stretch(known, "postcard", Priority.NORMAL) == learnt(1.5, 9)
    assert costs.stretch(known, "flux", Priority.NORMAL) is None


def test_price_level_rises_by_the_profiles_shares() -> None:
    before = {("a", UNIT): learnt(4.0, 20), ("b", UNIT): learnt(2.0, 10)}
    after = {("a", UNIT): learnt(2.0, 30), ("b", UNIT): learnt(2.0, 10), ("c", UNIT): learnt(9.0)}
    assert costs.price_rise(before, before) == 0.0
    assert costs.price_rise(before, after) == pytest.approx(math.log(1 / 2) * 30 / 41)
    assert costs.price_level({LEVEL: LearntCost(-0.5)}) == -0.5
    assert costs.price_level(after) == 0.0


def test_costs_of_shapes_are_no_others() -> None:
    shape = ("a", "a/imagine/256x256/8")
    rows = [LEVEL, ("a", UNIT), ("a", costs.JOB), *(("a", one) for one in STRETCH.values())]
    assert costs.of_shapes({row: learnt(9.0) for row in rows} | {shape: learnt(3.0)}) == [
        learnt(3.0)
    ]
