"""Reading and writing image files. Pillow and its HEIF plugin only; imports no torch.

Untrusted files are checked by their header first (format, pixel count), so that a decompression
bomb is rejected before decoding. They are then decoded completely, so that truncation is detected
on upload. `decode` returns one upright sRGB frame in mode RGB, without metadata.

Metadata never decides whether a file is readable: damaged or oversized EXIF, text and ICC profiles
are ignored. Orientation comes from EXIF alone, as in browsers.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO

from PIL import Image, ImageCms, ImageFile, ImageMath, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from imaging.errors import EncodingFailed, ImagingError, NotAPicture, PictureTooLarge
from imaging.jpeg_segments import START, essential_jpeg
from imaging.png_chunks import SIGNATURE, essential_png

MIME_TYPES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",  # multi-picture JPEG, written by phones
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "AVIF": "image/avif",
    "HEIF": "image/heic",
}
_READABLE_FORMATS = [
    kind for kind in MIME_TYPES if kind not in {"MPO", "HEIF"}
]  # Pillow opens MPO with its JPEG plugin; HEIF has a plugin of its own
SCALABLE_FORMATS = {"JPEG", "MPO"}
PHOTO_FORMATS = {"PNG", "WEBP", "AVIF", "HEIF"}
JPEG_SIDE = 65_535
HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
JPEG_END = b"\xff\xd9"
_FILLER = b"\x5a\xa5\x33\xcc\x0f" * 64
"""Bytes that decode to pixels where a JPEG's data is incomplete, and are skipped where it isn't."""
_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Limits for a file. `pixels` counts one frame as it is decoded; `side` is the longer side.

    A JPEG may have `scalable_pixels`: it is scaled down while it is decoded, to at most `pixels`.
    PNG, WebP, AVIF and HEIF files may have `photo_pixels`: they are scaled down as soon as they are
    decoded. The sides of JPEG and HEIF, in which phones write panoramas, may be longer.
    """

    bytes: int = 50 * 1024 * 1024
    pixels: int = 4096 * 4096
    side: int = 16_384
    scalable_pixels: int = 210_000_000
    photo_pixels: int = 64_000_000

    def most_pixels(self, kind: str | None) -> int:
        """The most pixels of a file of a format."""
        if kind in SCALABLE_FORMATS:
            return max(self.pixels, self.scalable_pixels)
        return max(self.pixels, self.photo_pixels) if kind in PHOTO_FORMATS else self.pixels

    def longest_side(self, kind: str | None) -> int:
        """The longest side of a file of a format."""
        large = kind in SCALABLE_FORMATS or kind == "HEIF"
        return max(self.side, JPEG_SIDE) if large else self.side


LIMITS = FileLimits()
"""For members' files: one takes up to 256 MB decoded, and a multiple of 64 MB while converted."""
RESULT_LIMITS = FileLimits(pixels=50_000_000)
"""For Atelier's own results."""
# Pillow refuses twice this number when it opens a file; `_check_pixels` is stricter than that.
Image.MAX_IMAGE_PIXELS = LIMITS.scalable_pixels


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """Properties of a file; `width` and `height` are pixels after EXIF rotation."""

    width: int
    height: int
    mime: str
    frames: int = 1
    transparent: bool = False

    @property
    def animated(self) -> bool:
        """Whether there is more than one frame; only the first is used."""
        return self.frames > 1


@dataclass(frozen=True, slots=True)
class Encoded:
    """An encoded image file."""

    data: bytes
    mime: str
    width: int
    height: int


def inspect(data: bytes, limits: FileLimits = LIMITS) -> ImageInfo:
    """The file's properties. Decodes the first frame, which may take about a second of CPU time.

    Raises NotAPicture for a file that is not an image or is damaged, PictureTooLarge by `limits`.
    """
    with _open_checked(data, limits) as image:
        size = image.size
        _load(image, limits)
        return _image_info(image, size)


def decode(data: bytes, limits: FileLimits = LIMITS) -> Image.Image:
    """The first frame in mode RGB: upright, sRGB, on white. Raises the errors of `inspect`."""
    return flatten(decode_layer(data, limits), "white")


