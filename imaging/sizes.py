"""Aspect ratios and pixel sizes. Pure; imports no torch.

A size is `(width, height)` in pixels. Models need sides that are multiples of a small number (the
autoencoder's scale times the denoiser's downsampling) and an area near their training resolution.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

Size = tuple[int, int]

ASPECTS: Mapping[str, tuple[int, int]] = {
    "1:1": (1, 1),
    "3:2": (3, 2),
    "2:3": (2, 3),
    "4:5": (4, 5),
    "16:9": (16, 9),
    "9:16": (9, 16),
}

LONGEST_RATIO = 4.0
"""Longer pictures are cropped to this ratio before they reach a model."""


def snap(size: Size, multiple: int) -> Size:
    """The nearest size whose sides are multiples of `multiple`, never zero."""
    width, height = (max(multiple, round(side / multiple) * multiple) for side in size)
    return width, height


def snap_up(size: Size, multiple: int) -> Size:
    """The smallest size with such sides that covers `size`."""
    width, height = (max(multiple, -(-side // multiple) * multiple) for side in size)
    return width, height


def size_of_area(ratio: float, area: float, multiple: int) -> Size:
    """A snapped size of about `area` pixels and `ratio` = width / height."""
    width = sqrt(area * ratio)
    return snap((round(width), round(width / ratio)), multiple)


def shrink_within(size: Size, largest: int, multiple: int) -> Size:
    """`size`, or the snapped size of its aspect with at most `largest` pixels.

    Each side is at least one multiple, even if that exceeds `largest`.
    """
    width, height = size
    if width * height <= largest:
        return size
    ratio = width / height
    area = float(largest)
    while True:
        width, height = size_of_area(ratio, area, multiple)
        if width * height <= largest or width == height == multiple:
            return width, height
        if min(width, height) == multiple and area < multiple * multiple:
            return multiple, multiple
        area *= 0.95


def sizes_around(side: int, multiple: int) -> Mapping[str, Size]:
    """A size for each aspect with about the area of a square with `side` pixels."""
    return {
        name: size_of_area(wide / high, side * side, multiple)
        for name, (wide, high) in ASPECTS.items()
    }


def ratio_of(aspect: str) -> float:
    """Width / height of an aspect such as "4:3". Raises ValueError outside 1:4 to 4:1."""
    width, _, height = aspect.partition(":")
    ratio = float(width) / float(height) if float(height) > 0 else 0.0
    if not 1 / LONGEST_RATIO <= ratio <= LONGEST_RATIO:
        raise ValueError(aspect)
    return ratio


def clamp_ratio(size: Size) -> float:
    """Width / height, clamped to 1:4 … 4:1."""
    return min(LONGEST_RATIO, max(1 / LONGEST_RATIO, size[0] / size[1]))
