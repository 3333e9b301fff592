"""The capacity chart: queue and waits by tier over the last day, as a picture. Pure drawing."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from bots.core.sentences import Sentences
from bots.discord.daybook import Sample
from bots.discord.layout import COLOURS
from tasks.tiers import Tier

WIDTH, HEIGHT = 960, 540
LEFT, RIGHT, TOP, GAP, BOTTOM = 64, 24, 56, 64, 40
GROUND, INK, LINES = "#1e1f22", "#dbdee1", "#3f4147"


@dataclass(frozen=True, slots=True)
class _Panel:
    """One graph: where it stands, its heading, and what it shows of a sample."""

    top: int
    heading: str
    value: Callable[[Sample, Tier], float]


def draw(samples: Sequence[Sample], say: Sentences) -> bytes:
    """A PNG of the samples, oldest first; at least one."""
    image = Image.new("RGB", (WIDTH, HEIGHT), GROUND)
    canvas = ImageDraw.Draw(image)
    high = (HEIGHT - TOP - GAP - BOTTOM) // 2
    panels = (
        _Panel(TOP, say("discord-chart-queue"), lambda s, tier: s.queued.get(tier, 0)),
        _Panel(TOP + high + GAP, say("discord-chart-waits"), lambda s, t: s.waits.get(t, 0) / 60),
    )
    for panel in panels:
        _panel(canvas, panel, high, samples)
    _legend(canvas, samples[-1], say)
    _hours(canvas, samples)
    data = io.BytesIO()
    image.save(data, "PNG", optimize=True)
    return data.getvalue()


def _panel(
    canvas: ImageDraw.ImageDraw, panel: _Panel, high: int, samples: Sequence[Sample]
) -> None:
    most = max((panel.value(s, tier) for s in samples for tier in Tier), default=0.0)
    most = max(most, 1.0)
    canvas.text((LEFT, panel.top - 26), panel.heading, INK, _font(16))
    for share in (0.0, 0.5, 1.0):
        level = panel.top + high - round(share * high)
        canvas.line((LEFT, level, WIDTH - RIGHT, level), LINES)
        canvas.text((LEFT - 8, level), f"{most * share:.3g}", INK, _font(13), anchor="rm")
    for tier in Tier:
        points = [
            (_across(samples, s), panel.top + high - panel.value(s, tier) / most * high)
            for s in samples
        ]
        if len(points) == 1:
            points.append((WIDTH - RIGHT, points[0][1]))
        canvas.line(points, _colour(tier), width=3, joint="curve")


def _across(samples: Sequence[Sample], sample: Sample) -> float:
    first, last = samples[0].at, samples[-1].at
    whole = (last - first).total_seconds()
    share = (sample.at - first).total_seconds() / whole if whole else 0.0
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _legend(canvas: ImageDraw.ImageDraw, now: Sample, say: Sentences) -> None:
    left = float(LEFT)
    for tier in Tier:
        canvas.rectangle((left, 10, left + 14, 24), _colour(tier))
        text = say(f"tier-{tier}")
        canvas.text((left + 20, 17), text, INK, _font(14), anchor="lm")
        left += 40 + canvas.textlength(text, _font(14))
    workers = say("discord-chart-workers", count=now.workers)
    canvas.text((WIDTH - RIGHT, 17), workers, INK, _font(14), anchor="rm")


def _hours(canvas: ImageDraw.ImageDraw, samples: Sequence[Sample]) -> None:
    level = HEIGHT - BOTTOM + 16
    canvas.text((LEFT, level), f"{samples[0].at:%H:%M} UTC", INK, _font(13), anchor="lm")
    canvas.text((WIDTH - RIGHT, level), f"{samples[-1].at:%H:%M}", INK, _font(13), anchor="rm")


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _colour(tier: Tier) -> str:
    """In letters: Pillow reads a bare number from the other end."""
    return f"#{COLOURS[tier]:06x}"
