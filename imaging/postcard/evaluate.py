"""How well Postcard does what it is asked: `python -m imaging.postcard.evaluate`.

A detector that has seen drawn scenes only reads the pictures. Two kinds of prompts are put to the
model: captions of held-out scenes (combinations never seen in training), half of them French, with
seeds 0, 1, 2 …; and the hand-written prompts, likewise. The captions are also put to an untrained
model of the same shape (the floor) and to the drawn scenes themselves (the ceiling).
"""

import argparse
import json
import time as clock
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from diffusers import StableDiffusionInstructPix2PixPipeline

from imaging.engine.model_optimisation import optimise
from imaging.postcard import vocabulary as words
from imaging.postcard.contact_sheet import contact_sheet
from imaging.postcard.detector import Detector, train_detector
from imaging.postcard.drawing import draw
from imaging.postcard.edits import KINDS, Edit
from imaging.postcard.evaluation_prompts import (
    EvaluationPrompt,
    evaluation_edits,
    evaluation_prompts,
)
from imaging.postcard.handwritten import WrittenPrompt, spread, written_prompts
from imaging.postcard.pipelines import (
    WEIGHTS,
    ImageEditor,
    ImageGenerator,
    Model,
    load_model,
    pipeline_editor,
    randomize_weights,
)
from imaging.postcard.scoring import (
    LONG,
    score_edits,
    score_long_aspects,
    score_pictures,
    score_written_pictures,
)
from imaging.profiles import folder_profile


