"""The contact sheet: 64 hand-written prompts with the seeds 0 to 63, none left out.

`python -m imaging.postcard.contact_sheet` writes the sheet and prints its prompts. The prompts are
evenly spread over the file of hand-written ones; the evaluation gives them other seeds.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from imaging.postcard.handwritten import spread, written_prompts
from imaging.postcard.pipelines import WEIGHTS, ImageGenerator, load_model

COUNT = 64
ACROSS = 8
GAP = 4  # pixels


def arrange(pictures: Sequence[Image.Image], across: int = ACROSS) -> Image.Image:
    """Pictures of one size in rows of `across`, on white."""
    width, height = pictures[0].size
    rows = -(-len(pictures) // across)
    sheet = Image.new("RGB", (across * (width + GAP) + GAP, rows * (height + GAP) + GAP), "white")
    for place, picture in enumerate(pictures):
        row, column = divmod(place, across)
        sheet.paste(picture, (GAP + column * (width + GAP), GAP + row * (height + GAP)))
    return sheet


def sheet_prompts() -> list[str]:
    """The prompts of the sheet; the place of each is its seed."""
    return [written.prompt for _, written in spread(written_prompts(), COUNT)]


def contact_sheet(generate: ImageGenerator) -> Image.Image:
    """The sheet with the pictures of `generate`."""
    prompts = sheet_prompts()
    pictures: list[Image.Image] = []
    for start in range(0, COUNT, ACROSS):
        seeds = list(range(start, start + ACROSS))
        pictures += generate(prompts[start : start + ACROSS], seeds)
    return arrange(pictures)


def main(given: Sequence[str] | None = None) -> None:
    """The command: writes the sheet, prints the prompts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "contact_sheet.jpg")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    arguments = parser.parse_args(given)
    # JPEG keeps the colours that a palette of 256 loses.
    generate = load_model(arguments.weights).generator()
    contact_sheet(generate).save(arguments.out, quality=92, subsampling=0)
    for seed, prompt in enumerate(sheet_prompts()):
        print(f"{seed}. {prompt}")


if __name__ == "__main__":
    main()
