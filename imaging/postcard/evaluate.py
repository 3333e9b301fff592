"""How well Postcard does what it is asked, by an independent judge: `python -m
imaging.postcard.evaluate`.

Prompts are captions of held-out scenes (combinations never seen in training), half of them French,
with seeds 0, 1, 2 … The same questions are put to three painters: Postcard, an untrained model of
the same shape (the floor), and the drawn pictures themselves (the ceiling).
"""

import argparse
import json
import time as clock
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import (
    DiffusionPipeline,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionPipeline,
)
from PIL import Image, ImageFilter

from imaging.postcard import vocabulary as words
from imaging.postcard.captions import caption
from imaging.postcard.drawing import draw
from imaging.postcard.edits import KINDS, Edit, random_edit
from imaging.postcard.judge import Judge, Sighting, Verdict, look, train_judge
from imaging.postcard.scenes import Scene, luck, random_held_out_scene, related, stands_in

WEIGHTS = Path(__file__).parent / "weights"
PLACE_SLACK = 0.09
SAME = 3  # of 255: drawn pixels closer than this before and after are untouched by an edit
HALO = 9  # pixels around what an edit changes that are not counted as untouched
BATCH = 16

LONG = ("16:9", "9:16")
LONG_NAMES = ("pairs", "places and counts")

Tally = dict[str, list[bool]]
Painter = Callable[[list[str], list[int]], list[Image.Image]]
Editor = Callable[[list[str], list[Image.Image], list[int]], list[Image.Image]]


@dataclass(frozen=True)
class Question:
    """One prompt, the scene it was made from, and the seed of the noise."""

    scene: Scene
    prompt: str
    seed: int


def questions(count: int, size: tuple[int, int] = (128, 128)) -> list[Question]:
    """Question i is made from seed i alone. Colours are always named: what is not asked for cannot
    be wrong.
    """
    found = []
    for seed in range(count):
        rng = luck("question", seed)
        scene = random_held_out_scene(rng, size)
        language: words.Language = "en" if seed % 2 == 0 else "fr"
        found.append(Question(scene, caption(rng, scene, language, terse=0.0), seed))
    return found


