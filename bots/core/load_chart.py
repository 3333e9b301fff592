"""Renders a chart of the last day, the queue and the waits by tier, as a PNG. Pure."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from bots.core.locales import Localizer
from tasks.client import TimeBucket
from tasks.jobs.tier_colours import ON_DARK
from tasks.jobs.tiers import Tier

WIDTH, HEIGHT = 960, 540
LEFT, RIGHT, TOP, GAP, BOTTOM = 64, 24, 56, 64, 40
GROUND, INK, LINES = "#1e1f22", "#dbdee1", "#3f4147"


@dataclass(frozen=True, slots=True)
class _Panel:
    """One plot: its top in pixels, its heading, and a bucket's value (None: no data)."""

    top: int
    heading: str
    value: Callable[[TimeBucket, Tier], float | None]


def draw(day: Sequence[TimeBucket], workers: int, localize: Localizer) -> bytes:
    """A PNG of the buckets, oldest first, at least one. `workers` is how many are online now."""
    image = Image.new("RGB", (WIDTH, HEIGHT), GROUND)
    canvas = ImageDraw.Draw(image)
    height = (HEIGHT - TOP - GAP - BOTTOM) // 2
    panels = (
        _Panel(
            TOP, localize("studio-chart-queue"), lambda bucket, tier: bucket.queued.get(tier, 0)
        ),
        _Panel(TOP + height + GAP, localize("studio-chart-waits"), _minutes),
    )
    for panel in panels:
        _draw_panel(canvas, panel, height, day, localize)
    _legend(canvas, localize("studio-chart-workers", count=workers), localize)
    _time_axis(canvas, day)
    data = io.BytesIO()
    image.save(data, "PNG", optimize=True)
    return data.getvalue()


def _minutes(bucket: TimeBucket, tier: Tier) -> float | None:
    wait = bucket.waits.get(tier)
    return None if wait is None else wait.total_seconds() / 60


def _draw_panel(
    canvas: ImageDraw.ImageDraw,
    panel: _Panel,
    height: int,
    day: Sequence[TimeBucket],
    localize: Localizer,
) -> None:
    values = {tier: [panel.value(bucket, tier) for bucket in day] for tier in Tier}
    maximum = max((v for series in values.values() for v in series if v is not None), default=0.0)
    maximum = max(maximum, 1.0)
    canvas.text((LEFT, panel.top - 26), panel.heading, INK, _font(16))
    for share in (0.0, 0.5, 1.0):
        y = panel.top + height - round(share * height)
        canvas.line((LEFT, y, WIDTH - RIGHT, y), LINES)
        canvas.text(
            (LEFT - 8, y), _axis_label(maximum * share, localize), INK, _font(13), anchor="rm"
        )
    step = (WIDTH - LEFT - RIGHT) / len(day)
    for tier, series in values.items():
        for points in _runs(series):
            # A bucket spans its whole duration, so that a single one is visible.
            path = [
                (LEFT + step * (index + side), panel.top + height - value / maximum * height)
                for index, value in points
                for side in (0.0, 1.0)
            ]
            canvas.line(path, ON_DARK[tier], width=3, joint="curve")


def _axis_label(value: float, localize: Localizer) -> str:
    """The value to three digits; the font has no glyph for the French thousands separator."""
    return localize.number(float(f"{value:.3g}")).replace("\u202f", " ")


def _runs(series: Sequence[float | None]) -> Iterator[list[tuple[int, float]]]:
    """The runs of a series without gaps, as (index, value)."""
    run: list[tuple[int, float]] = []
    for index, value in enumerate(series):
        if value is not None:
            run.append((index, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _legend(canvas: ImageDraw.ImageDraw, workers: str, localize: Localizer) -> None:
    left = float(LEFT)
    for tier in Tier:
        canvas.rectangle((left, 10, left + 14, 24), ON_DARK[tier])
        text = localize(f"tier-{tier}")
        canvas.text((left + 20, 17), text, INK, _font(14), anchor="lm")
        left += 40 + canvas.textlength(text, _font(14))
    canvas.text((WIDTH - RIGHT, 17), workers, INK, _font(14), anchor="rm")


def _time_axis(canvas: ImageDraw.ImageDraw, day: Sequence[TimeBucket]) -> None:
    y = HEIGHT - BOTTOM + 16
    for share, anchor in ((0.0, "lm"), (0.25, "mm"), (0.5, "mm"), (0.75, "mm"), (1.0, "rm")):
        moment = day[round(share * (len(day) - 1))].until
        x = LEFT + share * (WIDTH - LEFT - RIGHT)
        text = f"{moment:%H:%M} UTC" if share == 0 else f"{moment:%H:%M}"
        canvas.text((x, y), text, INK, _font(13), anchor=anchor)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
