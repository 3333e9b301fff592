"""Pictures and requests shared by the tests of this folder."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from imaging.request import ImageRequest, Operation


def disc(size: tuple[int, int] = (64, 64)) -> Image.Image:
    """A red disc on blue."""
    image = Image.new("RGB", size, (30, 60, 200))
    width, height = size
    box = (width // 6, height // 6, width - width // 6, height - height // 6)
    ImageDraw.Draw(image).ellipse(box, fill=(200, 20, 20))
    return image


def bars(size: tuple[int, int] = (64, 64)) -> Image.Image:
    """Yellow over green."""
    image = Image.new("RGB", size, (30, 200, 60))
    ImageDraw.Draw(image).rectangle((0, 0, size[0], size[1] // 2), fill=(230, 220, 20))
    return image


def noise(size: tuple[int, int], seed: int = 0) -> Image.Image:
    """Random pixels, which compress badly."""
    values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(values)


def encode_image(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The encoded picture."""
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def open_image(data: bytes) -> Image.Image:
    """The decoded picture."""
    image = Image.open(BytesIO(data))
    image.load()
    return image


def mean_difference(one: Image.Image, other: Image.Image) -> float:
    """The mean absolute difference of two pictures, on a scale of 0 to 255."""
    first, second = (np.asarray(image.convert("RGB"), dtype=np.float64) for image in (one, other))
    return float(np.abs(first - second).mean())


def make_request(operation: Operation = Operation.IMAGINE, **changes: Any) -> ImageRequest:
    """A small request, by default for the profile `blank`."""
    values: dict[str, Any] = {
        "operation": operation,
        "prompt": "a red house",
        "profile": "blank",
        "width": 64,
        "height": 64,
        "seed": 7,
    }
    return ImageRequest(**{**values, **changes})
