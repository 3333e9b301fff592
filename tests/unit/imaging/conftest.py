"""A session-wide engine with the bundled model: loading it takes longer than most tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PIL import Image, ImageDraw

from imaging.engine.engine import Engine
from imaging.engine.library_setup import configure_libraries
from imaging.profiles import Profile, profile_for
from tests.unit.imaging.pictures import bars, disc, encode_image

configure_libraries()  # before any test imports torch


@pytest.fixture(scope="session")
def postcard() -> Profile:
    """Without candidates: tests of the engine count the samples in its denoiser calls."""
    return replace(profile_for("postcard"), candidates=None)


@pytest.fixture(scope="session")
def stored(postcard: Profile) -> dict[str, bytes]:
    """Stored pictures by name at the model's native size; the mask's left half is white.

    `line` is a mask with one white row.
    """
    width, height = size = postcard.size("1:1")
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).rectangle((0, 0, width // 2 - 1, height), fill=255)
    line = Image.new("L", size, 0)
    ImageDraw.Draw(line).line((0, height // 2 + 3, width, height // 2 + 3), fill=255)
    return {
        "disc": encode_image(disc(size)),
        "bars": encode_image(bars(size)),
        "mask": encode_image(mask),
        "line": encode_image(line),
    }


@pytest.fixture(scope="session")
def warm_engine(postcard: Profile, stored: dict[str, bytes]) -> Iterator[Engine]:
    """A warm engine; tests must not change its state."""
    engine = Engine([postcard], stored.__getitem__)
    engine.warm_up("postcard").result(120)
    yield engine
    assert engine.stop(60)
