"""Picture files: what is let in, and how results are written. Pillow only; imports no torch.

A file that comes from outside is judged by its header first (kind, pixels), so that a
decompression bomb costs nothing, and then decoded whole, so that a truncated one is found out at
the door. What comes out of `decode` is plain RGB in sRGB, upright, one frame, without metadata.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageCms, ImageFile, ImageOps, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from imaging.errors import NotAPicture, PictureTooLarge

KINDS = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",  # what phones write: a JPEG with further frames behind the first
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "AVIF": "image/avif",
}
_READ_AS = [kind for kind in KINDS if kind != "MPO"]  # Pillow comes to MPO by way of JPEG
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, RuntimeError, struct.error, zlib.error)
"""What Pillow's readers raise at damaged files (RuntimeError is the AVIF decoder's word)."""


@dataclass(frozen=True, slots=True)
class FileLimits:
    """What a file from outside may be. `pixels` counts one frame; `side` is the longer side."""

    bytes: int = 50 * 1024 * 1024
    pixels: int = 50_000_000
    side: int = 16_384


LIMITS = FileLimits()
# Pillow reads a file without it where all its pixels happen to be there.
PNG_END = b"IEND\xaeB`\x82"


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What a file is: size in pixels as it is seen (turned upright), kind, frames, transparency."""

    width: int
    height: int
    mime: str
    frames: int = 1
    transparent: bool = False

    @property
    def animated(self) -> bool:
        """Whether there is more than the first frame, which is all that is used."""
        return self.frames > 1


@dataclass(frozen=True, slots=True)
class Encoded:
    """A written file."""

    data: bytes
    mime: str
    width: int
    height: int


def inspect(data: bytes, limits: FileLimits = LIMITS) -> PictureFacts:
    """What the file is, after decoding its first frame whole: CPU time of up to about a second.

    Raises NotAPicture for what is no picture, is truncated or broken; PictureTooLarge by `limits`.
    """
    with _opened(data, limits) as image:
        facts = _facts(image)
        image.load()
        return facts


def decode(data: bytes, limits: FileLimits = LIMITS) -> Image.Image:
    """The first frame as RGB: upright, in sRGB, laid on white. Raises as `inspect` does."""
    with _opened(data, limits) as image:
        image.load()
        return flatten(_to_srgb(ImageOps.exif_transpose(image)), (255, 255, 255))


def decode_mask(data: bytes, limits: FileLimits = LIMITS) -> Image.Image:
    """A mask as mode "L": white is to be painted anew; what is transparent counts as black."""
    with _opened(data, limits) as image:
        image.load()
        return flatten(ImageOps.exif_transpose(image), (0, 0, 0)).convert("L")


def flatten(image: Image.Image, ground: tuple[int, int, int]) -> Image.Image:
    """A new RGB picture without metadata, laid on a colour; 16-bit grey is scaled, not cut."""
    if image.mode.startswith("I;16"):
        image = image.point(lambda value: value / 256).convert("L")
    bare = Image.new("RGB", image.size, ground)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        bare.paste(layer, mask=layer)
    else:
        bare.paste(image.convert("RGB"))
    return bare


def encode_png(image: Image.Image, info: PngInfo | None = None) -> bytes:
    """PNG, with text chunks where given."""
    # Level 3 takes a third of the default's time, for files about 3 % larger.
    return _encode(image, "PNG", pnginfo=info, compress_level=3)


def encode_webp(image: Image.Image, quality: int = 90, xmp: bytes = b"") -> bytes:
    """Lossy WebP; `xmp` is an XMP packet to carry along."""
    return _encode(image, "WEBP", quality=quality, method=4, xmp=xmp)


def encode_jpeg(image: Image.Image, quality: int = 90, xmp: bytes = b"") -> bytes:
    """JPEG, which knows no transparency: laid on white."""
    extra = {"xmp": xmp} if xmp else {}
    return _encode(flatten(image, (255, 255, 255)), "JPEG", quality=quality, optimize=True, **extra)


def fit_into(data: bytes, max_bytes: int, limits: FileLimits = LIMITS) -> Encoded:
    """The file as it is where it fits; else as WebP of falling quality, and at last smaller.

    Its XMP packet (who made it, and how) is kept. Raises PictureTooLarge where not even 32 pixels
    fit.
    """
    with _opened(data, limits) as image:
        image.load()
        facts = _facts(image)
        if len(data) <= max_bytes:
            return Encoded(data, facts.mime, facts.width, facts.height)
        xmp = packet_of(image)
        upright = ImageOps.exif_transpose(image)
        plain = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    for candidate, quality in _smaller_and_smaller(plain):
        smaller = encode_webp(candidate, quality, xmp)
        if len(smaller) <= max_bytes:
            return Encoded(smaller, KINDS["WEBP"], *candidate.size)
    raise PictureTooLarge(
        f"The picture cannot be made to fit into {max_bytes} bytes.",
        bytes=len(data),
        most=max_bytes,
    )


