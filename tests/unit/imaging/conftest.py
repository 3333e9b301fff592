"""One engine with the bundled model for the whole folder: loading it costs more than most tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PIL import Image, ImageDraw

from imaging.engine.engine import Engine
from imaging.engine.libraries import prepare_libraries
from imaging.profiles import Profile, profile_for
from tests.unit.imaging.pictures import bars, disc, file_of

prepare_libraries()  # before any test imports torch by itself


@pytest.fixture(scope="session")
def postcard() -> Profile:
    return profile_for("postcard")


@pytest.fixture(scope="session")
def stored(postcard: Profile) -> dict[str, bytes]:
    """Stored pictures by name, of the model's own size; the mask's left half is white."""
    width, height = size = postcard.size("1:1")
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).rectangle((0, 0, width // 2 - 1, height), fill=255)
    return {"disc": file_of(disc(size)), "bars": file_of(bars(size)), "mask": file_of(mask)}


@pytest.fixture(scope="session")
def studio_engine(postcard: Profile, stored: dict[str, bytes]) -> Iterator[Engine]:
    """A warm engine; tests leave it as they find it."""
    engine = Engine([postcard], stored.__getitem__)
    engine.warm_up("postcard").result(120)
    yield engine
    assert engine.stop(60)
