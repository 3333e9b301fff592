"""The chart of the last day: a line for every tier, and gaps without data."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

from PIL import Image

from bots.core import load_chart
from bots.core.load_chart import HEIGHT, LEFT, RIGHT, WIDTH
from bots.core.locales import localizer_for
from tasks.client import TimeBucket
from tasks.jobs.tier_colours import ON_DARK
from tasks.jobs.tiers import Tier

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def drawn(*day: TimeBucket) -> Image.Image:
    return Image.open(io.BytesIO(load_chart.draw(day, 2, localizer_for("fr")))).convert("RGB")


def bucket(number: int, queued: int, wait: float | None) -> TimeBucket:
    waits = {} if wait is None else {tier: timedelta(seconds=wait) * tier.rank for tier in Tier}
    at = NOON + timedelta(minutes=10 * number)
    return TimeBucket(at, {tier: queued * (tier.rank + 1) for tier in Tier}, waits, {})


def columns_of(image: Image.Image, tier: Tier, top: int, bottom: int) -> set[int]:
    """The x positions of a tier's colour between two y positions."""
    colour = tuple(bytes.fromhex(ON_DARK[tier][1:]))
    return {
        across
        for across in range(image.width)
        for down in range(top, bottom)
        if image.getpixel((across, down)) == colour
    }


def test_chart_has_a_line_for_every_tier() -> None:
    image = drawn(*(bucket(n, n, 60.0 * n) for n in range(12)))
    for tier in Tier:
        assert len(columns_of(image, tier, 40, HEIGHT // 2)) > (WIDTH - LEFT - RIGHT) / 2


def test_chart_has_a_gap_where_no_wait_was_measured() -> None:
    image = drawn(*(bucket(n, 0, 60.0 if n < 6 else None) for n in range(12)))
    there = columns_of(image, Tier.PRO, HEIGHT // 2, HEIGHT - 45)
    assert there
    assert max(there) <= (LEFT + WIDTH - RIGHT) / 2 + 3


def test_chart_of_one_empty_bucket_is_rendered() -> None:
    assert drawn(TimeBucket(NOON, {}, {}, {})).size == (WIDTH, HEIGHT)
