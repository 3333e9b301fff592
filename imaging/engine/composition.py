"""Pictures made ready for a model, and put together after it. Pillow and numpy; no torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter, ImageOps

from imaging.sizes import Size

Light = npt.NDArray[np.float64]


def fitted(image: Image.Image, size: Size) -> Image.Image:
    """Scaled to cover `size` and cut evenly to it."""
    return ImageOps.fit(image, size, Image.Resampling.LANCZOS)


def fitted_mask(mask: Image.Image, size: Size) -> Image.Image:
    """A mask of mode "L", scaled and cut as its picture is, of pure black and white."""
    cut = ImageOps.fit(mask, size, Image.Resampling.BILINEAR)
    return cut.point(lambda value: 255 if value >= 128 else 0)


def repainted(source: Image.Image, painted: Image.Image, mask: Image.Image) -> Image.Image:
    """`painted` where the mask is white, `source` bit for bit where it is black.

    The seam is softened on the white side only, over about a hundredth of the picture.
    """
    radius = max(1.0, max(source.size) / 100)
    hard = np.asarray(mask, dtype=np.float64) / 255
    soft = np.asarray(mask.filter(ImageFilter.GaussianBlur(radius)), dtype=np.float64) / 255
    # At an edge the blur is one half: from there it rises to one inside the white.
    share = np.where(hard > 0, np.clip(soft * 2 - 1, 0, 1), 0)
    # A patch thinner than the blur would never reach one: it is repainted whole.
    if share.max() < 1:
        share = hard
    old, new = (np.asarray(image, dtype=np.float64) for image in (source, painted))
    mixed = old + share[..., None] * (new - old)
    return Image.fromarray(mixed.round().astype(np.uint8))


def blended(sources: Sequence[Image.Image], size: Size) -> Image.Image:
    """The sources, cut to one size, as one multiple exposure: the start of a blend.

    Light is averaged, not pixel values (sRGB is a curve), so that bright things stay bright. An
    average of n pictures is flat: its contrast about the mean is raised again to the mean contrast
    of the sources. The model then makes one picture of it, from image to image with the prompt.
    """
    lights = [_light(fitted(source, size)) for source in sources]
    mean = np.mean(lights, axis=0)
    wanted = float(np.mean([light.std() for light in lights]))
    spread = float(mean.std())
    if spread > 1e-6:
        centre = mean.mean(axis=(0, 1), keepdims=True)
        mean = centre + (mean - centre) * min(2.0, max(1.0, wanted / spread))
    return _from_light(mean)


def cut_to(image: Image.Image, size: Size) -> Image.Image:
    """The middle of a picture that is at least as large as `size`."""
    left, top = (image.width - size[0]) // 2, (image.height - size[1]) // 2
    return image.crop((left, top, left + size[0], top + size[1]))


def _light(image: Image.Image) -> Light:
    """Linear light in 0…1 from sRGB (IEC 61966-2-1)."""
    values = np.asarray(image.convert("RGB"), dtype=np.float64) / 255
    linear: Light = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return linear


def _from_light(light: Light) -> Image.Image:
    light = np.clip(light, 0, 1)
    values = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return Image.fromarray((values * 255).round().astype(np.uint8))
