"""Masks: which part of a picture a file marks, and its scaling. Pillow only; imports no torch.

Tools mark a part in one of three ways: white paint on black, a hole erased in the picture, or the
picture painted over with a brush. `read_mask` understands all of them. A mask is binary, mode "L":
255 is to be painted anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageChops, ImageFilter, ImageOps, ImageStat

from imaging.errors import MaskEmpty, MaskUnclear
from imaging.sizes import Size

GREY_SPREAD = 40
"""The difference of a grey pixel's channels that compression may cause."""
PAINT_SPREAD = 96
"""The least difference of the channels of paint that is no grey."""
DARK, LIGHT = 64, 192
UNCHANGED, CHANGED = 40, 40
"""Differences of a channel: at most, where a picture was not painted over; above, where it was."""
SLIGHT = 6
"""Differences of a channel below this come from scaling or compression, not from paint."""
COMPARED_SIDE = 1024
"""Pixels of the longer side at which a picture is compared with its painted copy."""
STEP = 8
"""A mask is scaled down by at most this at once, so that a pixel's share is not rounded away."""


def read_mask(layer: Image.Image, picture: Image.Image) -> Image.Image:
    """The part that a mask file marks in a picture, in the picture's size; stretched if need be.

    `layer` is in mode RGB or RGBA. Raises MaskEmpty if it marks nothing, MaskUnclear if it can't be
    told what it marks.
    """
    shown = picture.resize(layer.size, Image.Resampling.BILINEAR)
    marked = _marked(layer, shown)
    if marked.getbbox() is None:
        raise MaskEmpty("The mask marks nothing.")
    return scale_mask(marked, picture.size)


