"""How much a file may decode to, and what happens to larger ones."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from imaging.errors import EncodingFailed, NotAPicture, PictureTooLarge
from imaging.formats import LIMITS, decode, decode_mask, encode_webp, inspect


def encoded(size: tuple[int, int], kind: str, **options: object) -> bytes:
    file = BytesIO()
    Image.new("RGB", size, "teal").save(file, kind, **options)
    return file.getvalue()


def webp_claiming(width: int, height: int) -> bytes:
    """A lossless WebP of 40 bytes."""
    bits = struct.pack("<I", (width - 1) | (height - 1) << 14)
    body = b"WEBPVP8L" + struct.pack("<I", 20) + b"\x2f" + bits + b"\0" * 15
    return b"RIFF" + struct.pack("<I", len(body)) + body


def png_with_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("read", [inspect, decode, decode_mask])
@pytest.mark.parametrize(
    "data", [webp_claiming(16_383, 16_383), png_with_header(8001, 8000), png_with_header(16_385, 1)]
)
def test_file_over_the_pixel_limit_is_refused_undecoded(
    data: bytes, read: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        pytest.fail("the file was decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", fail)
    assert callable(read)
    with pytest.raises(PictureTooLarge):
        read(data)


@pytest.mark.parametrize("size", [(2048, 1536), (5000, 750), (750, 10_000)])
@pytest.mark.parametrize("progressive", [False, True])
def test_large_photo_is_scaled_down_while_decoding(
    size: tuple[int, int], progressive: bool
) -> None:
    limits = replace(LIMITS, pixels=1024 * 1024)
    data = encoded(size, "JPEG", quality=30, progressive=progressive)
    info = inspect(data, limits)
    assert (info.width, info.height) == size
    picture = decode(data, limits)
    assert limits.pixels // 4 < picture.width * picture.height <= limits.pixels
    assert picture.width / picture.height == pytest.approx(size[0] / size[1], rel=0.01)
    assert picture.getpixel((5, 5)) == pytest.approx((0, 128, 128), abs=4)
    assert decode_mask(data, limits).size == picture.size


def test_photo_of_fifty_megapixels_is_read() -> None:
    assert decode(encoded((8192, 6144), "JPEG", quality=30)).size == (4096, 3072)


def test_photo_within_the_limit_keeps_its_size() -> None:
    assert decode(encoded((4096, 3072), "JPEG")).size == (4096, 3072)


def test_photo_beyond_every_scale_is_refused() -> None:
    data = bytearray(encoded((64, 64), "JPEG"))
    start = data.index(b"\xff\xc0") + 5
    data[start : start + 4] = struct.pack(">HH", 65_000, 65_000)
    with pytest.raises(PictureTooLarge):
        decode(bytes(data))


def test_truncated_large_photo_is_refused() -> None:
    data = encoded((8192, 4096), "JPEG")
    with pytest.raises(NotAPicture):
        decode(data[: len(data) // 2])


def test_picture_that_a_format_cannot_hold_fails_for_good() -> None:
    with pytest.raises(EncodingFailed) as failure:
        encode_webp(Image.new("RGB", (16_384, 4)))
    assert failure.value.permanent


def test_file_that_pillow_decodes_in_python_is_refused() -> None:
    pixels = b"\x04\x01\x00\x00" * 4 + b"\x00\x01"  # run-length encoding: 4 by 4
    palette = b"\0\0\0\0\xff\xff\xff\0"
    header = struct.pack("<IiiHHIIiiII", 40, 4, 4, 1, 8, 1, len(pixels), 0, 0, 2, 2)
    start = 14 + len(header) + len(palette)
    file = b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + header + palette
    with pytest.raises(NotAPicture, match="Run-length"):
        decode(file + pixels)
    assert inspect(encoded((64, 64), "BMP")).mime == "image/bmp"


def bitmap(header_size: int, colours: int) -> bytes:
    """A grey bitmap of 4 × 4 pixels whose header claims so many colours."""
    palette = b"".join(bytes([shade, shade, shade, 0]) for shade in range(256))
    fields = struct.pack("<IiiHHIIiiII", header_size, 4, 4, 1, 8, 0, 16, 0, 0, colours, colours)
    header = fields + b"\0" * (header_size - len(fields))
    start = 14 + len(header) + len(palette)
    file = b"BM" + struct.pack("<IHHI", start + 16, 0, 0, start)
    return file + header + palette + bytes(range(16))


@pytest.mark.parametrize("header_size", [40, 108, 124])
def test_bitmap_with_a_huge_palette_is_refused(header_size: int) -> None:
    for colours in (0, 255, 256):
        assert inspect(bitmap(header_size, colours)).width == 4
    for colours in (257, 65_536, 2**32 - 1):
        with pytest.raises(NotAPicture, match="its palette has too many colours"):
            decode(bitmap(header_size, colours))


def test_old_bitmap_has_no_count_of_colours() -> None:
    """A header of OS/2 is 12 bytes long; where others count colours, its pixels begin."""
    palette = b"\xff" * 3 * 256
    header = struct.pack("<IHHHH", 12, 4, 4, 1, 8)
    start = 14 + len(header) + len(palette)
    file = b"BM" + struct.pack("<IHHI", start + 16, 0, 0, start) + header + palette + bytes(16)
    assert inspect(file).mime == "image/bmp"
