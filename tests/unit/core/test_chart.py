"""The chart of the last day: every tier in its colour, and holes where nothing was made."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

from PIL import Image

from bots.core import chart
from bots.core.chart import COLOURS, HEIGHT, LEFT, RIGHT, WIDTH
from bots.core.sentences import speak
from tasks.client import Stretch
from tasks.tiers import Tier

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def drawn(*day: Stretch) -> Image.Image:
    return Image.open(io.BytesIO(chart.draw(day, 2, speak("fr")))).convert("RGB")


def stretch(number: int, queued: int, wait: float | None) -> Stretch:
    waits = {} if wait is None else {tier: timedelta(seconds=wait) * tier.rank for tier in Tier}
    at = NOON + timedelta(minutes=10 * number)
    return Stretch(at, {tier: queued * (tier.rank + 1) for tier in Tier}, waits, {})


def columns_of(image: Image.Image, tier: Tier, top: int, bottom: int) -> set[int]:
    """Where across the picture a tier's colour stands, between two heights."""
    colour = tuple(bytes.fromhex(COLOURS[tier][1:]))
    return {
        across
        for across in range(image.width)
        for down in range(top, bottom)
        if image.getpixel((across, down)) == colour
    }


def test_every_tier_has_its_line_in_its_colour() -> None:
    image = drawn(*(stretch(n, n, 60.0 * n) for n in range(12)))
    for tier in Tier:
        assert len(columns_of(image, tier, 40, HEIGHT // 2)) > (WIDTH - LEFT - RIGHT) / 2


def test_where_nothing_was_made_there_is_no_wait() -> None:
    image = drawn(*(stretch(n, 0, 60.0 if n < 6 else None) for n in range(12)))
    there = columns_of(image, Tier.PRO, HEIGHT // 2, HEIGHT - 45)
    assert there
    assert max(there) <= (LEFT + WIDTH - RIGHT) / 2 + 3


def test_one_stretch_of_an_idle_studio_can_be_drawn() -> None:
    assert drawn(Stretch(NOON, {}, {}, {})).size == (WIDTH, HEIGHT)
