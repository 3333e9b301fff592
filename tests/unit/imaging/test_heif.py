"""HEIC files, which phones write: read upright, scaled down if large, refused if damaged."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pillow_heif
import pytest
from PIL import Image

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
