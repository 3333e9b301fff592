"""Picture files: small files of every format that is read, cut off, overwritten and spliced."""

from __future__ import annotations

import contextlib
import io
from functools import cache
from random import Random

from PIL import Image

from imaging.errors import ImagingError
from imaging.formats import FileLimits, decode, decode_mask, fit_into, inspect, thumbnail
from tests.fuzz.case import Case, Target

LIMITS = FileLimits(bytes=1024 * 1024, pixels=512 * 512, side=4096, scalable_pixels=4 * 512 * 512)
"""Smaller than the product's, so that work is the parsers' and not the number of pixels."""
INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0x10, 0x20)


@cache
def seeds() -> tuple[bytes, ...]:
    """Valid files."""
    made = []
    picture = Image.effect_noise((24, 16), 90)
    for mode in ("RGB", "RGBA", "L", "P", "LA", "1", "I;16", "CMYK"):
        for kind, options in (
            ("PNG", {}),
            ("JPEG", {"quality": 60}),
            ("JPEG", {"progressive": True}),
            ("WEBP", {}),
            ("WEBP", {"lossless": True}),
            ("GIF", {}),
            ("GIF", {"save_all": True, "append_images": [picture.rotate(9), picture.rotate(20)]}),
            ("BMP", {}),
            ("AVIF", {"speed": 10}),
        ):
            file = io.BytesIO()
            exif = Image.Exif()
            exif[0x0112], exif[0x010E] = 6, "somewhere"
            more = {} if kind in ("GIF", "BMP") else {"exif": exif}
            with contextlib.suppress(OSError, ValueError, KeyError):
                picture.convert(mode).save(file, kind, **options, **more)
                made.append(file.getvalue())
    return tuple(made)


def mutated(random: Random) -> bytes:
    """A valid file with some damage."""
    data = bytearray(random.choice(seeds()))
    for _ in range(random.choice((0, 1, 1, 2, 4, 16))):
        kind, at = random.randrange(6), random.randrange(max(1, len(data)))
        if kind == 0:
            del data[at:]
        elif kind == 1:
            data[at : at + 1] = bytes([random.choice(INTERESTING)])
        elif kind == 2:
            data[at : at + 4] = random.randbytes(4)
        elif kind == 3:
            other = random.choice(seeds())
            data[at:] = other[random.randrange(len(other)) :]
        elif kind == 4:
            data[at:at] = data[at : at + random.randrange(64)] * random.randrange(4)
        else:
            del data[at : at + random.randrange(16)]
    return bytes(data)


def picture_case(random: Random) -> Case:
    """A damaged file, read as the product reads it."""
    data = mutated(random)
    return Case(lambda: _read(data), len(data) + _pixels(data), data.hex())


def _pixels(data: bytes) -> int:
    """The pixels that a file claims and are allowed: what decoding it may cost."""
    try:
        info = inspect(data, LIMITS)
    except ImagingError:
        return 0
    return info.width * info.height


def _read(data: bytes) -> None:
    for read in (inspect, decode, decode_mask):
        with contextlib.suppress(ImagingError):
            read(data, LIMITS)
    with contextlib.suppress(ImagingError):
        thumbnail(data, 16, LIMITS)
    with contextlib.suppress(ImagingError):
        fit_into(data, max(200, len(data) // 2), LIMITS)


TARGETS = (Target("pictures", 0.06, picture_case, counted=2),)
