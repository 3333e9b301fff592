"""HEIC files, which phones write: read upright, scaled down if large, refused if damaged."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pillow_heif
import pytest
from PIL import Image

from imaging import formats
from imaging.errors import NotAPicture, PictureTooLarge
from imaging.formats import FileLimits, decode, decode_mask, inspect
from tests.odd_files import BLUE, GREEN, RED, YELLOW, encoded, exif, quarters

pillow_heif.register_heif_opener()


def heic(size: tuple[int, int] = (192, 128), **options: Any) -> bytes:
    return encoded(quarters().resize(size, Image.Resampling.NEAREST), "HEIF", quality=90, **options)


@pytest.mark.parametrize(("orientation", "corner"), [(1, RED), (3, YELLOW), (6, BLUE), (8, GREEN)])
def test_heic_is_read_upright(orientation: int, corner: tuple[int, int, int]) -> None:
    data = heic(exif=exif(orientation))
    info = inspect(data)
    picture = decode(data)
    assert info.mime == "image/heic"
    assert (info.width, info.height) == picture.size
    assert picture.size == ((128, 192) if orientation in (6, 8) else (192, 128))
    assert picture.getpixel((8, 8)) == pytest.approx(corner, abs=6)


def test_large_heic_is_scaled_down() -> None:
    limits = FileLimits(pixels=100 * 100)
    data = heic((400, 300))
    assert (inspect(data, limits).width, decode(data, limits).size) == (400, (100, 75))
    assert decode_mask(data, limits).size == (100, 75)


def test_heic_beyond_the_limit_is_refused() -> None:
    with pytest.raises(PictureTooLarge):
        inspect(heic((400, 300)), FileLimits(pixels=1, photo_pixels=400 * 299))


def test_heic_exactly_at_the_limits_is_read() -> None:
    """Its sides may be longer than those of other files."""
    limits = FileLimits(pixels=1, side=40, photo_pixels=400 * 300)
    assert inspect(heic((400, 300)), limits).width == 400
    assert inspect(heic((400, 300)), FileLimits(pixels=400 * 300, photo_pixels=1)).width == 400


@pytest.mark.parametrize("major", [b"heic", b"heix", b"mif1", b"msf1"])
def test_heic_is_known_by_any_of_its_brands(major: bytes) -> None:
    data = heic()
    assert data[4:8] == b"ftyp"
    assert b"heic" in data[16:32]  # among the compatible brands
    assert inspect(data[:8] + major + data[12:]).mime == "image/heic"


BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def box(*brands: bytes, size: int | None = None, minor: bytes = bytes(4)) -> bytes:
    """A file's first box: its major brand, the minor version and the compatible brands."""
    body = b"ftyp" + brands[0] + minor + b"".join(brands[1:])
    return (4 + len(body) if size is None else size).to_bytes(4, "big") + body


@pytest.mark.parametrize("brand", BRANDS)
def test_one_brand_is_enough(brand: bytes) -> None:
    assert formats._is_heif(box(brand))
    assert formats._is_heif(box(b"isom", brand))
    assert formats._is_heif(box(b"isom", b"iso8", b"miaf", brand))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (box(b"isom"), False),
        (box(b"isom", b"iso8"), False),
        (box(b"avif", b"mif1"), False),
        (box(b"avis", b"msf1"), False),
        (box(b"mif1", b"heic", b"avif"), False),
        (box(b"msf1", b"avis"), False),
        (box(b"isom", minor=b"heic"), False),  # a version is no brand
        (box(b"isom", b"iso8", b"heic", size=20), False),  # behind the box
        (box(b"isom", b"heic", size=19), False),  # not all of it in the box
        (box(b"isom", b"heic", size=20), True),
        (box(b"isom", *[b"iso8"] * 59, b"heic"), True),  # up to byte 256
        (box(b"isom", *[b"iso8"] * 60, b"heic"), False),
        (box(b"heic").replace(b"ftyp", b"moov"), False),
        (box(b"heic").replace(b"ftyp", b"gtyp"), False),
        (b"", False),
    ],
)
def test_brands_are_those_of_the_first_box(data: bytes, expected: bool) -> None:
    assert formats._is_heif(data) is expected


def test_one_thread_decodes_a_file_and_no_thumbnail_is_listed() -> None:
    inspect(heic())
    assert pillow_heif.options.DECODE_THREADS == 1
    assert pillow_heif.options.THUMBNAILS is False


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
def test_damaged_heic_is_refused(share: float) -> None:
    data = heic()
    with pytest.raises(NotAPicture):
        decode(data[: int(len(data) * share)])


def test_broken_exif_of_a_heic_is_ignored() -> None:
    assert inspect(heic(exif=b"Exif\0\0junk")).width == 192


def test_plugin_is_loaded_for_heic_files_only() -> None:
    code = (
        "import sys; from imaging.formats import *; from PIL import Image; "
        "decode(encode_png(Image.new('RGB', (8, 8)))); assert 'pillow_heif' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