def decode_layer(data: bytes, limits: FileLimits = LIMITS) -> Image.Image:
    """The first frame, upright and sRGB, in mode RGBA where it has transparency, else RGB."""
    with _open_checked(data, limits) as image:
        return _upright(_to_srgb(_load(image, limits)), _orientation(image))


def decode_mask(data: bytes, limits: FileLimits = LIMITS) -> Image.Image:
    """A mask in mode "L": white marks the area to fill; transparent pixels are black."""
    with _open_checked(data, limits) as image:
        loaded = _upright(_load(image, limits), _orientation(image))
        return flatten(loaded, "black").convert("L")


def flatten(image: Image.Image, ground: str) -> Image.Image:
    """A new RGB image without metadata, on a colour by its name; 16-bit grey is scaled."""
    bare = Image.new("RGB", image.size, ground)
    bare.paste(_colours(image).convert("RGB"), mask=_alpha(image))
    return bare


def _colours(image: Image.Image) -> Image.Image:
    """The image without transparency, in mode L, RGB or CMYK."""
    if image.mode.startswith("I;16"):
        return image.point(lambda value: value / 256).convert("L")
    if image.mode in {"1", "LA", "La"}:
        return image.convert("L")
    return image if image.mode in {"L", "RGB", "CMYK"} else image.convert("RGB")


def _alpha(image: Image.Image) -> Image.Image | None:
    """The opacity in mode "L"; None for an opaque image."""
    if not image.has_transparency_data:
        return None
    if not image.mode.startswith("I;16"):
        return image.convert("RGBA").getchannel("A")
    clear = image.info["transparency"]
    opaque: Image.Image = ImageMath.lambda_eval(
        lambda a: (a["grey"] != clear) * 255, grey=image.convert("I")
    )
    return opaque.convert("L")


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8. XMP is ignored, and EXIF that can't be read, and in WebP."""
    block = image.info.get("exif")
    if not isinstance(block, bytes) or image.format == "WEBP":  # as in Chromium
        return 1
    exif = Image.Exif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # "Corrupt EXIF data"
            exif.load(block)
            value = exif.get(0x0112, 1)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001  Pillow raises almost anything for damaged EXIF data
        return 1
    return value if isinstance(value, int) and value in _TRANSPOSITIONS else 1


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    turn = _TRANSPOSITIONS.get(orientation)
    return image if turn is None else image.transpose(turn)


def encode_png(image: Image.Image, info: PngInfo | None = None) -> bytes:
    """The image as PNG, with optional text chunks."""
    # Level 3 takes a third of the default level's time for files about 3 % larger.
    return _encode(image, "PNG", pnginfo=info, compress_level=3)


def encode_webp(image: Image.Image, quality: int = 90, xmp: bytes = b"") -> bytes:
    """The image as lossy WebP with an optional XMP packet."""
    return _encode(image, "WEBP", quality=quality, method=4, xmp=xmp)


def encode_jpeg(image: Image.Image, quality: int = 90, xmp: bytes = b"") -> bytes:
    """The image as JPEG; transparency becomes white."""
    extra = {"xmp": xmp} if xmp else {}
    return _encode(flatten(image, "white"), "JPEG", quality=quality, optimize=True, **extra)


def fit_into(data: bytes, max_bytes: int, limits: FileLimits = RESULT_LIMITS) -> Encoded:
    """The file unchanged if it fits; otherwise WebP at decreasing quality, then at smaller sizes.

    Keeps the XMP packet (provenance). Raises PictureTooLarge if even a side of 32 pixels is too
    large.
    """
    with _open_checked(data, limits) as image:
        size = image.size
        loaded = _load(image, limits)
        info = _image_info(image, size)
        if len(data) <= max_bytes:
            return Encoded(data, info.mime, info.width, info.height)
        xmp = xmp_packet(image)
        upright = _upright(loaded, _orientation(image))
        plain = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    for candidate, quality in _smaller_candidates(plain):
        smaller = encode_webp(candidate, quality, xmp)
        if len(smaller) <= max_bytes:
            return Encoded(smaller, MIME_TYPES["WEBP"], *candidate.size)
    raise PictureTooLarge(
        f"The picture cannot be made to fit into {max_bytes} bytes.",
        bytes=len(data),
        most=max_bytes,
    )


