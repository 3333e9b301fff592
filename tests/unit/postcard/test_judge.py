"""The judge's arithmetic, without training one: what it marks right and wrong, and where edits
must not reach.
"""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import torch

from imaging.postcard.drawing import draw
from imaging.postcard.edits import KINDS, random_edit
from imaging.postcard.evaluate import (
    SAME,
    Tally,
    carried_out,
    edit_questions,
    mark,
    questions,
    untouched,
)
from imaging.postcard.judge import CELLS, Sighting, Verdict, cells_of
from imaging.postcard.reader import THINGS
from imaging.postcard.scenes import Scene, held_out, luck, random_scene


def perfect(scene: Scene) -> Verdict:
    """What a judge without fault would see."""
    seen = tuple(
        Sighting(item.thing, item.colour, x, y, 1.0)
        for item in scene.items
        for x, y in item.centres
    )
    return Verdict(seen, scene.ground, scene.time)


def marks(scene: Scene, verdict: Verdict) -> dict[str, list[bool]]:
    tally: Tally = defaultdict(list)
    mark(scene, verdict, tally)
    return tally


def test_a_perfect_picture_is_marked_right() -> None:
    for seed in range(60):
        scene = random_scene(luck("judge test", seed))
        assert all(all(answers) for answers in marks(scene, perfect(scene)).values())


def test_a_wrong_colour_a_missing_thing_and_a_wrong_time_are_marked_wrong() -> None:
    scene = next(s for i in range(99) if (s := random_scene(luck("wrong", i))).time == "day")
    verdict = perfect(scene)
    first = verdict.sightings[0]
    other = "red" if first.colour != "red" else "blue"
    painted = tuple(
        replace(s, colour=other) if s.thing == first.thing else s for s in verdict.sightings
    )
    assert not marks(scene, replace(verdict, sightings=painted))["pairs"][0]
    assert not marks(scene, replace(verdict, sightings=verdict.sightings[1:]))["counts"][0]
    assert marks(scene, replace(verdict, time="night"))["time"] == [False]


def test_edits_are_carried_out_when_drawn_and_not_when_nothing_was_done() -> None:
    for kind in KINDS:
        for seed in range(12):
            edit = random_edit(luck("edit test", kind, seed), "en", kind=kind)
            assert carried_out(edit, perfect(edit.after)), edit.instruction
            # A change of size is judged by its pixels.
            if kind != "resize":
                assert not carried_out(edit, perfect(edit.before)), edit.instruction


def test_untouched_is_where_both_drawings_agree() -> None:
    for seed in range(10):
        edit = random_edit(luck("untouched", seed), "fr", kind="recolour")
        before, after = (np.asarray(draw(s)).astype(int) for s in (edit.before, edit.after))
        still = untouched(edit)
        assert still.mean() > 0.2
        assert np.abs(before - after).max(2)[still].max() < SAME


def test_questions_are_held_out_half_french_and_always_the_same() -> None:
    asked = questions(20)
    assert all(held_out(question.scene) for question in asked)
    assert [question.prompt for question in questions(20)] == [q.prompt for q in asked]
    assert all(held_out(e.before) and held_out(e.after) for e in edit_questions(14))


def test_cells_name_each_centre_once() -> None:
    scene = random_scene(luck("cells"))
    things, colours = cells_of(scene)
    assert things.shape == colours.shape == torch.Size([CELLS, CELLS])
    assert int((things > 0).sum()) == sum(item.count for item in scene.items)
    found = {THINGS[place - 1] for place in things[things > 0].tolist()}
    assert found == {item.thing for item in scene.items}
