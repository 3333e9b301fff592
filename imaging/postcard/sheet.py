"""The contact sheet: 64 held-out prompts with the seeds 0 to 63, as they come. `python -m
imaging.postcard.sheet`.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from diffusers import StableDiffusionPipeline
from PIL import Image

from imaging.postcard.evaluate import WEIGHTS, Question, defaults, pipeline_painter, questions

COUNT = 64
ACROSS = 8
GAP = 4


def arrange(pictures: Sequence[Image.Image], across: int = ACROSS) -> Image.Image:
    """Pictures of one size in rows of `across`, on white."""
    width, height = pictures[0].size
    rows = -(-len(pictures) // across)
    sheet = Image.new("RGB", (across * (width + GAP) + GAP, rows * (height + GAP) + GAP), "white")
    for place, picture in enumerate(pictures):
        row, column = divmod(place, across)
        sheet.paste(picture, (GAP + column * (width + GAP), GAP + row * (height + GAP)))
    return sheet


def paint(weights: Path = WEIGHTS) -> tuple[list[Question], Image.Image]:
    """The 64 questions and their sheet."""
    given = defaults(weights)
    painter = pipeline_painter(
        StableDiffusionPipeline.from_pretrained(str(weights)),
        int(given["steps"]),
        float(given["guidance"]),
    )
    asked = questions(COUNT)
    pictures: list[Image.Image] = []
    for start in range(0, COUNT, ACROSS):
        part = asked[start : start + ACROSS]
        pictures += painter([q.prompt for q in part], [q.seed for q in part])
    return asked, arrange(pictures)


def main(given: Sequence[str] | None = None) -> None:
    """The command: writes the sheet, prints the prompts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "sheet.jpg")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    arguments = parser.parse_args(given)
    asked, sheet = paint(arguments.weights)
    # Whole colours: a palette of 256 takes purple for blue.
    sheet.save(arguments.out, quality=92, subsampling=0)
    for question in asked:
        print(f"{question.seed}. {question.prompt}")


if __name__ == "__main__":
    main()
