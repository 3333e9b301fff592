"""Measures the candidates for the starter examples and keeps those that come right.

`python -m imaging.postcard.starter_examples` makes each prompt of `starter_candidates.txt` with 20
seeds, counts the pictures that show all that it names and nothing else, and writes
`starter_examples.json`: the prompts that come right at least 19 times, with their counts and a seed
that came right. With `--thumbnails FOLDER` the picture of that seed is written for each.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image

from imaging.postcard.detector import DetectedScene, Detector, detect, train_detector
from imaging.postcard.handwritten import WrittenPrompt, read_prompts
from imaging.postcard.pipelines import WEIGHTS, ImageGenerator, load_model
from imaging.postcard.scoring import Tally, score_written

HERE = Path(__file__).parent
CANDIDATES, CHOSEN = HERE / "starter_candidates.txt", HERE / "starter_examples.json"
SEEDS = 20
ENOUGH = 19


@dataclass(frozen=True)
class Measured:
    """A prompt, how many of `seeds` pictures came right, and the first seed that did (-1: none)."""

    prompt: str
    language: str
    right: int
    seeds: int
    seed: int


def measure(
    written: WrittenPrompt, detector: Detector, generate: ImageGenerator, seeds: int = SEEDS
) -> Measured:
    """Make the prompt with the seeds 0 to `seeds - 1` and count."""
    pictures = generate([written.prompt] * seeds, list(range(seeds)))
    right = [
        seed
        for seed, detected in enumerate(detect(detector, pictures))
        if _is_right(written, detected)
    ]
    first = right[0] if right else -1
    return Measured(written.prompt, written.language, len(right), seeds, first)


def _is_right(written: WrittenPrompt, detected: DetectedScene) -> bool:
    """Whether all that is named is there, as often as named, and nothing else."""
    tally: Tally = defaultdict(list)
    return score_written(written, detected, tally) and all(tally["written: nothing unnamed"])


def chosen(measured: Sequence[Measured]) -> list[Measured]:
    """Those that came right often enough, in their order."""
    return [one for one in measured if one.right * SEEDS >= ENOUGH * one.seeds]


def examples(path: Path = CHOSEN) -> list[Measured]:
    """The chosen examples, as written by the command."""
    return [Measured(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]


def _thumbnails(folder: Path, found: Sequence[Measured], generate: ImageGenerator) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, one in enumerate(found):
        picture: Image.Image = generate([one.prompt], [one.seed])[0]
        picture.save(folder / f"{number:02d}.png")


def main(given: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--cache", type=Path, help="where the detector's weights are kept")
    parser.add_argument("--out", type=Path, default=CHOSEN)
    parser.add_argument("--thumbnails", type=Path)
    arguments = parser.parse_args(given)
    detector = train_detector(arguments.cache or Path("~/.cache/atelier/postcard").expanduser())
    generate = load_model(arguments.weights).generator()
    measured = []
    for written in read_prompts(CANDIDATES):
        measured.append(measure(written, detector, generate))
        print(f"{measured[-1].right}/{SEEDS} {written.prompt}", flush=True)
    found = chosen(measured)
    text = json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=1)
    arguments.out.write_text(text + "\n", encoding="utf-8")
    if arguments.thumbnails:
        _thumbnails(arguments.thumbnails, found, generate)
    print(f"{len(found)} of {len(measured)} come right in {ENOUGH} of {SEEDS}")


if __name__ == "__main__":
    main()