def packet_of(image: Image.Image) -> bytes:
    """The XMP packet of an opened file; empty where there is none."""
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    return packet.encode() if isinstance(packet, str) else bytes(packet)


def preview_jpeg(image: Image.Image, side: int = 256, quality: int = 70) -> bytes:
    """A small JPEG, no side longer than `side` pixels."""
    small = image.convert("RGB")
    small.thumbnail((side, side), Image.Resampling.BILINEAR)
    return _encode(small, "JPEG", quality=quality)


def thumbnail(data: bytes, side: int, limits: FileLimits = LIMITS) -> Encoded:
    """A WebP no side of which is longer than `side` pixels, with the XMP packet kept."""
    with _opened(data, limits) as image:
        image.load()
        xmp = packet_of(image)
        small = _to_srgb(ImageOps.exif_transpose(image))
        small = small.convert("RGBA" if small.has_transparency_data else "RGB")
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return Encoded(encode_webp(small, 80, xmp), KINDS["WEBP"], *small.size)


def side_by_side(images: Sequence[Image.Image]) -> Image.Image:
    """Pictures of one size as a sheet: one, two in a row, or two rows of two."""
    width, height = images[0].size
    columns = min(2, len(images))
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (columns * width, rows * height))
    for place, image in enumerate(images):
        sheet.paste(image, (place % columns * width, place // columns * height))
    return sheet


@contextmanager
def _opened(data: bytes, limits: FileLimits) -> Iterator[ImageFile.ImageFile]:
    """The opened file within limits; a reader's complaints become NotAPicture."""
    if len(data) > limits.bytes:
        raise PictureTooLarge(
            f"The file has {len(data)} bytes; at most {limits.bytes} are read.",
            bytes=len(data),
            most=limits.bytes,
        )
    try:
        with warnings.catch_warnings():
            # Pillow warns from 89 million pixels on; the limits below are stricter and refuse.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(BytesIO(data), formats=_READ_AS) as image:
                _check_pixels(image.size, limits)
                if image.format == "PNG" and PNG_END not in data:
                    raise NotAPicture("The picture is truncated: its last chunk is missing.")
                yield image
    except Image.DecompressionBombError as error:
        raise PictureTooLarge(f"The picture has too many pixels: {error}") from error
    except UnidentifiedImageError as error:
        raise NotAPicture("The file is no PNG, JPEG, WebP, GIF, AVIF or BMP picture.") from error
    except _BROKEN as error:
        raise NotAPicture(f"The picture is truncated or damaged: {error}") from error


def _check_pixels(size: tuple[int, int], limits: FileLimits) -> None:
    width, height = size
    if width * height > limits.pixels or max(size) > limits.side:
        raise PictureTooLarge(
            f"The picture has {width} × {height} pixels; at most {limits.pixels} are read, "
            f"and {limits.side} a side.",
            width=width,
            height=height,
            most=limits.pixels,
        )


def _facts(image: ImageFile.ImageFile) -> PictureFacts:
    width, height = image.size
    if image.getexif().get(0x0112, 1) in {5, 6, 7, 8}:  # EXIF orientations that lie on their side
        width, height = height, width
    frames = 1 if image.format == "MPO" else int(getattr(image, "n_frames", 1))
    kind = KINDS[image.format or "PNG"]
    return PictureFacts(width, height, kind, frames, image.has_transparency_data)


def _to_srgb(image: Image.Image) -> Image.Image:
    """Colours as the file's ICC profile means them; unchanged where it has none that works."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in {"RGB", "RGBA", "CMYK", "L"}:
        return image
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        converted = ImageCms.profileToProfile(
            image, source, ImageCms.createProfile("sRGB"), outputMode=mode
        )
    except (ImageCms.PyCMSError, OSError):
        return image  # a profile that does not fit its picture: viewers ignore it, and so do we
    return converted or image


def _smaller_and_smaller(image: Image.Image) -> Iterator[tuple[Image.Image, int]]:
    for quality in (95, 88, 80, 70):
        yield image, quality
    width, height = image.size
    scale = 0.8
    while min(width * scale, height * scale) >= 1 and max(width * scale, height * scale) >= 32:
        yield image.resize((int(width * scale), int(height * scale)), Image.Resampling.LANCZOS), 70
        scale *= 0.8


def _encode(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
