"""Chromium is the reference for which files are readable, which way up, and in which colours."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.async_api import Browser

from imaging.formats import decode, inspect
from tests.odd_files import odd_files

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SHOWN = """async (source) => {
  const image = new Image();
  image.src = source;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const context = canvas.getContext("2d");
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  return [canvas.width, canvas.height, Array.from(pixels)];
}"""
PARTLY_SHOWN = {"no-end.jpg", "half-end.jpg"}  # Chromium does not paint the last rows
TOLERANCE = 10.0  # mean difference of a colour, on a scale of 255: JPEG decoders differ


@pytest.mark.parametrize("name", sorted(odd_files()))
async def test_file_is_read_as_chromium_shows_it(browser: Browser, name: str) -> None:
    data = odd_files()[name]
    page = await browser.new_page()
    try:
        source = "data:;base64," + base64.b64encode(data).decode()
        width, height, values = await page.evaluate(SHOWN, source)
    finally:
        await page.close()
    info = inspect(data)
    assert (info.width, info.height) == (width, height)
    picture = decode(data)
    shown = Image.frombytes("RGBA", (width, height), bytes(values)).convert("RGB")
    box = (0, 0, width, height // 8 if name in PARTLY_SHOWN else height)
    assert difference(picture.crop(box), shown.crop(box)) < TOLERANCE


def difference(one: Image.Image, other: Image.Image) -> float:
    """The largest mean difference in an eighth of the pictures, whose borders may blur."""
    first, second = (_values(image) for image in (one, other))
    return float(np.abs(first - second).max())


def _values(image: Image.Image) -> Any:
    return np.asarray(image.resize((8, 8), Image.Resampling.BOX), dtype=np.float64)
