"""Upscaling without a model: Lanczos, and labelled as such in the file. Imports no torch."""

from __future__ import annotations

from PIL import Image

from imaging.engine.work import Materials, Painted
from imaging.errors import PictureTooLarge
from imaging.request import ImageRequest

LARGEST = 64_000_000
"""The most pixels of a result: 8,000 × 8,000, about 190 MB in memory."""


def enlarge(request: ImageRequest, materials: Materials) -> list[Painted]:
    """The one source, `factor` (2 where none is given) times as large, by Lanczos resampling.

    A source that says it was made by AI stays labelled so. Raises PictureTooLarge.
    """
    source = materials.sources[0]
    factor = request.factor or 2
    width, height = source.width * factor, source.height * factor
    if width * height > LARGEST:
        raise PictureTooLarge(
            f"A picture of {width} × {height} pixels is too large; at most {LARGEST} are made.",
            width=width,
            height=height,
            most=LARGEST,
        )
    image = source.resize((width, height), Image.Resampling.LANCZOS)
    return [Painted(image, request.seed, source_type=materials.made_by)]