@dataclass(frozen=True)
class Suite:
    """Everything that one evaluation asks."""

    prompts: list[EvaluationPrompt]
    long: dict[str, list[EvaluationPrompt]]
    edits: list[Edit]
    written: list[tuple[int, WrittenPrompt]]

    def floor(self) -> "Suite":
        """The smaller part that an untrained model is asked."""
        return Suite(
            self.prompts[: max(1, len(self.prompts) // 10)],
            {},
            self.edits[: max(len(KINDS), len(self.edits) // 7)],
            self.written[:: max(1, len(self.written) // 50)],
        )


def suite_of(count: int) -> Suite:
    """The suite with `count` captions of held-out scenes; see `run` for the other numbers."""
    return Suite(
        evaluation_prompts(count),
        {a: evaluation_prompts(max(1, count // 5), words.ASPECTS[a]) for a in LONG},
        evaluation_edits(max(len(KINDS), count // 3)),
        spread(written_prompts(), count),
    )


@dataclass(frozen=True)
class Models:
    """The generating and the editing model of a folder of weights."""

    generating: Model
    instruct: StableDiffusionInstructPix2PixPipeline

    def editor(self) -> ImageEditor:
        """Edits pictures."""
        return pipeline_editor(self.instruct, self.generating.given)


def load_models(weights: Path, device: str = "cpu") -> Models:
    """The models of a folder of weights on a device."""
    folder = str(weights / "edit")
    edit = StableDiffusionInstructPix2PixPipeline.from_pretrained(folder).to(device)
    optimise(edit, folder_profile("postcard", weights))
    return Models(load_model(weights, device), edit)


def evaluate_model(
    detector: Detector, suite: Suite, models: Models, *, edits: bool = True
) -> dict[str, float]:
    """One column of the table; `edits` False leaves the edits out."""
    model = models.generating
    by_aspect = {aspect: model.generator(aspect) for aspect in suite.long}
    column = score_pictures(detector, suite.prompts, model.generator())
    column |= score_long_aspects(detector, suite.long, by_aspect)
    if edits:
        column |= score_edits(detector, suite.edits, models.editor())
    return column | score_written_pictures(detector, suite.written, model.generator())


def evaluate_drawings(detector: Detector, suite: Suite) -> dict[str, float]:
    """The column of the drawn scenes themselves: the ceiling."""
    drawn = {aspect: _drawn_generator(asked) for aspect, asked in suite.long.items()}
    return {
        **score_pictures(detector, suite.prompts, _drawn_generator(suite.prompts)),
        **score_long_aspects(detector, suite.long, drawn),
        **score_edits(detector, suite.edits, _drawn_editor(suite.edits)),
    }


def _drawn_generator(asked: list[EvaluationPrompt]) -> ImageGenerator:
    scenes = {prompt.seed: prompt.scene for prompt in asked}
    return lambda _prompts, seeds: [draw(scenes[seed]) for seed in seeds]


def _drawn_editor(asked: list[Edit]) -> ImageEditor:
    return lambda _texts, _sources, seeds: [draw(asked[seed].after) for seed in seeds]


def _median_seconds(generators: Sequence[ImageGenerator]) -> list[float]:
    """Median duration of one picture by each, made in turn."""
    spent: list[list[float]] = [[] for _ in generators]
    for seed in range(-1, 7):
        for generate, durations in zip(generators, spent, strict=True):
            start = clock.perf_counter()
            generate(["a red house left of a green tree, at night"], [max(seed, 0)])
            durations.append(clock.perf_counter() - start)
    return [median(durations[1:]) for durations in spent]  # the first loads kernels


def run(
    json_path: Path | None = None,
    prompts: int = 1000,
    *,
    cache: Path | None = None,
    weights: Path = WEIGHTS,
    device: str = "cpu",
    brief: bool = False,
    plain: bool = False,
) -> dict[str, object]:
    """Evaluate Postcard, the floor and the ceiling; print the table, write it to `json_path` with
    the contact sheet beside it (`.jpg`), and return the figures.

    `prompts` is the number of captions of held-out scenes. Edits number a third of it, prompts of
    each long aspect a fifth; of the hand-written prompts as many are used, evenly spread. With
    `brief` only the model's own column is made, without edits and contact sheet. With `plain` there
    is one candidate of each picture, in single precision.

    The detector's weights are kept in `cache`, by default in `~/.cache/atelier/postcard`. Where
    they aren't there yet, it is trained first, which takes some minutes.
    """
    detector = train_detector(cache or Path("~/.cache/atelier/postcard").expanduser())
    suite, models = suite_of(prompts), load_models(weights, device)
    stock = load_model(weights, device, plain=True)
    if plain:
        models = replace(models, generating=stock)
    model = models.generating
    seconds, plain_seconds = _median_seconds([model.generator(), stock.generator()])
    columns = {"postcard": evaluate_model(detector, suite, models, edits=not brief)}
    if json_path and not brief:
        contact_sheet(model.generator()).save(
            json_path.with_suffix(".jpg"), quality=92, subsampling=0
        )
    if not brief:
        randomize_weights(model.pipeline), randomize_weights(models.instruct)
        columns["untrained"] = evaluate_model(detector, suite.floor(), models)
        columns["drawn"] = evaluate_drawings(detector, suite)
    result: dict[str, object] = {
        "prompts": len(suite.prompts),
        "edits": 0 if brief else len(suite.edits),
        "written_prompts": len(suite.written),
        "floor_prompts": 0 if brief else len(suite.floor().prompts),
        "steps": int(model.given["steps"]),
        "guidance": float(model.given["guidance"]),
        "candidates": model.choice.plan.count if model.choice else 1,
        "seconds_per_picture_median": round(seconds, 3),
        "seconds_per_plain_picture_median": round(plain_seconds, 3),
        "table": {
            name: {k: round(v, 4) for k, v in column.items()} for name, column in columns.items()
        },
    }
    _show(columns, result)
    if json_path:
        json_path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return result


def _show(columns: dict[str, dict[str, float]], result: dict[str, object]) -> None:
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    rows = [
        [name, *(_cell(name, column.get(name)) for column in columns.values())] for name in names
    ]
    title = (
        f"Postcard: {result['prompts']} held-out prompts, {result['edits']} edits, "
        f"{result['written_prompts']} hand-written prompts, "
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
    print(
        f"one picture: {result['seconds_per_picture_median']} s at the median with "
        f"{result['candidates']} candidates, {result['seconds_per_plain_picture_median']} s by the "
        "stock pipeline in single precision"
    )


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if "255" in name else f"{value:.1%}"


def main(given: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=int, default=1000)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--cache", type=Path, help="where the detector's weights are kept")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--brief", action="store_true", help="only the model, without its edits")
    parser.add_argument("--plain", action="store_true", help="one candidate, single precision")
    arguments = parser.parse_args(given)
    run(
        arguments.json,
        arguments.prompts,
        cache=arguments.cache,
        weights=arguments.weights,
        device=arguments.device,
        brief=arguments.brief,
        plain=arguments.plain,
    )


if __name__ == "__main__":
    main()
