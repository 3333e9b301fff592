"""The detector's arithmetic, without training one: what it marks right and wrong, and where edits
must not reach.
"""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from imaging.postcard import vocabulary as words
from imaging.postcard.detector import (
    CELLS,
    DetectedScene,
    Detection,
    Detector,
    cell_targets,
    detect,
)
from imaging.postcard.drawing import draw
from imaging.postcard.edits import KINDS, random_edit
from imaging.postcard.evaluation_prompts import evaluation_edits, evaluation_prompts
from imaging.postcard.scenes import Scene, held_out, random_scene, seeded_random
from imaging.postcard.scoring import (
    SAME,
    Tally,
    edit_succeeded,
    score_edits,
    score_scene,
    unchanged_region,
)
from imaging.postcard.text_encoder import THINGS


def perfect(scene: Scene) -> DetectedScene:
    """What a detector without fault would see."""
    seen = tuple(
        Detection(item.thing, item.colour, x, y, 1.0)
        for item in scene.items
        for x, y in item.centres
    )
    return DetectedScene(seen, scene.ground, scene.time)


def marks(scene: Scene, detected: DetectedScene) -> dict[str, list[bool]]:
    tally: Tally = defaultdict(list)
    score_scene(scene, detected, tally)
    return tally


@pytest.mark.parametrize("aspect", list(words.ASPECTS))
def test_a_perfect_picture_is_marked_right(aspect: str) -> None:
    for seed in range(60):
        scene = random_scene(seeded_random("detector test", seed), words.ASPECTS[aspect])
        assert all(all(targets) for targets in marks(scene, perfect(scene)).values())


def test_a_wrong_colour_a_missing_thing_and_a_wrong_time_are_marked_wrong() -> None:
    scene = next(
        s for i in range(99) if (s := random_scene(seeded_random("wrong", i))).time == "day"
    )
    detected = perfect(scene)
    first = detected.detections[0]
    other = "red" if first.colour != "red" else "blue"
    painted = tuple(
        replace(s, colour=other) if s.thing == first.thing else s for s in detected.detections
    )
    assert not marks(scene, replace(detected, detections=painted))["pairs"][0]
    assert not marks(scene, replace(detected, detections=detected.detections[1:]))["counts"][0]
    assert marks(scene, replace(detected, time="night"))["time"] == [False]


def test_edits_are_carried_out_when_drawn_and_not_when_nothing_was_done() -> None:
    for kind in KINDS:
        for seed in range(12):
            edit = random_edit(seeded_random("edit test", kind, seed), "en", kind=kind)
            assert edit_succeeded(edit, perfect(edit.after)), edit.instruction
            # A change of size is judged by its pixels.
            if kind != "resize":
                assert not edit_succeeded(edit, perfect(edit.before)), edit.instruction


def test_untouched_is_where_both_drawings_agree() -> None:
    for seed in range(10):
        edit = random_edit(seeded_random("unchanged_region", seed), "fr", kind="recolour")
        before, after = (np.asarray(draw(s)).astype(int) for s in (edit.before, edit.after))
        still = unchanged_region(edit)
        assert still.mean() > 0.2
        assert np.abs(before - after).max(2)[still].max() < SAME


def test_questions_are_held_out_half_french_and_always_the_same() -> None:
    asked = evaluation_prompts(20)
    assert all(held_out(question.scene) for question in asked)
    assert [question.prompt for question in evaluation_prompts(20)] == [q.prompt for q in asked]
    assert all(held_out(e.before) and held_out(e.after) for e in evaluation_edits(14))


class Sees(Detector):
    """Sees a red house in one cell of the upper row, whatever it is shown."""

    def __init__(self, column: int) -> None:
        super().__init__()
        self.column = column
        self.shown: list[tuple[int, ...]] = []

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, ...]:  # type: ignore[override]
        self.shown.append(tuple(pictures.shape))
        rows, columns = (side * CELLS // 64 for side in pictures.shape[-2:])
        things = torch.zeros(len(pictures), 1 + len(THINGS), rows, columns)
        things[:, 0] = 9.0
        things[:, 1 + THINGS.index("house"), 0, self.column] = 20.0
        return things, torch.zeros(len(pictures), 10, rows, columns), *torch.zeros(2, 1, 3)


@pytest.mark.parametrize("aspect", list(words.ASPECTS))
def test_a_picture_is_looked_at_in_its_own_shape(aspect: str) -> None:
    width, height = words.ASPECTS[aspect]
    detector = Sees(column=round(width / min(width, height) * CELLS) - 1)
    [detected] = detect(detector, [Image.new("RGB", (width, height))])
    short = min(width, height)
    assert detector.shown == [(1, 3, height * 64 // short, width * 64 // short)]
    [seen] = detected.detections
    assert (seen.thing, seen.y) == ("house", 0.5 / CELLS)
    assert seen.x == pytest.approx(width / short - 0.5 / CELLS)


def test_cells_name_each_centre_once() -> None:
    scene = random_scene(seeded_random("cells"))
    things, colours = cell_targets(scene)
    assert things.shape == colours.shape == torch.Size([CELLS, CELLS])
    assert int((things > 0).sum()) == sum(item.count for item in scene.items)
    found = {THINGS[place - 1] for place in things[things > 0].tolist()}
    assert found == {item.thing for item in scene.items}


def test_the_drift_row_keeps_its_name() -> None:
    """Programs that compare figures over versions look it up."""
    black = [Image.new("RGB", (128, 128))]
    detector = Sees(column=0).eval()
    rows = score_edits(detector, evaluation_edits(1), lambda _texts, _sources, _seeds: black)
    assert rows["untouched drift (of 255)"] > 50
    assert rows["edits"] == 0