def xmp_packet(image: Image.Image) -> bytes:
    """The XMP packet of an opened file, or empty bytes."""
    packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    return packet.encode() if isinstance(packet, str) else bytes(packet)


def preview_jpeg(image: Image.Image, side: int = 256, quality: int = 70) -> bytes:
    """A small JPEG, no side longer than `side` pixels."""
    small = image.convert("RGB")
    small.thumbnail((side, side), Image.Resampling.BILINEAR)
    return _encode(small, "JPEG", quality=quality)


def thumbnail(data: bytes, side: int, limits: FileLimits = RESULT_LIMITS) -> Encoded:
    """A WebP no side of which is longer than `side` pixels; keeps the XMP packet."""
    with _open_checked(data, limits) as image:
        loaded = _load(image, limits)
        xmp = xmp_packet(image)
        small = _upright(_to_srgb(loaded), _orientation(image))
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return Encoded(encode_webp(small, 80, xmp), MIME_TYPES["WEBP"], *small.size)


def contact_sheet(images: Sequence[Image.Image]) -> Image.Image:
    """Images of one size in a grid of at most two columns."""
    width, height = images[0].size
    columns = min(2, len(images))
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (columns * width, rows * height))
    for index, image in enumerate(images):
        sheet.paste(image, (index % columns * width, index // columns * height))
    return sheet


@contextmanager
def _open_checked(data: bytes, limits: FileLimits) -> Iterator[ImageFile.ImageFile]:
    """Open a file within `limits`; decoder errors become NotAPicture."""
    if len(data) > limits.bytes:
        raise PictureTooLarge(
            f"The file has {len(data)} bytes; at most {limits.bytes} are read.",
            bytes=len(data),
            most=limits.bytes,
        )
    try:
        with warnings.catch_warnings():
            # Pillow only warns above 89 million pixels; the limits here are stricter. It also warns
            # of damaged EXIF and MPO data, which is ignored.
            warnings.simplefilter("ignore", UserWarning)
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with _open(data) as image:
                _check_pixels(image, limits)
                _check_decoder(image)
                yield image
    except Image.DecompressionBombError as error:
        raise PictureTooLarge(f"The picture has too many pixels: {error}") from error
    except UnidentifiedImageError as error:
        raise NotAPicture(
            "The file is not a PNG, JPEG, WebP, GIF, AVIF, HEIC or BMP image."
        ) from error
    except (ImagingError, MemoryError):
        raise
    except Exception as error:
        # Pillow's plugins raise almost anything for a damaged file, such as IndexError for a GIF.
        raise NotAPicture(f"The picture is truncated or damaged: {error}") from error


def _check_decoder(image: ImageFile.ImageFile) -> None:
    """Refuse what Pillow decodes in Python, byte by byte: a small file would take seconds."""
    if any(tile[0] in Image.DECODERS for tile in image.tile):
        raise NotAPicture("Run-length encoded BMP files are not read.")


def _check_palette(data: bytes) -> None:
    """Refuse a BMP that claims a palette of thousands of colours, which Pillow builds in Python."""
    header, colours = (int.from_bytes(data[at : at + 4], "little") for at in (14, 46))
    if data.startswith(b"BM") and header >= 40 and colours > 256:
        raise NotAPicture("The picture is damaged: its palette has too many colours.")


def _open(data: bytes) -> ImageFile.ImageFile:
    _check_palette(data)
    if _is_heif(data):
        _register_heif()
        return Image.open(BytesIO(data), formats=["HEIF"])
    if data.startswith(START):
        return Image.open(BytesIO(essential_jpeg(data)), formats=["JPEG"])
    if not data.startswith(SIGNATURE):
        return Image.open(BytesIO(data), formats=_READABLE_FORMATS)
    essential = essential_png(data)
    image = Image.open(BytesIO(essential.data), formats=["PNG"])
    if essential.profile is not None:
        image.info["icc_profile"] = essential.profile
    return image


def _is_heif(data: bytes) -> bool:
    """Whether the file's brands name HEIF, and not AVIF, which is the same container."""
    if data[4:8] != b"ftyp":
        return False
    size = min(int.from_bytes(data[:4], "big"), 256)
    brands = {data[place : place + 4] for place in (8, *range(16, size - 3, 4))}
    return bool(brands & HEIF_BRANDS) and not brands & {b"avif", b"avis"}


@cache
def _register_heif() -> None:
    """Add the plugin to Pillow. It is imported for HEIF files only: its libraries are large."""
    import pillow_heif

    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.register_heif_opener(thumbnails=False)


def _load(image: ImageFile.ImageFile, limits: FileLimits) -> Image.Image:
    """Decode the first frame, at a half, a quarter or an eighth if it is over the pixel limit."""
    width, height = image.size
    scale = 1
    while -(-width // scale) * -(-height // scale) > limits.pixels and scale < 8:
        scale *= 2
    if image.format not in SCALABLE_FORMATS:
        image.load()
        return image if scale == 1 else image.reduce(scale)
    if scale > 1:
        image.draft(None, (max(1, width // scale), max(1, height // scale)))
    try:
        image.load()
    except OSError:
        return _load_without_end(image, scale)
    return image


def _load_without_end(image: ImageFile.ImageFile, scale: int) -> Image.Image:
    """Decode a JPEG that lacks its end marker. Raises OSError where pixels are missing as well."""
    source = image.fp
    if source is None:
        raise OSError("image file is truncated")
    source.seek(0)
    data = source.read().rstrip(JPEG_END[:1])
    whole, filled = (_load_with(data + tail, image.size, scale) for tail in (b"", _FILLER))
    if whole.tobytes() != filled.tobytes():
        raise OSError("image file is truncated")
    return whole


def _load_with(data: bytes, size: tuple[int, int], scale: int) -> Image.Image:
    image = Image.open(BytesIO(data + JPEG_END), formats=["JPEG"])
    if scale > 1:
        image.draft(None, size)
    image.load()
    return image


def _check_pixels(image: ImageFile.ImageFile, limits: FileLimits) -> None:
    width, height = image.size
    most, side = limits.most_pixels(image.format), limits.longest_side(image.format)
    if width * height > most or max(width, height) > side:
        raise PictureTooLarge(
            f"The picture has {width} × {height} pixels; at most {most} are read, "
            f"and {side} a side.",
            width=width,
            height=height,
            most=most,
        )


def _image_info(image: ImageFile.ImageFile, size: tuple[int, int]) -> ImageInfo:
    """The properties of a loaded file; `size` is its size before it was scaled down."""
    width, height = size
    if _orientation(image) in {5, 6, 7, 8}:  # rotated by 90 degrees
        width, height = height, width
    frames = 1 if image.format == "MPO" else int(getattr(image, "n_frames", 1))
    mime = MIME_TYPES[image.format or "PNG"]
    return ImageInfo(width, height, mime, frames, image.has_transparency_data)


def _to_srgb(image: Image.Image) -> Image.Image:
    """The image in mode RGB or RGBA, converted from its ICC profile where that is usable."""
    plain, alpha = _colours(image), _alpha(image)
    coloured = _from_profile(plain, image.info.get("icc_profile")).convert("RGB")
    if alpha is not None:
        coloured.putalpha(alpha)
    return coloured


def _from_profile(image: Image.Image, profile: bytes | None) -> Image.Image:
    if not profile or int.from_bytes(profile[:4], "big") > len(profile):  # its declared size
        return image
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        converted = ImageCms.profileToProfile(
            image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError):
        return image  # like image viewers, ignore a profile that does not match the image
    return converted or image


def _smaller_candidates(image: Image.Image) -> Iterator[tuple[Image.Image, int]]:
    for quality in (95, 88, 80, 70):
        yield image, quality
    width, height = image.size
    scale = 0.8
    while min(width * scale, height * scale) >= 1 and max(width * scale, height * scale) >= 32:
        yield image.resize((int(width * scale), int(height * scale)), Image.Resampling.LANCZOS), 70
        scale *= 0.8


def _encode(image: Image.Image, format_name: str, **options: object) -> bytes:
    """Raises EncodingFailed where the format cannot hold the image: trying again does not help."""
    buffer = BytesIO()
    try:
        image.save(buffer, format_name, **options)
    except (OSError, ValueError) as error:
        width, height = image.size
        raise EncodingFailed(
            f"{width} × {height} pixels cannot be written as {format_name}: {error}"
        ) from error
    return buffer.getvalue()
