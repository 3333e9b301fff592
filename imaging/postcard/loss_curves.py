"""Plots the losses of `training.jsonl`: `python -m imaging.postcard.loss_curves`.

One panel a stage, the loss over the steps. A stage that was restarted from its weights has one line
a run.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from imaging.postcard.vocabulary import COLOURS

PANEL = (250, 170)
MARGIN = (46, 24)
CEILING = 1.25  # the axis ends at this multiple of the median of the first half
INK = (60, 60, 66)

Points = list[tuple[float, float]]


def runs_by_stage(lines: Sequence[str]) -> dict[str, list[Points]]:
    """The runs of each stage as lists of (step, loss), from the lines of the log."""
    found: dict[str, list[Points]] = {}
    for line in lines:
        entry = json.loads(line)
        stage = found.setdefault(entry["stage"], [[]])
        if stage[-1] and entry["step"] <= stage[-1][-1][0]:
            stage.append([])
        stage[-1].append((entry["step"], entry["loss"]))
    return found


def panel(stage: str, lines: list[Points]) -> Image.Image:
    """The panel of one stage."""
    canvas = Image.new("RGB", PANEL, "white")
    pen = ImageDraw.Draw(canvas)
    width, height = PANEL[0] - MARGIN[0] - 10, PANEL[1] - 2 * MARGIN[1]
    losses = [loss for line in lines for _, loss in line]
    early = sorted(losses[: max(1, len(losses) // 2)])
    top = min(max(losses), CEILING * early[len(early) // 2])
    last = max(step for line in lines for step, _ in line)
    pen.text((MARGIN[0], 6), stage, fill=INK)
    pen.text((4, MARGIN[1] - 6), f"{top:.2f}", fill=INK)
    pen.text((4, MARGIN[1] + height - 6), "0", fill=INK)
    pen.text((PANEL[0] - 44, PANEL[1] - 18), f"{last:.0f}", fill=INK)
    pen.rectangle([MARGIN[0], MARGIN[1], MARGIN[0] + width, MARGIN[1] + height], outline=(205,) * 3)
    for line, colour in zip(lines, [*COLOURS.values()] * len(lines), strict=False):
        spots = [
            (MARGIN[0] + width * step / last, MARGIN[1] + height * (1 - min(loss, top) / top))
            for step, loss in line
        ]
        pen.line(spots, fill=colour, width=2, joint="curve")
    return canvas


def draw_curves(lines: Sequence[str]) -> Image.Image:
    """All panels, side by side."""
    panels = [panel(stage, runs) for stage, runs in runs_by_stage(lines).items()]
    canvas = Image.new("RGB", (PANEL[0] * len(panels), PANEL[1]), "white")
    for place, drawn in enumerate(panels):
        canvas.paste(drawn, (PANEL[0] * place, 0))
    return canvas


def main(given: Sequence[str] | None = None) -> None:
    """The command."""
    here = Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--log", type=Path, default=here / "training.jsonl")
    parser.add_argument("--out", type=Path, default=here / "loss_curves.png")
    arguments = parser.parse_args(given)
    lines = arguments.log.read_text(encoding="utf-8").splitlines()
    draw_curves(lines).quantize(64).save(arguments.out, optimize=True)


if __name__ == "__main__":
    main()
