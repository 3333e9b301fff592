"""Preparing model inputs and compositing outputs. Pillow and numpy; no torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter, ImageOps

from imaging.sizes import Size

Light = npt.NDArray[np.float64]


def cover(image: Image.Image, size: Size) -> Image.Image:
    """Scaled to cover `size` and centre-cropped to it."""
    return ImageOps.fit(image, size, Image.Resampling.LANCZOS)


def composite(source: Image.Image, raw: Image.Image, mask: Image.Image) -> Image.Image:
    """`raw` where the mask is white, `source` bit for bit where it is black.

    The seam is blended on the white side only, over about 1 % of the longer side.
    """
    radius = max(1.0, max(source.size) / 100)
    hard = np.asarray(mask, dtype=np.float64) / 255
    soft = np.asarray(mask.filter(ImageFilter.GaussianBlur(radius)), dtype=np.float64) / 255
    # The blurred mask is 0.5 at an edge: rescale 0.5 … 1 to 0 … 1 inside the white area.
    share = np.where(hard > 0, np.clip(soft * 2 - 1, 0, 1), 0)
    # An area thinner than the blur never becomes opaque: use the hard mask there.
    share = np.where(_near(share >= 0.5, radius), share, hard)
    old, new = (np.asarray(image, dtype=np.float64) for image in (source, raw))
    mixed = old + share[..., None] * (new - old)
    return Image.fromarray(mixed.round().astype(np.uint8))


def _near(inside: npt.NDArray[np.bool_], radius: float) -> npt.NDArray[np.bool_]:
    """Where something of `inside` is at most about three radii away."""
    image = Image.fromarray(inside.astype(np.uint8) * 255)
    blurred = image.filter(ImageFilter.GaussianBlur(1.5 * radius))
    near: npt.NDArray[np.bool_] = np.asarray(blurred) > 4
    return near


def multiple_exposure(sources: Sequence[Image.Image], size: Size) -> Image.Image:
    """The sources, cropped to one size and averaged: the initial image of a blend.

    Averages linear light, not sRGB values. Averaging lowers contrast, so the contrast about the
    mean is restored to the sources' mean contrast. The model then runs image to image on it.
    """
    lights = [_to_linear(cover(source, size)) for source in sources]
    mean = np.mean(lights, axis=0)
    wanted = float(np.mean([light.std() for light in lights]))
    spread = float(mean.std())
    if spread > 1e-6:
        centre = mean.mean(axis=(0, 1), keepdims=True)
        mean = centre + (mean - centre) * min(2.0, max(1.0, wanted / spread))
    return _to_srgb(mean)


def center_crop(image: Image.Image, size: Size) -> Image.Image:
    """The centre of a picture that is at least as large as `size`."""
    left, top = (image.width - size[0]) // 2, (image.height - size[1]) // 2
    return image.crop((left, top, left + size[0], top + size[1]))


def _to_linear(image: Image.Image) -> Light:
    """Linear light in 0…1 from sRGB (IEC 61966-2-1)."""
    values = np.asarray(image.convert("RGB"), dtype=np.float64) / 255
    linear: Light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return linear


def _to_srgb(light: Light) -> Image.Image:
    light = np.clip(light, 0, 1)
    values = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return Image.fromarray((values * 255).round().astype(np.uint8))