def edit_questions(count: int) -> list[Edit]:
    """Edits between held-out combinations, each kind in turn, half of them French."""
    found = []
    for seed in range(count):
        language: words.Language = "en" if (seed // len(KINDS)) % 2 == 0 else "fr"
        found.append(
            random_edit(
                luck("edit question", seed),
                language,
                unseen=True,
                kind=KINDS[seed % len(KINDS)],
            )
        )
    return found


def _centre(found: list[Sighting]) -> tuple[float, float]:
    return sum(s.x for s in found) / len(found), sum(s.y for s in found) / len(found)


def mark(scene: Scene, verdict: Verdict, tally: Tally) -> None:
    """Add to `tally` what of the scene the judge found: pairs, counts, places, ground and time."""
    centres: list[tuple[float, float] | None] = []
    for item, place in zip(scene.items, scene.places, strict=True):
        same = [s for s in verdict.sightings if s.thing == item.thing]
        right = [s for s in same if s.colour == item.colour]
        tally["pairs"].append(bool(right))
        tally["counts"].append(len(same) == item.count)
        tally["places and counts"].append(len(same) == item.count)
        centres.append(_centre(same) if same else None)
        if place:
            met = bool(same) and stands_in(place, *_centre(same), scene.extent, PLACE_SLACK)
            tally["places"].append(met)
            tally["places and counts"].append(met)
    if scene.relation:
        first, second = centres[:2]
        met = first is not None and second is not None and related(scene.relation, first, second)
        tally["places"].append(met)
        tally["places and counts"].append(met)
    tally["ground"].append(verdict.ground == scene.ground)
    if scene.time:
        tally["time"].append(verdict.time == scene.time)


def carried_out(edit: Edit, after: Verdict) -> bool:
    """Whether the judge sees in `after` what the instruction asked."""
    if edit.kind == "time":
        return after.time == edit.after.time
    if edit.kind == "ground":
        return after.ground == edit.after.ground
    seen = [s for s in after.sightings if s.thing == edit.target]
    if edit.kind == "remove":
        # An empty picture is no answer: what was not named has to be there still.
        kept = {item.thing for item in edit.after.items}
        return not seen and kept <= {s.thing for s in after.sightings}
    if edit.kind == "replace":
        new = next(
            i for i in edit.after.items if i.thing not in {j.thing for j in edit.before.items}
        )
        return not seen and any(s.thing == new.thing for s in after.sightings)
    item = next(i for i in edit.after.items if i.thing == edit.target)
    if edit.kind == "resize":
        return len(seen) == item.count and all(s.colour == item.colour for s in seen)
    return any(s.colour == item.colour for s in seen)


def untouched(edit: Edit) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Where the drawn pictures before and after are the same, `(h, w)`, clear of the change by a
    halo.
    """
    before, after = (
        np.asarray(draw(scene)).astype(np.int16) for scene in (edit.before, edit.after)
    )
    changed = Image.fromarray((np.abs(before - after).max(2) >= SAME).astype(np.uint8) * 255)
    near = np.asarray(changed.filter(ImageFilter.MaxFilter(2 * HALO + 1)))
    clear: np.ndarray[Any, np.dtype[np.bool_]] = np.equal(near, 0)
    return clear


def _resized_right(edit: Edit, picture: Image.Image) -> bool:
    """For a change of size: whether the picture is nearer to the drawing with the new size than
    with the old one.
    """
    got, old, new = (
        np.asarray(p.convert("RGB")).astype(np.float32)
        for p in (picture, draw(edit.before), draw(edit.after))
    )
    differs = np.abs(old - new).max(2) >= SAME
    return bool(np.abs(got - new)[differs].mean() < np.abs(got - old)[differs].mean())


def judge_pictures(judge: Judge, asked: list[Question], painter: Painter) -> dict[str, float]:
    """Shares of what was asked and found, over all questions."""
    tally: Tally = defaultdict(list)
    for start in range(0, len(asked), BATCH):
        part = asked[start : start + BATCH]
        pictures = painter([q.prompt for q in part], [q.seed for q in part])
        for question, verdict in zip(part, look(judge, pictures), strict=True):
            mark(question.scene, verdict, tally)
    return {name: sum(marks) / len(marks) for name, marks in tally.items()}


def _judge_long(
    judge: Judge, asked: dict[str, list[Question]], painters: dict[str, Painter]
) -> dict[str, float]:
    """What is found in pictures that are not square, by aspect."""
    return {
        f"{aspect}: {name}": share
        for aspect, of_aspect in asked.items()
        for name, share in judge_pictures(judge, of_aspect, painters[aspect]).items()
        if name in LONG_NAMES
    }


def judge_edits(judge: Judge, asked: list[Edit], editor: Editor) -> dict[str, float]:
    """Shares of instructions carried out, and the mean change of what should stay, of 255."""
    tally: Tally = defaultdict(list)
    drift: list[float] = []
    for start in range(0, len(asked), BATCH):
        part = asked[start : start + BATCH]
        sources = [draw(edit.before) for edit in part]
        pictures = editor(
            [e.instruction for e in part], sources, list(range(start, start + len(part)))
        )
        views = zip(part, sources, pictures, look(judge, pictures), strict=True)
        for edit, source, picture, verdict in views:
            done = carried_out(edit, verdict)
            if edit.kind == "resize":
                done = done and _resized_right(edit, picture)
            tally["edits"].append(done)
            tally[f"edit: {edit.kind}"].append(done)
            still = untouched(edit)
            if still.mean() > 0.05:
                gap = np.abs(
                    np.asarray(source).astype(np.float32) - np.asarray(picture.convert("RGB"))
                )
                drift.append(float(gap[still].mean()))
    shares = {name: sum(marks) / len(marks) for name, marks in tally.items()}
    return {**shares, "untouched drift (of 255)": sum(drift) / len(drift)}


def _noise(seeds: list[int]) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def defaults(folder: Path) -> dict[str, Any]:
    """The folder's `atelier.json`."""
    return dict(json.loads((folder / "atelier.json").read_text(encoding="utf-8")))


def pipeline_painter(
    pipeline: StableDiffusionPipeline,
    steps: int,
    guidance: float,
    size: tuple[int, int] = (128, 128),
) -> Painter:
    """A painter of pictures of one size that asks the stock text-to-image pipeline."""
    pipeline.set_progress_bar_config(disable=True)

    def paint(prompts: list[str], seeds: list[int]) -> list[Image.Image]:
        made = pipeline(
            prompts,
            width=size[0],
            height=size[1],
            num_inference_steps=steps,
            guidance_scale=guidance,
            generator=_noise(seeds),
        )
        return list(made.images)

    return paint


def pipeline_editor(
    pipeline: StableDiffusionInstructPix2PixPipeline, given: dict[str, Any]
) -> Editor:
    """An editor that asks the stock instruction pipeline, as the folder's `atelier.json` says."""
    pipeline.set_progress_bar_config(disable=True)

    def edit(texts: list[str], sources: list[Image.Image], seeds: list[int]) -> list[Image.Image]:
        made = pipeline(
            texts,
            image=sources,
            num_inference_steps=given["steps"],
            guidance_scale=given["edit_guidance"],
            image_guidance_scale=given["image_guidance"],
            generator=_noise(seeds),
        )
        return list(made.images)

    return edit


def untrain(pipeline: DiffusionPipeline, seed: int = 0) -> DiffusionPipeline:
    """The same shapes with fresh random weights in the denoiser and the text encoder."""
    torch.manual_seed(seed)
    pipeline.unet = type(pipeline.unet).from_config(pipeline.unet.config).eval()
    pipeline.text_encoder = type(pipeline.text_encoder)(pipeline.text_encoder.config).eval()
    return pipeline


def _drawn_painter(asked: list[Question]) -> Painter:
    scenes = {question.seed: question.scene for question in asked}
    return lambda _prompts, seeds: [draw(scenes[seed]) for seed in seeds]


def _drawn_editor(asked: list[Edit]) -> Editor:
    return lambda _texts, _sources, seeds: [draw(asked[seed].after) for seed in seeds]


def _median_seconds(painter: Painter) -> float:
    spent = []
    for seed in range(7):
        start = clock.perf_counter()
        painter(["a red house left of a green tree, at night"], [seed])
        spent.append(clock.perf_counter() - start)
    return sorted(spent)[len(spent) // 2]


def run(
    json_path: Path | None = None,
    prompts: int = 1000,
    *,
    cache: Path | None = None,
    weights: Path = WEIGHTS,
) -> dict[str, object]:
    """Judge Postcard, the floor and the ceiling; print the table, write it to `json_path`, and
    return it.

    `cache` is a folder where the judge's weights are kept between calls; without one the judge is
    trained each time (some minutes). Edits are asked a third as often as pictures.
    """
    given = defaults(weights)
    steps, guidance = int(given["steps"]), float(given["guidance"])
    folder = cache or Path("~/.cache/atelier/postcard").expanduser()
    judge = train_judge(folder)
    asked, edits = questions(prompts), edit_questions(max(len(KINDS), prompts // 3))
    pipeline = StableDiffusionPipeline.from_pretrained(str(weights))
    instruct = StableDiffusionInstructPix2PixPipeline.from_pretrained(str(weights / "edit"))
    painter, editor = (
        pipeline_painter(pipeline, steps, guidance),
        pipeline_editor(instruct, given),
    )
    long = {aspect: questions(max(50, prompts // 5), words.ASPECTS[aspect]) for aspect in LONG}
    painters = {
        aspect: pipeline_painter(pipeline, steps, guidance, words.ASPECTS[aspect])
        for aspect in LONG
    }
    columns: dict[str, dict[str, float]] = {}
    seconds = _median_seconds(painter)
    columns["postcard"] = {
        **judge_pictures(judge, asked, painter),
        **_judge_long(judge, long, painters),
        **judge_edits(judge, edits, editor),
    }
    floor, floor_edits = asked[: max(50, prompts // 10)], edits[: max(49, prompts // 30)]
    untrain(pipeline), untrain(instruct)
    columns["untrained"] = {
        **judge_pictures(judge, floor, painter),
        **judge_edits(judge, floor_edits, editor),
    }
    drawn = {aspect: _drawn_painter(of_aspect) for aspect, of_aspect in long.items()}
    columns["drawn"] = {
        **judge_pictures(judge, asked, _drawn_painter(asked)),
        **_judge_long(judge, long, drawn),
        **judge_edits(judge, edits, _drawn_editor(edits)),
    }
    result: dict[str, object] = {
        "prompts": len(asked),
        "edits": len(edits),
        "floor_prompts": len(floor),
        "steps": steps,
        "guidance": guidance,
        "seconds_per_picture_median": round(seconds, 3),
        "table": {
            name: {k: round(v, 4) for k, v in column.items()} for name, column in columns.items()
        },
    }
    _show(columns, result)
    if json_path:
        json_path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return result


def _show(columns: dict[str, dict[str, float]], result: dict[str, object]) -> None:
    names = list(columns["drawn"])
    rows = [
        [name, *(_cell(name, column.get(name)) for column in columns.values())] for name in names
    ]
    title = (
        f"Postcard: {result['prompts']} held-out prompts, {result['edits']} edits, "
        f"{result['steps']} steps"
    )
    try:
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        print(title)
        for row in [["", *columns], *rows]:
            print(f"{row[0]:28s}" + "".join(f"{cell:>12s}" for cell in row[1:]))
    else:
        table = Table("", *columns, title=title)
        for row in rows:
            table.add_row(*row)
        Console().print(table)
    print(f"one picture: {result['seconds_per_picture_median']} s at the median")


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if "255" in name else f"{value:.1%}"


def main(given: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--cache", type=Path, help="where the judge's weights are kept")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    arguments = parser.parse_args(given)
    run(arguments.json, arguments.prompts, cache=arguments.cache, weights=arguments.weights)


if __name__ == "__main__":
    main()
