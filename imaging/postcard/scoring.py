"""Scores for pictures: the shares of what was asked for that the detector finds."""

from collections import defaultdict
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from imaging.postcard import vocabulary as words
from imaging.postcard.detector import DetectedScene, Detection, Detector, detect
from imaging.postcard.drawing import draw
from imaging.postcard.edits import Edit
from imaging.postcard.evaluation_prompts import EvaluationPrompt
from imaging.postcard.handwritten import Group, WrittenPrompt
from imaging.postcard.pipelines import ImageEditor, ImageGenerator
from imaging.postcard.scenes import Scene, is_at_place, satisfies_relation

PLACE_SLACK = 0.09
SAME = 3  # of 255: drawn pixels closer than this before and after are unchanged by an edit
HALO = 9  # pixels around what an edit changes that are not counted as unchanged
BATCH = 16

LONG = ("16:9", "9:16")
LONG_NAMES = ("pairs", "places and counts")

Tally = dict[str, list[bool]]


def _centre(found: list[Detection]) -> tuple[float, float]:
    return sum(s.x for s in found) / len(found), sum(s.y for s in found) / len(found)


def score_scene(scene: Scene, detected: DetectedScene, tally: Tally) -> None:
    """Add to `tally` which pairs, counts, places, ground and time of the scene were detected."""
    centres: list[tuple[float, float] | None] = []
    for item, place in zip(scene.items, scene.places, strict=True):
        same = [s for s in detected.detections if s.thing == item.thing]
        right = [s for s in same if s.colour == item.colour]
        tally["pairs"].append(bool(right))
        tally["counts"].append(len(same) == item.count)
        tally["places and counts"].append(len(same) == item.count)
        centres.append(_centre(same) if same else None)
        if place:
            met = bool(same) and is_at_place(place, *_centre(same), scene.extent, PLACE_SLACK)
            tally["places"].append(met)
            tally["places and counts"].append(met)
    if scene.relation:
        first, second = centres[:2]
        met = (
            first is not None
            and second is not None
            and satisfies_relation(scene.relation, first, second)
        )
        tally["places"].append(met)
        tally["places and counts"].append(met)
    tally["ground"].append(detected.ground == scene.ground)
    if scene.time:
        tally["time"].append(detected.time == scene.time)


def edit_succeeded(edit: Edit, after: DetectedScene) -> bool:
    """Whether the instruction's result is detected in the edited picture."""
    if edit.kind == "time":
        return after.time == edit.after.time
    if edit.kind == "ground":
        return after.ground == edit.after.ground
    seen = [s for s in after.detections if s.thing == edit.target]
    if edit.kind == "remove":
        # An empty picture is no answer: what was not named has to be there still.
        kept = {item.thing for item in edit.after.items}
        return not seen and kept <= {s.thing for s in after.detections}
    if edit.kind == "replace":
        new = next(
            i for i in edit.after.items if i.thing not in {j.thing for j in edit.before.items}
        )
        return not seen and any(s.thing == new.thing for s in after.detections)
    item = next(i for i in edit.after.items if i.thing == edit.target)
    if edit.kind == "resize":
        return len(seen) == item.count and all(s.colour == item.colour for s in seen)
    return any(s.colour == item.colour for s in seen)


def unchanged_region(edit: Edit) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Mask `(h, w)` of the pixels that are equal in the drawn pictures before and after, at least
    `HALO` pixels away from the change.
    """
    before, after = (
        np.asarray(draw(scene)).astype(np.int16) for scene in (edit.before, edit.after)
    )
    changed = Image.fromarray((np.abs(before - after).max(2) >= SAME).astype(np.uint8) * 255)
    near = np.asarray(changed.filter(ImageFilter.MaxFilter(2 * HALO + 1)))
    clear: np.ndarray[Any, np.dtype[np.bool_]] = np.equal(near, 0)
    return clear


def _resized_right(edit: Edit, picture: Image.Image) -> bool:
    """Whether the picture is closer to the drawing with the new size than to the old drawing."""
    got, old, new = (
        np.asarray(p.convert("RGB")).astype(np.float32)
        for p in (picture, draw(edit.before), draw(edit.after))
    )
    differs = np.abs(old - new).max(2) >= SAME
    return bool(np.abs(got - new)[differs].mean() < np.abs(got - old)[differs].mean())


def score_pictures(
    detector: Detector, asked: list[EvaluationPrompt], generate: ImageGenerator
) -> dict[str, float]:
    """The share of each kind of requirement that was met, over all prompts."""
    tally: Tally = defaultdict(list)
    for start in range(0, len(asked), BATCH):
        part = asked[start : start + BATCH]
        pictures = generate([p.prompt for p in part], [p.seed for p in part])
        for prompt, detected in zip(part, detect(detector, pictures), strict=True):
            score_scene(prompt.scene, detected, tally)
    return {name: sum(marks) / len(marks) for name, marks in tally.items()}


def score_long_aspects(
    detector: Detector,
    asked: dict[str, list[EvaluationPrompt]],
    by_aspect: dict[str, ImageGenerator],
) -> dict[str, float]:
    """The same for pictures that aren't square, by aspect."""
    return {
        f"{aspect}: {name}": share
        for aspect, of_aspect in asked.items()
        for name, share in score_pictures(detector, of_aspect, by_aspect[aspect]).items()
        if name in LONG_NAMES
    }