def scale_mask(mask: Image.Image, size: Size) -> Image.Image:
    """A binary mask, stretched to `size`. What is marked stays marked, however thin."""
    hard = _binary(mask, 128)
    while hard.width > STEP * size[0] or hard.height > STEP * size[1]:
        step = (max(size[0], hard.width // STEP), max(size[1], hard.height // STEP))
        hard = _shrink(hard, step)
    if size[0] >= hard.width and size[1] >= hard.height:
        return _binary(hard.resize(size, Image.Resampling.BILINEAR), 128)
    return _shrink(hard, size)


def _shrink(mask: Image.Image, size: Size) -> Image.Image:
    """A binary mask made smaller; a pixel is marked where it covers any marked one.

    A box filter can leave out a pixel whose centre lies exactly between two boxes. In the second
    resize the boxes lie a little elsewhere.
    """
    moved = (0.01, 0.01, mask.width, mask.height)
    first = mask.resize(size, Image.Resampling.BOX)
    second = mask.resize(size, Image.Resampling.BOX, box=moved)
    return _binary(ImageChops.lighter(first, second), 1)


def cover_mask(mask: Image.Image, size: Size, picture: Size | None = None) -> Image.Image:
    """A binary mask, stretched to its picture's size, then scaled and cropped as `cover` does."""
    hard = scale_mask(mask, picture or mask.size)
    scale = max(size[0] / hard.width, size[1] / hard.height)  # as much as it takes to cover
    whole = (max(size[0], round(hard.width * scale)), max(size[1], round(hard.height * scale)))
    if whole[0] < hard.width:
        hard = scale_mask(hard, whole)
    if size[0] >= hard.width and size[1] >= hard.height:
        return _binary(ImageOps.fit(hard, size, Image.Resampling.BILINEAR), 128)
    return _binary(ImageOps.fit(hard, size, Image.Resampling.BOX), 1)


def grow(mask: Image.Image, pixels: int) -> Image.Image:
    """The mask with every marked pixel's surroundings, `pixels` to each side."""
    return mask.filter(ImageFilter.MaxFilter(2 * pixels + 1)) if pixels > 0 else mask


def _marked(layer: Image.Image, shown: Image.Image) -> Image.Image:
    opaque = _binary(layer.getchannel("A"), 128) if layer.mode == "RGBA" else None
    colours = layer.convert("RGB")
    if opaque is None or opaque.getextrema() == (255, 255):
        return _painted(colours, shown)
    if opaque.getbbox() is None:
        raise MaskEmpty("The mask is transparent as a whole.")
    return _of_layer(colours, shown, opaque)


def _painted(colours: Image.Image, shown: Image.Image) -> Image.Image:
    """What an opaque file marks: white on black, or paint on the picture or on one colour."""
    pixels = colours.width * colours.height
    greys = _Greys.of(colours)
    if greys.coloured == 0:
        if greys.dark + greys.light >= 0.6 * pixels:
            return _binary(colours.convert("L"), 128)
        if not _resembles(colours, shown):
            raise MaskUnclear("The mask is grey, neither black nor white.")
    if _is_exact_copy(colours, shown):
        return _binary(_largest_difference(colours, shown), SLIGHT)
    if _resembles(colours, shown):
        specks = _difference(colours, shown)  # with those of compression
        return specks.filter(ImageFilter.MinFilter(3)).filter(ImageFilter.MaxFilter(3))
    paint = _binary(_spread(colours), PAINT_SPREAD)
    rest = ImageChops.invert(grow(paint, 2))
    plain = rest.getbbox() is None or max(ImageStat.Stat(colours, rest).stddev) < 48
    if plain and paint.getbbox() is not None and _is_one_colour(colours, paint):
        return paint
    raise MaskUnclear("The mask is another picture.")


def _of_layer(colours: Image.Image, shown: Image.Image, opaque: Image.Image) -> Image.Image:
    """What a file with transparency marks: its hole, or the paint on a clear layer."""
    hole = ImageChops.invert(opaque)
    unlike = ImageChops.multiply(_difference(colours, shown), opaque)
    visible = _share(opaque)
    if _share(unlike) <= 0.02 * visible:
        return hole
    greys = _Greys.of(colours, opaque)
    if greys.coloured == 0 and greys.light == 0 and greys.dark > 0:
        if visible < 0.5:
            raise MaskUnclear("The mask is black paint on a clear layer.")
        return hole
    light = ImageChops.multiply(_binary(colours.convert("L"), 128), opaque)
    if greys.coloured == 0 and light.getbbox() is not None:
        return light
    paint = ImageChops.multiply(_binary(_spread(colours), PAINT_SPREAD), opaque)
    if paint.getbbox() is not None and _is_one_colour(colours, paint):
        return paint
    raise MaskUnclear("The mask is neither the picture with a hole nor paint on a clear layer.")


@dataclass(frozen=True, slots=True)
class _Greys:
    """Numbers of dark, light and coloured pixels; few coloured ones count as none."""

    dark: int
    light: int
    coloured: int

    @classmethod
    def of(cls, colours: Image.Image, within: Image.Image | None = None) -> _Greys:
        levels = colours.convert("L").histogram(within)
        spreads = _spread(colours).histogram(within)
        coloured = sum(spreads[GREY_SPREAD:])
        return cls(
            sum(levels[:DARK]),
            sum(levels[LIGHT:]),
            coloured if coloured > sum(spreads) // 2000 else 0,
        )


def _binary(image: Image.Image, least: int) -> Image.Image:
    return image.point([0] * least + [255] * (256 - least))


def _share(mask: Image.Image) -> float:
    return mask.histogram()[255] / (mask.width * mask.height)


def _spread(colours: Image.Image) -> Image.Image:
    """The difference of each pixel's largest and smallest channel."""
    red, green, blue = colours.split()
    smallest = ImageChops.darker(ImageChops.darker(red, green), blue)
    return ImageChops.subtract(_largest_channel(colours), smallest)


def _largest_difference(colours: Image.Image, shown: Image.Image) -> Image.Image:
    return _largest_channel(ImageChops.difference(colours, shown))


def _largest_channel(colours: Image.Image) -> Image.Image:
    red, green, blue = colours.split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue)


def _difference(colours: Image.Image, shown: Image.Image) -> Image.Image:
    """Where the pictures differ, more than scaling and compression make them.

    Scaling blurs edges: a colour between those of its surroundings is no difference. Large pictures
    are compared at `COMPARED_SIDE`.
    """
    whole = colours.size
    scale = min(1.0, COMPARED_SIDE / max(whole))
    size = (max(1, round(whole[0] * scale)), max(1, round(whole[1] * scale)))
    colours, shown = (image.resize(size, Image.Resampling.BOX) for image in (colours, shown))
    darkest, lightest = (
        shown.filter(ImageFilter.MinFilter(5)),
        shown.filter(ImageFilter.MaxFilter(5)),
    )
    below, above = ImageChops.subtract(darkest, colours), ImageChops.subtract(colours, lightest)
    found = _binary(_largest_channel(ImageChops.lighter(below, above)), CHANGED)
    return found.resize(whole, Image.Resampling.NEAREST)


def _is_exact_copy(colours: Image.Image, shown: Image.Image) -> bool:
    """Whether it is the picture with paint on it, neither scaled nor compressed."""
    histogram = _largest_difference(colours, shown).histogram()
    pixels = sum(histogram)
    return histogram[0] >= 0.5 * pixels and sum(histogram[1:SLIGHT]) <= 0.005 * pixels


def _resembles(colours: Image.Image, shown: Image.Image) -> bool:
    """Whether most of it is the picture."""
    histogram = _largest_difference(colours, shown).histogram()
    return sum(histogram[:UNCHANGED]) >= 0.5 * sum(histogram)


def _is_one_colour(colours: Image.Image, within: Image.Image) -> bool:
    return max(ImageStat.Stat(colours, within).stddev) < 64
