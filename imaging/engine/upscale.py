"""Lanczos upscaling without a model. Imports no torch."""

from __future__ import annotations

from PIL import Image

from imaging.engine.types import RawImage, RenderInputs
from imaging.errors import PictureTooLarge
from imaging.request import ImageRequest
from imaging.sizes import Size

MAX_PIXELS = 64_000_000
"""Largest result in pixels: 8,000 × 8,000, about 190 MB in memory."""


def enlarge(request: ImageRequest, inputs: RenderInputs) -> list[RawImage]:
    """The source enlarged by `factor` (default 2) with Lanczos resampling.

    Keeps the source's AI source type. Raises PictureTooLarge.
    """
    source = inputs.sources[0]
    image = source.resize(enlarged_size(request, source.size), Image.Resampling.LANCZOS)
    return [RawImage(image, request.seed, source_type=inputs.made_by)]


def enlarged_size(request: ImageRequest, source: Size) -> Size:
    """The size of the result. Raises PictureTooLarge."""
    factor = request.factor or 2
    width, height = source[0] * factor, source[1] * factor
    if width * height > MAX_PIXELS:
        raise PictureTooLarge(
            f"A picture of {width} × {height} pixels is too large; at most {MAX_PIXELS} are made.",
            width=width,
            height=height,
            most=MAX_PIXELS,
        )
    return width, height