def score_edits(detector: Detector, asked: list[Edit], editor: ImageEditor) -> dict[str, float]:
    """The shares of successful edits, and the mean change of unchanged regions (of 255)."""
    tally: Tally = defaultdict(list)
    drift: list[float] = []
    for start in range(0, len(asked), BATCH):
        part = asked[start : start + BATCH]
        sources = [draw(edit.before) for edit in part]
        pictures = editor(
            [e.instruction for e in part], sources, list(range(start, start + len(part)))
        )
        views = zip(part, sources, pictures, detect(detector, pictures), strict=True)
        for edit, source, picture, detected in views:
            done = edit_succeeded(edit, detected)
            if edit.kind == "resize":
                done = done and _resized_right(edit, picture)
            tally["edits"].append(done)
            tally[f"edit: {edit.kind}"].append(done)
            still = unchanged_region(edit)
            if still.mean() > 0.05:
                gap = np.abs(
                    np.asarray(source).astype(np.float32) - np.asarray(picture.convert("RGB"))
                )
                drift.append(float(gap[still].mean()))
    shares = {name: sum(marks) / len(marks) for name, marks in tally.items()}
    return {**shares, "untouched drift (of 255)": sum(drift) / len(drift)}


def _group_found(group: Group, others: tuple[Group, ...], found: list[Detection]) -> bool:
    """Whether `found`, all detections of the group's thing, are as many as `others` and the group
    ask for together, and enough of them have the group's colour.
    """
    wanted = sum(other.count for other in others)
    enough = len(found) >= wanted if group.more else len(found) == wanted
    if not group.colour:
        return enough
    tinted = sum(detection.colour == group.colour for detection in found)
    return enough and (tinted >= group.count if group.more else tinted == group.count)


def score_written(written: WrittenPrompt, detected: DetectedScene, tally: Tally) -> bool:
    """Whether the picture shows all that the prompt names, each thing as often as named; added to
    `tally` as a whole and in parts.

    The detector tells ten colours: a grey background isn't asked of it.
    """
    by_thing: dict[str, list[Detection]] = defaultdict(list)
    for detection in detected.detections:
        by_thing[detection.thing].append(detection)
    named = {group.thing for group in written.groups}
    things = True
    for group in written.groups:
        alike = tuple(other for other in written.groups if other.thing == group.thing)
        things &= _group_found(group, alike, by_thing[group.thing])
    met = things and all(
        bool(by_thing[first] and by_thing[second])
        and satisfies_relation(relation, _centre(by_thing[first]), _centre(by_thing[second]))
        for first, relation, second in written.relations
    )
    met &= all(
        bool(by_thing[thing]) and is_at_place(place, *_centre(by_thing[thing]), (1, 1), PLACE_SLACK)
        for thing, place in written.places
    )
    if written.ground and written.ground != words.GREY:
        met &= detected.ground == written.ground
    if written.time:
        met &= detected.time == written.time
    tally["written: all as named"].append(met)
    tally[f"written: {'English' if written.language == 'en' else 'French'}"].append(met)
    if written.bare:
        tally["written: no ground or time"].append(met)
    tally["written: things, numbers, colours"].append(things)
    seen = {detection.thing for detection in detected.detections}
    tally["written: nothing unnamed"].append(seen <= named)
    return met


def score_written_pictures(
    detector: Detector, asked: list[tuple[int, WrittenPrompt]], generate: ImageGenerator
) -> dict[str, float]:
    """Shares of the hand-written prompts, each with its own seed, that came as named."""
    tally: Tally = defaultdict(list)
    for start in range(0, len(asked), BATCH):
        part = asked[start : start + BATCH]
        pictures = generate([w.prompt for _, w in part], [seed for seed, _ in part])
        for (_, written), detected in zip(part, detect(detector, pictures), strict=True):
            score_written(written, detected, tally)
    return {name: sum(marks) / len(marks) for name, marks in tally.items()}
