import struct
import zlib
from contextlib import suppress
from io import BytesIO

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from imaging.errors import NotAPicture, PictureTooLarge
from imaging.formats import (
    FileLimits,
    decode,
    decode_mask,
    encode_jpeg,
    encode_png,
    fit_into,
    inspect,
    preview_jpeg,
    side_by_side,
    thumbnail,
)
from tests.unit.imaging.pictures import bars, difference, disc, file_of, noise, opened

KINDS = [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")]
KINDS += [("GIF", "image/gif"), ("BMP", "image/bmp"), ("AVIF", "image/avif")]


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header claims a size that its few bytes of data do not have."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(("kind", "mime"), KINDS)
def test_usual_kinds_are_read(kind: str, mime: str) -> None:
    data = file_of(disc((48, 32)), kind)
    facts = inspect(data)
    assert (facts.width, facts.height, facts.mime, facts.frames) == (48, 32, mime, 1)
    assert difference(decode(data), disc((48, 32))) < 12


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.7 ...", b"\x89PNG\r\n\x1a\n", b"GIF89a"])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(NotAPicture):
        inspect(data)
    with pytest.raises(NotAPicture):
        decode(data)


def test_kinds_that_are_not_listed_are_refused_though_pillow_reads_them() -> None:
    with pytest.raises(NotAPicture, match="PNG, JPEG"):
        inspect(file_of(disc(), "TIFF"))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_a_truncated_file_is_refused(kind: str, share: float) -> None:
    data = file_of(noise((64, 64)), kind)
    with pytest.raises(NotAPicture):
        inspect(data[: int(len(data) * share)])


@pytest.mark.parametrize("missing", [1, 8, 12, 20])
def test_a_png_without_its_last_bytes_is_truncated_though_every_pixel_is_there(
    missing: int,
) -> None:
    data = file_of(disc(), "PNG")
    inspect(data + b"what some programs write behind it")
    with pytest.raises(NotAPicture, match="truncated"):
        inspect(data[:-missing])


@pytest.mark.parametrize("size", [(20_000, 20_000), (100_000, 600), (8_000, 8_000), (17_000, 1)])
def test_a_bomb_is_refused_by_its_header(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def exploding(*_: object) -> None:
        pytest.fail("the bomb was decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", exploding)
    with pytest.raises(PictureTooLarge):
        inspect(png_claiming(*size))
    with pytest.raises(PictureTooLarge):
        decode(png_claiming(*size))


def test_a_file_of_too_many_bytes_is_refused_unread() -> None:
    with pytest.raises(PictureTooLarge, match="bytes"):
        inspect(b"\0" * (50 * 1024 * 1024 + 1))
    with pytest.raises(PictureTooLarge):
        inspect(file_of(disc()), FileLimits(bytes=100))


def test_a_text_bomb_in_a_png_is_refused() -> None:
    packed = zlib.compress(b"a" * 100_000_000)
    body = b"Comment\0\0" + packed
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body
    chunk += struct.pack(">I", zlib.crc32(b"zTXt" + body))
    data = file_of(disc())
    with pytest.raises(NotAPicture):
        inspect(data[:33] + chunk + data[33:])


def test_a_picture_lying_on_its_side_is_turned_upright_and_its_metadata_dropped() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "my home address"
    data = file_of(bars((64, 32)), "JPEG", exif=exif, quality=95)
    facts = inspect(data)
    upright = decode(data)
    assert (facts.width, facts.height) == upright.size == (32, 64)
    assert difference(upright, bars((64, 32)).rotate(-90, expand=True)) < 12
    assert not upright.getexif()
    assert b"address" not in encode_png(upright)


def test_the_first_frame_of_an_animation_is_used() -> None:
    data = file_of(disc(), "GIF", save_all=True, append_images=[bars(), disc()])
    facts = inspect(data)
    assert facts.animated
    assert facts.frames == 3
    assert difference(decode(data), disc()) < 12


def test_transparency_is_laid_on_white_and_in_a_mask_on_black() -> None:
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    clear.putpixel((0, 0), (255, 255, 255, 255))
    data = file_of(clear)
    assert inspect(data).transparent
    assert decode(data).getpixel((4, 4)) == (255, 255, 255)
    mask = decode_mask(data)
    assert mask.mode == "L"
    assert (mask.getpixel((4, 4)), mask.getpixel((0, 0))) == (0, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_becomes_rgb_of_the_same_brightness(mode: str) -> None:
    if mode == "I;16":
        image = Image.new("I;16", (8, 8), 200 * 256)
    else:
        image = Image.new("RGBA", (8, 8), (255, 255, 255, 255)).convert("RGB").convert(mode)
    decoded = decode(file_of(image))
    assert decoded.mode == "RGB"
    assert decoded.getpixel((3, 3)) == ((200, 200, 200) if mode == "I;16" else (255, 255, 255))


def test_colours_are_read_as_the_icc_profile_means_them() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    same = decode(file_of(disc(), icc_profile=lab))
    assert difference(same, disc()) < 1
    assert difference(decode(file_of(disc(), icc_profile=b"nonsense")), disc()) == 0


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_or_refused_but_never_worse(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP", "AVIF"]))
    file = bytearray(file_of(disc((24, 24)), kind))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(file) - 1))
        file[place] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(len(file) // 2, len(file)))
    for read in (inspect, decode, decode_mask):
        with suppress(NotAPicture, PictureTooLarge):
            read(bytes(file[:end]))


def test_an_avif_with_any_one_byte_broken_is_read_or_refused() -> None:
    whole = file_of(disc((24, 24)), "AVIF")
    for place in range(len(whole)):
        with suppress(NotAPicture, PictureTooLarge):
            inspect(whole[:place] + b"\x00" + whole[place + 1 :])


@settings(max_examples=25, deadline=None)
@given(
    st.tuples(st.integers(1, 160), st.integers(1, 160)),
    st.integers(1_500, 60_000),
    st.booleans(),
)
@example((160, 160), 1_500, True)
def test_a_picture_fits_into_what_a_platform_takes(
    size: tuple[int, int], most: int, transparent: bool
) -> None:
    image = noise(size)
    if transparent:
        image.putalpha(128)
    data = file_of(image)
    fitted = fit_into(data, most)
    assert len(fitted.data) <= most
    assert opened(fitted.data).size == (fitted.width, fitted.height)
    if len(data) <= most:
        assert fitted.data == data
    else:
        assert fitted.mime == "image/webp"
        assert opened(fitted.data).has_transparency_data == transparent


def test_what_cannot_be_made_to_fit_says_so() -> None:
    with pytest.raises(PictureTooLarge, match="fit"):
        fit_into(file_of(noise((64, 64))), 50)


def test_a_jpeg_has_no_transparency_and_a_preview_is_small() -> None:
    clear = Image.new("RGBA", (600, 300), (0, 0, 0, 0))
    assert opened(encode_jpeg(clear)).getpixel((5, 5)) == (255, 255, 255)
    assert opened(preview_jpeg(clear, 256)).size == (256, 128)
    small = thumbnail(file_of(disc((300, 600))), 100)
    assert opened(small.data).size == (small.width, small.height) == (50, 100)


@pytest.mark.parametrize(
    ("count", "size"), [(1, (8, 6)), (2, (16, 6)), (3, (16, 12)), (4, (16, 12))]
)
def test_pictures_stand_side_by_side(count: int, size: tuple[int, int]) -> None:
    images = [Image.new("RGB", (8, 6), (60 * (k + 1), 0, 0)) for k in range(count)]
    sheet = side_by_side(images)
    assert sheet.size == size
    assert sheet.getpixel((0, 0)) == (60, 0, 0)
    if count > 1:
        assert sheet.getpixel((15, 0)) == (120, 0, 0)
    if count == 4:
        assert sheet.getpixel((15, 11)) == (240, 0, 0)


def test_a_phones_jpeg_with_further_frames_is_a_jpeg() -> None:
    buffer = BytesIO()
    disc().save(buffer, "MPO", save_all=True, append_images=[bars()])
    facts = inspect(buffer.getvalue())
    assert (facts.mime, facts.animated) == ("image/jpeg", False)
