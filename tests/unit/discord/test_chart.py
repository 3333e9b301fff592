"""The capacity chart: a picture of what was noted."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

from PIL import Image

from bots.core.sentences import speak
from bots.discord import chart
from bots.discord.daybook import Sample
from bots.discord.layout import COLOURS
from tasks.tiers import Tier

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def drawn(*samples: Sample) -> Image.Image:
    return Image.open(io.BytesIO(chart.draw(samples, speak("fr")))).convert("RGB")


def pixels_of(image: Image.Image, tier: Tier) -> int:
    """How many pixels below the legend have a tier's colour."""
    wanted = COLOURS[tier]
    colour = (wanted >> 16, wanted >> 8 & 255, wanted & 255)
    below = image.crop((0, 40, image.width, image.height))
    return sum(count for count, found in below.getcolors(1 << 20) or [] if found == colour)


def test_every_tier_has_its_line_in_its_colour() -> None:
    samples = [
        Sample(
            NOON + timedelta(minutes=5 * n),
            {tier: n * (tier.rank + 1) for tier in Tier},
            {tier: 30.0 * n * (tier.rank + 1) for tier in Tier},
            2,
        )
        for n in range(12)
    ]
    image = drawn(*samples)
    assert all(pixels_of(image, tier) > 500 for tier in Tier)


def test_one_sample_of_an_idle_studio_can_be_drawn() -> None:
    assert drawn(Sample(NOON, {}, {}, 0)).size == (960, 540)
