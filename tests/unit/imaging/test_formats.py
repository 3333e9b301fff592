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
    contact_sheet,
    decode,
    decode_mask,
    encode_jpeg,
    encode_png,
    fit_into,
    inspect,
    preview_jpeg,
    thumbnail,
)
from tests.odd_files import (
    BLUE,
    GREEN,
    RED,
    SIZE,
    chunk,
    odd_files,
    swapped_profile,
    with_chunk,
)
from tests.unit.imaging.pictures import bars, disc, encode_image, mean_difference, noise, open_image

MIME_TYPES = [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")]
MIME_TYPES += [("GIF", "image/gif"), ("BMP", "image/bmp"), ("AVIF", "image/avif")]


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


@pytest.mark.parametrize(("kind", "mime"), MIME_TYPES)
def test_supported_formats_are_read(kind: str, mime: str) -> None:
    data = encode_image(disc((48, 32)), kind)
    info = inspect(data)
    assert (info.width, info.height, info.mime, info.frames) == (48, 32, mime, 1)
    assert mean_difference(decode(data), disc((48, 32))) < 12


@pytest.mark.parametrize("data", [b"", b"hello", b"%PDF-1.7 ...", b"\x89PNG\r\n\x1a\n", b"GIF89a"])
def test_non_image_is_rejected(data: bytes) -> None:
    with pytest.raises(NotAPicture):
        inspect(data)
    with pytest.raises(NotAPicture):
        decode(data)


def test_unlisted_pillow_formats_are_rejected() -> None:
    with pytest.raises(NotAPicture, match="PNG, JPEG"):
        inspect(encode_image(disc(), "TIFF"))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_truncated_file_is_rejected(kind: str, share: float) -> None:
    data = encode_image(noise((64, 64)), kind)
    with pytest.raises(NotAPicture):
        inspect(data[: int(len(data) * share)])


@pytest.mark.parametrize("missing", [1, 8, 12, 16, 20])
def test_png_without_its_end_is_read_where_it_has_all_pixels(missing: int) -> None:
    data = encode_image(disc(), "PNG")
    inspect(data + b"what some programs write behind it")
    assert decode(data[:-missing]).tobytes() == decode(data).tobytes()


def test_cut_png_is_whole_or_refused() -> None:
    data = encode_image(noise((16, 16)), "PNG")
    whole, read = decode(data).tobytes(), 0
    for length in range(len(data)):
        try:
            picture = decode(data[:length])
        except NotAPicture:
            continue
        assert picture.tobytes() == whole
        read += 1
    assert 12 <= read <= 24  # the end chunk, the checksums of its data and nothing more


def test_damaged_pixels_of_a_png_are_refused() -> None:
    data = bytearray(encode_image(noise((16, 16)), "PNG"))
    data[len(data) // 2] ^= 0xFF
    with pytest.raises(NotAPicture):
        decode(bytes(data))


@pytest.mark.parametrize("size", [(20_000, 20_000), (100_000, 600), (8_001, 8_000), (17_000, 1)])
def test_decompression_bomb_is_rejected_by_header(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def exploding(*_: object) -> None:
        pytest.fail("the bomb was decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", exploding)
    with pytest.raises(PictureTooLarge):
        inspect(png_claiming(*size))
    with pytest.raises(PictureTooLarge):
        decode(png_claiming(*size))


def test_oversized_file_is_rejected_unread() -> None:
    with pytest.raises(PictureTooLarge, match="bytes"):
        inspect(b"\0" * (50 * 1024 * 1024 + 1))
    with pytest.raises(PictureTooLarge):
        inspect(encode_image(disc()), FileLimits(bytes=100))


def test_png_text_bomb_is_ignored() -> None:
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a" * 100_000_000))
    assert mean_difference(decode(with_chunk(encode_image(disc()), bomb)), disc()) == 0


def test_png_profile_bomb_is_ignored() -> None:
    bomb = chunk(b"iCCP", b"a profile\0\0" + zlib.compress(b"a" * 100_000_000))
    assert mean_difference(decode(with_chunk(encode_image(disc()), bomb)), disc()) == 0


@pytest.mark.parametrize("name", sorted(odd_files()))
def test_file_that_browsers_show_is_read(name: str) -> None:
    """Its pixels are compared with Chromium's in tests/browser/test_odd_files.py."""
    info = inspect(odd_files()[name])
    turned = name.startswith(("exif-turned", "exif-mirrored")) and not name.endswith(".webp")
    assert (info.width, info.height) == (SIZE[::-1] if turned else SIZE)


@pytest.mark.parametrize(
    ("name", "left", "right"),
    [
        ("exif-turned.png", BLUE, RED),
        ("exif-junk.png", RED, GREEN),
        ("xmp-turned.png", RED, GREEN),
        ("grey16-clear.png", (255, 255, 255), (128, 128, 128)),
        ("grey16-no-clear.png", (18, 18, 18), (128, 128, 128)),
        ("grey4-clear.png", (255, 255, 255), (153, 153, 153)),
        ("rgb16-clear.png", (255, 255, 255), (128, 32, 16)),
        ("text-ztxt.png", RED, GREEN),
    ],
)
def test_odd_file_has_the_right_pixels(
    name: str, left: tuple[int, int, int], right: tuple[int, int, int]
) -> None:
    picture = decode(odd_files()[name])
    assert picture.getpixel((1, 1)) == left
    assert picture.getpixel((picture.width - 2, 1)) == right


@pytest.mark.parametrize("name", ["icc-palette.png", "icc-rgba.png", "icc-large.png"])
def test_profile_counts_in_every_mode(name: str) -> None:
    red, green, _blue = decode(odd_files()[name]).getpixel((40, 28))  # type: ignore[misc]
    assert green > red  # the picture is yellow-orange, its profile exchanges red and green


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_without_its_last_pixels_is_rejected(share: float, progressive: bool) -> None:
    data = encode_image(noise((64, 64)), "JPEG", progressive=progressive)
    with pytest.raises(NotAPicture):
        decode(data[: int(len(data) * share)])


def test_jpeg_without_end_marker_has_all_its_pixels() -> None:
    data = encode_image(noise((200, 100)), "JPEG", quality=95)
    assert decode(data[:-2]).tobytes() == decode(data).tobytes()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_metadata_never_decides_readability(data: st.DataObject) -> None:
    junk = data.draw(st.binary(max_size=200))
    name = data.draw(st.sampled_from([b"eXIf", b"iCCP", b"tEXt", b"zTXt", b"iTXt", b"tIME", b"pHYs",
                                      b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"bKGD"]))  # fmt: skip
    image = disc((24, 24))
    for file in (
        with_chunk(encode_image(image), chunk(name, junk)),
        encode_image(image, "WEBP", lossless=True, exif=junk, xmp=junk, icc_profile=junk),
    ):
        assert mean_difference(decode(file), image) < 2
    segment = data.draw(st.sampled_from([0xE0, 0xE1, 0xE2, 0xED, 0xEF, 0xFE]))
    prefix = data.draw(st.sampled_from([b"", b"Exif\0\0", b"ICC_PROFILE\0", b"MPF\0", b"JFIF\0",
                                        b"Photoshop 3.0\0", b"Exif\0\0MM\0*"]))  # fmt: skip
    body = prefix + junk
    marker = bytes([0xFF, segment]) + struct.pack(">H", len(body) + 2)
    jpeg = encode_image(image, "JPEG", quality=95)
    assert decode(jpeg[:2] + marker + body + jpeg[2:]).size == image.size


def test_exif_orientation_is_applied_and_metadata_dropped() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "my home address"
    data = encode_image(bars((64, 32)), "JPEG", exif=exif, quality=95)
    info = inspect(data)
    upright = decode(data)
    assert (info.width, info.height) == upright.size == (32, 64)
    assert mean_difference(upright, bars((64, 32)).rotate(-90, expand=True)) < 12
    assert not upright.getexif()
    assert b"address" not in encode_png(upright)


def test_profile_may_be_longer_than_it_says_but_not_shorter() -> None:
    swapped = swapped_profile()  # exchanges red and green
    profiles = [swapped, swapped + b"\0", swapped + bytes(100), swapped[:-1]]
    whole, *longer, cut = (decode(encode_image(disc(), icc_profile=one)) for one in profiles)
    assert mean_difference(whole, disc()) > 5
    assert [picture.tobytes() for picture in longer] == [whole.tobytes()] * 2
    assert mean_difference(cut, disc()) == 0


def test_first_frame_of_animation_is_used() -> None:
    data = encode_image(disc(), "GIF", save_all=True, append_images=[bars(), disc()])
    info = inspect(data)
    assert info.animated
    assert info.frames == 3
    assert mean_difference(decode(data), disc()) < 12


def test_transparency_becomes_white_or_black_in_masks() -> None:
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    clear.putpixel((0, 0), (255, 255, 255, 255))
    data = encode_image(clear)
    assert inspect(data).transparent
    assert decode(data).getpixel((4, 4)) == (255, 255, 255)
    mask = decode_mask(data)
    assert mask.mode == "L"
    assert (mask.getpixel((4, 4)), mask.getpixel((0, 0))) == (0, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_converts_to_rgb_with_same_brightness(mode: str) -> None:
    if mode == "I;16":
        image = Image.new("I;16", (8, 8), 200 * 256)
    else:
        image = Image.new("RGBA", (8, 8), (255, 255, 255, 255)).convert("RGB").convert(mode)
    decoded = decode(encode_image(image))
    assert decoded.mode == "RGB"
    assert decoded.getpixel((3, 3)) == ((200, 200, 200) if mode == "I;16" else (255, 255, 255))


def test_icc_profile_is_converted_to_srgb() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    same = decode(encode_image(disc(), icc_profile=lab))
    assert mean_difference(same, disc()) < 1
    assert mean_difference(decode(encode_image(disc(), icc_profile=b"nonsense")), disc()) == 0


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_file_is_read_or_rejected(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP", "AVIF"]))
    file = bytearray(encode_image(disc((24, 24)), kind))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(file) - 1))
        file[place] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(len(file) // 2, len(file)))
    for read in (inspect, decode, decode_mask):
        with suppress(NotAPicture, PictureTooLarge):
            read(bytes(file[:end]))


def test_avif_with_one_corrupt_byte_is_read_or_rejected() -> None:
    whole = encode_image(disc((24, 24)), "AVIF")
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
def test_picture_is_recompressed_to_byte_limit(
    size: tuple[int, int], most: int, transparent: bool
) -> None:
    image = noise(size)
    if transparent:
        image.putalpha(128)
    data = encode_image(image)
    cover = fit_into(data, most)
    assert len(cover.data) <= most
    assert open_image(cover.data).size == (cover.width, cover.height)
    if len(data) <= most:
        assert cover.data == data
    else:
        assert cover.mime == "image/webp"
        assert open_image(cover.data).has_transparency_data == transparent


def test_unreachable_byte_limit_is_an_error() -> None:
    with pytest.raises(PictureTooLarge, match="fit"):
        fit_into(encode_image(noise((64, 64))), 50)


def test_jpeg_drops_transparency_and_preview_is_small() -> None:
    clear = Image.new("RGBA", (600, 300), (0, 0, 0, 0))
    assert open_image(encode_jpeg(clear)).getpixel((5, 5)) == (255, 255, 255)
    assert open_image(preview_jpeg(clear, 256)).size == (256, 128)
    small = thumbnail(encode_image(disc((300, 600))), 100)
    assert open_image(small.data).size == (small.width, small.height) == (50, 100)


@pytest.mark.parametrize(
    ("count", "size"), [(1, (8, 6)), (2, (16, 6)), (3, (16, 12)), (4, (16, 12))]
)
def test_contact_sheet_layout(count: int, size: tuple[int, int]) -> None:
    images = [Image.new("RGB", (8, 6), (60 * (k + 1), 0, 0)) for k in range(count)]
    sheet = contact_sheet(images)
    assert sheet.size == size
    assert sheet.getpixel((0, 0)) == (60, 0, 0)
    if count > 1:
        assert sheet.getpixel((15, 0)) == (120, 0, 0)
    if count == 4:
        assert sheet.getpixel((15, 11)) == (240, 0, 0)


def test_mpo_is_read_as_jpeg() -> None:
    buffer = BytesIO()
    disc().save(buffer, "MPO", save_all=True, append_images=[bars()])
    info = inspect(buffer.getvalue())
    assert (info.mime, info.animated) == ("image/jpeg", False)
