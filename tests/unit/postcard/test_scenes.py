"""Scenes: the same seed the same picture, and pictures that show what their description says."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imaging.postcard import vocabulary as words
from imaging.postcard.drawing import DRAW_FUNCTIONS, draw
from imaging.postcard.scenes import (
    Item,
    Scene,
    held_out,
    is_at_place,
    overlap,
    random_held_out_scene,
    random_scene,
    random_training_scene,
    satisfies_relation,
)

SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS)
@settings(max_examples=30, deadline=None)
def test_a_scene_is_decided_by_its_seed(seed: int) -> None:
    first, second = random_scene(Random(seed)), random_scene(Random(seed))
    assert first == second
    assert draw(first).tobytes() == draw(second).tobytes()


@given(SEEDS, st.sampled_from(list(words.ASPECTS)))
@settings(max_examples=80, deadline=None)
def test_scenes_keep_what_they_promise(seed: int, aspect: str) -> None:
    scene = random_scene(Random(seed), words.ASPECTS[aspect])
    width, height = scene.extent
    for place, item in enumerate(scene.items):
        assert item.colour != scene.ground
        for x, y in item.centres:
            assert item.span / 2 <= x + 1e-9 <= width - item.span / 2 + 2e-9
            assert item.span / 2 <= y + 1e-9 <= height - item.span / 2 + 2e-9
        assert not any(overlap(item, other) for other in scene.items[:place])
        if scene.places[place]:
            assert is_at_place(scene.places[place], item.x, item.y, scene.extent)
    if scene.relation:
        first, second = scene.items[:2]
        assert satisfies_relation(scene.relation, (first.x, first.y), (second.x, second.y))
    assert draw(scene).size == words.ASPECTS[aspect]


@pytest.mark.parametrize("thing", list(words.THINGS))
@pytest.mark.parametrize("ground", ["white", "meadow"])
def test_things_show_their_colour(thing: str, ground: str) -> None:
    for colour, rgb in words.COLOURS.items():
        if colour == ground:
            continue
        item = Item(thing, colour, "large", 1, 0.5, 0.5)
        scene = Scene((item,), ground, "day" if ground == "meadow" else "", places=("",))
        pixels = np.asarray(draw(scene)).reshape(-1, 3).astype(int)
        exact = (np.abs(pixels - rgb).max(1) < 6).sum()
        # The sky is nowhere exactly one of the ten colours, so this counts the thing alone.
        bare = np.asarray(draw(replace(scene, items=(), places=()))).reshape(-1, 3).astype(int)
        assert exact - (np.abs(bare - rgb).max(1) < 6).sum() > 250, (thing, colour)


@pytest.mark.parametrize("ground", list(words.COLOURS))
def test_plain_grounds_are_their_colour(ground: str) -> None:
    scene = random_scene(Random(1))
    picture = np.asarray(draw(replace(scene, ground=ground, time="", items=(), places=())))
    assert (picture == words.COLOURS[ground]).all()


def test_night_is_darker_than_sunset_is_darker_than_day() -> None:
    for ground in words.LANDSCAPES:
        light = [
            np.asarray(draw(Scene((), ground, time))).mean() for time in ("night", "sunset", "day")
        ]
        assert light == sorted(light)
        assert light[0] < 90 < light[2]


def test_counts_are_drawn() -> None:
    for count in (1, 2, 3):
        item = Item("circle", "red", "small", count, 0.5, 0.5)
        picture = np.asarray(draw(Scene((item,), "white", places=("",)))).astype(int)
        inside = (np.abs(picture - words.COLOURS["red"]).max(2) < 6).any(0)
        runs = int(np.diff(np.concatenate([[0], inside.astype(int)])).clip(0).sum())
        assert runs == count


def test_every_thing_has_a_painter() -> None:
    assert set(DRAW_FUNCTIONS) == set(words.THINGS)
    assert len(words.THINGS) >= 23
    assert len(words.COLOURS) == 10


def test_held_out_combinations_never_train() -> None:
    seen = {random_training_scene(Random(seed)).combination for seed in range(600)}
    asked = {random_held_out_scene(Random(seed)).combination for seed in range(200)}
    assert not seen & asked


@given(SEEDS)
@settings(max_examples=50, deadline=None)
def test_holding_out_depends_on_the_combination_alone(seed: int) -> None:
    scene = random_scene(Random(seed))
    moved = replace(
        scene,
        texture_seed=scene.texture_seed + 1,
        items=tuple(reversed(scene.items)),
        relation="",
        places=(),
    )
    assert held_out(scene) == held_out(moved)
