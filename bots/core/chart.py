"""The studio's last day as a picture for chat: the queue and the waits by tier. Pure drawing."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from bots.core.sentences import Sentences
from tasks.client import Stretch
from tasks.tiers import Tier

WIDTH, HEIGHT = 960, 540
LEFT, RIGHT, TOP, GAP, BOTTOM = 64, 24, 56, 64, 40
GROUND, INK, LINES = "#1e1f22", "#dbdee1", "#3f4147"
COLOURS: Mapping[Tier, str] = {
    Tier.FREE: "#8a8f98",
    Tier.PLUS: "#3b82c4",
    Tier.TEAM: "#2e9e6b",
    Tier.PRO: "#c79a2b",
}


@dataclass(frozen=True, slots=True)
class _Panel:
    """One graph: where it stands, its heading, and a stretch's value (None: nothing to show)."""

    top: int
    heading: str
    value: Callable[[Stretch, Tier], float | None]


def draw(day: Sequence[Stretch], workers: int, say: Sentences) -> bytes:
    """A PNG of the stretches, oldest first; at least one. `workers` is how many are up now."""
    image = Image.new("RGB", (WIDTH, HEIGHT), GROUND)
    canvas = ImageDraw.Draw(image)
    high = (HEIGHT - TOP - GAP - BOTTOM) // 2
    panels = (
        _Panel(TOP, say("studio-chart-queue"), lambda s, tier: s.queued.get(tier, 0)),
        _Panel(TOP + high + GAP, say("studio-chart-waits"), _minutes),
    )
    for panel in panels:
        _panel(canvas, panel, high, day)
    _legend(canvas, say("studio-chart-workers", count=workers), say)
    _hours(canvas, day)
    data = io.BytesIO()
    image.save(data, "PNG", optimize=True)
    return data.getvalue()


def _minutes(stretch: Stretch, tier: Tier) -> float | None:
    wait = stretch.waits.get(tier)
    return None if wait is None else wait.total_seconds() / 60


def _panel(canvas: ImageDraw.ImageDraw, panel: _Panel, high: int, day: Sequence[Stretch]) -> None:
    values = {tier: [panel.value(stretch, tier) for stretch in day] for tier in Tier}
    most = max((v for line in values.values() for v in line if v is not None), default=0.0)
    most = max(most, 1.0)
    canvas.text((LEFT, panel.top - 26), panel.heading, INK, _font(16))
    for share in (0.0, 0.5, 1.0):
        level = panel.top + high - round(share * high)
        canvas.line((LEFT, level, WIDTH - RIGHT, level), LINES)
        canvas.text((LEFT - 8, level), f"{most * share:.3g}", INK, _font(13), anchor="rm")
    step = (WIDTH - LEFT - RIGHT) / len(day)
    for tier, line in values.items():
        for points in _runs(line):
            # A stretch is as wide as it lasts, so that one alone can be seen, too.
            path = [
                (LEFT + step * (at + side), panel.top + high - value / most * high)
                for at, value in points
                for side in (0.0, 1.0)
            ]
            canvas.line(path, COLOURS[tier], width=3, joint="curve")


def _runs(line: Sequence[float | None]) -> Iterator[list[tuple[int, float]]]:
    """The parts of a line without holes, as (number, value)."""
    run: list[tuple[int, float]] = []
    for number, value in enumerate(line):
        if value is not None:
            run.append((number, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _legend(canvas: ImageDraw.ImageDraw, workers: str, say: Sentences) -> None:
    left = float(LEFT)
    for tier in Tier:
        canvas.rectangle((left, 10, left + 14, 24), COLOURS[tier])
        text = say(f"tier-{tier}")
        canvas.text((left + 20, 17), text, INK, _font(14), anchor="lm")
        left += 40 + canvas.textlength(text, _font(14))
    canvas.text((WIDTH - RIGHT, 17), workers, INK, _font(14), anchor="rm")


def _hours(canvas: ImageDraw.ImageDraw, day: Sequence[Stretch]) -> None:
    level = HEIGHT - BOTTOM + 16
    for share, anchor in ((0.0, "lm"), (0.25, "mm"), (0.5, "mm"), (0.75, "mm"), (1.0, "rm")):
        moment = day[round(share * (len(day) - 1))].until
        across = LEFT + share * (WIDTH - LEFT - RIGHT)
        text = f"{moment:%H:%M} UTC" if share == 0 else f"{moment:%H:%M}"
        canvas.text((across, level), text, INK, _font(13), anchor=anchor)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
