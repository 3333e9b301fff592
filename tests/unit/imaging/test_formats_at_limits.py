"""Image files exactly at each limit and one beyond it; sizes, qualities and pixels by hand."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from io import BytesIO

import pytest
from PIL import Image, ImageOps

from imaging import formats
from imaging.errors import EncodingFailed, NotAPicture, PictureTooLarge
from imaging.formats import (
    LIMITS,
    RESULT_LIMITS,
    Encoded,
    FileLimits,
    ImageInfo,
    contact_sheet,
    decode,
    decode_mask,
    encode_jpeg,
    encode_png,
    encode_webp,
    fit_into,
    flatten,
    inspect,
    preview_jpeg,
    thumbnail,
    xmp_packet,
)
from tests.records import assert_records_are_immutable
from tests.unit.imaging.pictures import bars, disc, encode_image, mean_difference, noise, open_image

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def test_records_are_immutable() -> None:
    assert_records_are_immutable(formats)
    with pytest.raises(FrozenInstanceError):
        LIMITS.pixels = 1  # type: ignore[misc]


def test_limits_of_files() -> None:
    assert (LIMITS.bytes, LIMITS.pixels, LIMITS.side) == (52_428_800, 16_777_216, 16_384)
    assert (LIMITS.scalable_pixels, LIMITS.photo_pixels) == (210_000_000, 64_000_000)
    assert RESULT_LIMITS.pixels == 50_000_000
    assert Image.MAX_IMAGE_PIXELS == 210_000_000


def test_picture_is_opaque_and_has_one_frame_by_default() -> None:
    info = ImageInfo(4, 3, "image/png")
    assert (info.frames, info.transparent) == (1, False)


@pytest.mark.parametrize("read", [inspect, decode, decode_mask])
def test_file_exactly_at_the_byte_limit_is_read(read: object) -> None:
    assert callable(read)
    data = encode_image(disc())
    read(data, FileLimits(bytes=len(data)))
    with pytest.raises(PictureTooLarge) as refused:
        read(data, FileLimits(bytes=len(data) - 1))
    assert refused.value.details == {"bytes": len(data), "most": len(data) - 1}


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "BMP"])
def test_picture_exactly_at_the_pixel_limit_is_read(kind: str) -> None:
    data = encode_image(disc((40, 30)), kind)
    assert inspect(data, FileLimits(pixels=1200, photo_pixels=1)).width == 40
    with pytest.raises(PictureTooLarge) as refused:
        inspect(data, FileLimits(pixels=1199, photo_pixels=1199))
    assert refused.value.details == {"width": 40, "height": 30, "most": 1199}


@pytest.mark.parametrize("size", [(40, 30), (30, 40)])
def test_picture_exactly_at_the_side_limit_is_read(size: tuple[int, int]) -> None:
    data = encode_image(disc(size))
    assert inspect(data, FileLimits(side=40)).height == size[1]
    with pytest.raises(PictureTooLarge):
        inspect(data, FileLimits(side=39))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
def test_picture_over_the_pixel_limit_is_scaled_down(kind: str) -> None:
    limits = FileLimits(pixels=1199, photo_pixels=1200)
    data = encode_image(disc((40, 30)), kind)
    assert (inspect(data, limits).width, decode(data, limits).size) == (40, (20, 15))
    assert decode_mask(data, limits).size == (20, 15)


@pytest.mark.parametrize("kind", ["GIF", "BMP"])
def test_other_formats_are_not_scaled_down(kind: str) -> None:
    with pytest.raises(PictureTooLarge):
        inspect(encode_image(disc((40, 30)), kind), FileLimits(pixels=1199))


def test_jpeg_has_limits_of_its_own() -> None:
    data = encode_image(disc((40, 30)), "JPEG")
    assert inspect(data, FileLimits(pixels=1199, side=39)).width == 40
    assert inspect(data, FileLimits(pixels=100, scalable_pixels=1200)).width == 40
    assert inspect(data, FileLimits(pixels=1200, scalable_pixels=1)).width == 40
    with pytest.raises(PictureTooLarge) as refused:
        inspect(data, FileLimits(pixels=100, scalable_pixels=1199))
    assert refused.value.details["most"] == 1199


def test_jpegs_sides_may_be_as_long_as_the_format_allows() -> None:
    data = encode_image(Image.new("RGB", (65_500, 1)), "JPEG")
    assert inspect(data).width == 65_500
    with pytest.raises(PictureTooLarge):
        inspect(encode_image(Image.new("RGB", (16_385, 1))))
    assert inspect(encode_image(Image.new("RGB", (16_384, 1)))).width == 16_384


@pytest.mark.parametrize(
    ("pixels", "size"),
    [
        (160 * 120, (160, 120)),
        (160 * 120 - 1, (80, 60)),
        (80 * 60, (80, 60)),
        (80 * 60 - 1, (40, 30)),
        (40 * 30 - 1, (20, 15)),
        (20 * 15 - 1, (20, 15)),  # an eighth is the least that a JPEG is scaled down to
    ],
)
def test_large_jpeg_is_scaled_down_while_it_is_decoded(pixels: int, size: tuple[int, int]) -> None:
    data = encode_image(disc((160, 120)), "JPEG", quality=95)
    limits = FileLimits(pixels=pixels)
    assert decode(data, limits).size == size
    info = inspect(data, limits)
    assert (info.width, info.height) == (160, 120)
    assert mean_difference(decode(data, limits), disc((160, 120)).resize(size)) < 12


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("pixels", "scaled"),
    [
        (161 * 121, (161, 121)),
        (161 * 121 - 1, (81, 61)),  # what is left of a side at its end is a pixel, too
        (81 * 61, (81, 61)),
        (81 * 61 - 1, (41, 31)),
        (41 * 31, (41, 31)),
        (41 * 31 - 1, (21, 16)),
        (1, (21, 16)),
    ],
)
def test_picture_of_odd_sides_is_scaled_down(
    kind: str, pixels: int, scaled: tuple[int, int]
) -> None:
    assert decode(encode_image(disc((161, 121)), kind), FileLimits(pixels=pixels)).size == scaled


@pytest.mark.parametrize(
    ("size", "pixels", "scaled"),
    [
        ((800, 7), 500, (200, 2)),
        ((7, 800), 500, (2, 200)),
        ((800, 3), 300, (400, 2)),  # as far as Pillow goes with three pixels
        ((3, 800), 300, (2, 400)),
        ((800, 5), 1300, (400, 3)),
        ((5, 800), 1300, (3, 400)),
    ],
)
def test_flat_jpeg_is_scaled_down_alike_on_both_sides(
    size: tuple[int, int], pixels: int, scaled: tuple[int, int]
) -> None:
    data = encode_image(Image.new("RGB", size, RED), "JPEG", quality=95)
    assert decode(data, FileLimits(pixels=pixels)).size == scaled


@pytest.mark.parametrize(
    ("pixels", "scaled"),
    [
        (160 * 120, (160, 120)),
        (160 * 120 - 1, (80, 60)),
        (80 * 60 - 1, (40, 30)),
        (40 * 30 - 1, (20, 15)),
    ],
)
def test_jpeg_without_its_end_is_scaled_down_alike(pixels: int, scaled: tuple[int, int]) -> None:
    data = encode_image(disc((160, 120)), "JPEG", quality=95)
    limits = FileLimits(pixels=pixels)
    assert decode(data[:-2], limits).size == scaled
    assert decode(data[:-2], limits).tobytes() == decode(data, limits).tobytes()


def test_very_flat_jpeg_keeps_a_pixel_of_height() -> None:
    data = encode_image(Image.new("RGB", (800, 4), RED), "JPEG", quality=95)
    assert min(decode(data, FileLimits(pixels=300)).size) >= 1


def turned(orientation: int, kind: str = "JPEG") -> tuple[bytes, Image.Image]:
    """A file of 64 × 32 pixels with this orientation, and the picture as it is shown."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = bars((64, 32))
    picture.paste((10, 10, 200), (0, 0, 16, 8))  # no symmetry
    data = encode_image(picture, kind, exif=exif, **({"quality": 98} if kind == "JPEG" else {}))
    return data, ImageOps.exif_transpose(open_image(data))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_picture_is_shown_upright(orientation: int) -> None:
    data, shown = turned(orientation)
    size = (64, 32) if orientation < 5 else (32, 64)
    info = inspect(data)
    assert (info.width, info.height) == decode(data).size == decode_mask(data).size == size
    assert mean_difference(decode(data), shown) < 1
    assert mean_difference(decode_mask(data), shown.convert("L")) < 1
    small = thumbnail(data, 16)
    assert (small.width, small.height) == ((16, 8) if orientation < 5 else (8, 16))
    fitted = fit_into(data, len(data) - 1)
    assert (fitted.width, fitted.height) == size


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_unknown_orientation_is_upright(orientation: int) -> None:
    data, shown = turned(orientation)
    assert (inspect(data).width, decode(data).size) == (64, (64, 32))
    assert mean_difference(decode(data), shown) < 1


def test_exif_without_an_orientation_turns_nothing() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a description"
    picture = bars((64, 32))
    picture.paste((10, 10, 200), (0, 0, 16, 8))
    assert decode(encode_image(picture, exif=exif)).tobytes() == picture.tobytes()
    webp = encode_image(picture, "WEBP", lossless=True, exif=exif)
    assert decode(webp).tobytes() == picture.tobytes()


def test_first_of_several_frames_is_read() -> None:
    frames = [disc((24, 24)), bars((24, 24)), disc((24, 24))]
    animation = encode_image(frames[1], "GIF", save_all=True, append_images=frames[:1])
    assert (inspect(animation).frames, inspect(animation).animated) == (2, True)
    assert (inspect(encode_image(frames[1], "GIF")).animated) is False
    assert mean_difference(decode(animation), bars((24, 24))) < 20
    for kind in ("PNG", "WEBP"):
        animation = encode_image(frames[0], kind, save_all=True, append_images=frames[1:2])
        assert inspect(animation).frames == 2
    photo = BytesIO()
    frames[0].save(photo, "MPO", save_all=True, append_images=frames[1:])
    assert inspect(photo.getvalue()).frames == 1


def test_transparency_shows_the_ground() -> None:
    clear = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    clear.putpixel((1, 0), (10, 20, 30, 255))
    flat = flatten(clear, "#070809")
    assert (flat.mode, flat.getpixel((0, 0)), flat.getpixel((1, 0))) == (
        "RGB",
        (7, 8, 9),
        (10, 20, 30),
    )
    half = flatten(Image.new("RGBA", (1, 1), (200, 100, 0, 128)), "white")
    assert half.getpixel((0, 0)) == pytest.approx((227, 177, 127), abs=1)
    assert flatten(Image.new("RGB", (1, 1), RED), "white").getpixel((0, 0)) == RED
    data = encode_image(clear)
    assert decode(data).getpixel((0, 0)) == WHITE
    assert decode_mask(data).getpixel((0, 0)) == 0
    assert inspect(data).transparent is True
    assert inspect(encode_image(disc())).transparent is False


@pytest.mark.parametrize(("deep", "shallow"), [(0, 0), (256, 1), (128 * 256, 128), (65_535, 255)])
def test_sixteen_bits_are_scaled_to_eight(deep: int, shallow: int) -> None:
    picture = flatten(Image.new("I;16", (2, 2), deep), "white")
    assert picture.getpixel((1, 1)) == (shallow,) * 3


def test_sixteen_bit_grey_is_clear_at_one_value_only() -> None:
    """A tRNS chunk names the value; darker and lighter pixels are opaque."""
    deep = Image.new("I;16", (3, 1))
    for place, value in enumerate((500, 1000, 60_000)):
        deep.putpixel((place, 0), value)
    flat = decode(encode_image(deep, transparency=1000))
    assert [flat.getpixel((place, 0)) for place in range(3)] == [(1,) * 3, WHITE, (234,) * 3]


@pytest.mark.parametrize("size", [(2, 4000), (4000, 2)])
def test_picture_of_two_pixels_a_side_is_not_scaled_to_none(size: tuple[int, int]) -> None:
    with pytest.raises(PictureTooLarge):
        fit_into(encode_image(noise(size)), 30)


# -- writing ------------------------------------------------------------------------------------


def test_file_that_fits_is_unchanged() -> None:
    data = encode_image(noise((40, 30)))
    assert fit_into(data, len(data)) == Encoded(data, "image/png", 40, 30)
    smaller = fit_into(data, len(data) - 1)
    assert (smaller.mime, smaller.width, smaller.height) == ("image/webp", 40, 30)
    turned_data, _ = turned(6)
    assert fit_into(turned_data, len(turned_data)) == Encoded(turned_data, "image/jpeg", 32, 64)


def test_quality_is_lowered_before_the_size() -> None:
    """Each limit is the size of the file at one quality, or at one size after the last quality."""
    picture = noise((120, 80))
    data = encode_image(picture)
    sizes = [len(encode_webp(picture, quality)) for quality in (95, 88, 80, 70)]
    assert sizes == sorted(sizes, reverse=True)
    for size, quality in zip(sizes, (95, 88, 80, 70), strict=True):
        fitted = fit_into(data, size)
        assert (fitted.data, fitted.width, fitted.height) == (
            encode_webp(picture, quality),
            120,
            80,
        )
    for width, height in ((96, 64), (76, 51), (61, 40)):
        scaled = picture.resize((width, height), Image.Resampling.LANCZOS)
        fitted = fit_into(data, len(encode_webp(scaled, 70)))
        assert (fitted.width, fitted.height) == (width, height)
        assert fitted.data == encode_webp(scaled, 70)


@pytest.mark.parametrize(
    ("size", "last"), [((50, 20), (32, 12)), ((20, 50), (12, 32)), ((40, 20), (32, 16))]
)
def test_smallest_side_that_is_tried_is_thirty_two_pixels(
    size: tuple[int, int], last: tuple[int, int]
) -> None:
    """80 % again and again: 50, 40, 32; 25.6 is below. 80 % of 40 is exactly 32."""
    data = encode_image(noise(size))
    least = len(encode_webp(noise(size).resize(last, Image.Resampling.LANCZOS), 70))
    fitted = fit_into(data, least)
    assert (fitted.width, fitted.height) == last
    with pytest.raises(PictureTooLarge) as refused:
        fit_into(data, least - 1)
    assert refused.value.details == {"bytes": len(data), "most": least - 1}


@pytest.mark.parametrize("size", [(400, 1), (1, 400)])
def test_flat_picture_is_not_scaled_below_one_pixel(size: tuple[int, int]) -> None:
    with pytest.raises(PictureTooLarge):
        fit_into(encode_image(noise(size)), 60)


@pytest.mark.parametrize("size", [(400, 2), (2, 400)])
def test_flat_picture_is_scaled_down_to_one_pixel(size: tuple[int, int]) -> None:
    """80 % of 2 pixels is 1; 80 % of that would be none."""
    width, height = (1 if side == 2 else 256 for side in size)  # 400, 320, 256
    data = encode_image(noise(size))
    small = noise(size).resize((width, height), Image.Resampling.LANCZOS)
    fitted = fit_into(data, len(encode_webp(small, 70)))
    assert (fitted.width, fitted.height) == (width, height)


def test_transparency_is_kept_where_there_is_some() -> None:
    clear = noise((60, 40)).convert("RGBA")
    clear.putalpha(100)
    for picture, transparent in ((clear, True), (noise((60, 40)), False)):
        data = encode_image(picture)
        assert open_image(fit_into(data, len(data) - 1).data).has_transparency_data is transparent
        assert open_image(thumbnail(data, 30).data).has_transparency_data is transparent


def test_xmp_packet_is_kept() -> None:
    packet = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>made</x:xmpmeta>"
    data = encode_webp(noise((120, 80)), 95, packet)
    for small in (fit_into(data, len(data) - 1), thumbnail(data, 30)):
        assert xmp_packet(open_image(small.data)) == packet
    assert xmp_packet(open_image(encode_webp(disc()))) == b""
    text = Image.new("RGB", (1, 1))
    text.info["XML:com.adobe.xmp"] = "text"
    assert xmp_packet(text) == b"text"
    text.info["xmp"] = b"bytes"
    assert xmp_packet(text) == b"bytes"


def test_preview_is_a_small_jpeg() -> None:
    picture = disc((600, 300))
    assert open_image(preview_jpeg(picture)).size == (256, 128)
    assert open_image(preview_jpeg(picture, 100)).size == (100, 50)
    assert open_image(preview_jpeg(disc((60, 30)))).size == (60, 30)
    assert open_image(preview_jpeg(picture)).format == "JPEG"
    assert picture.size == (600, 300)
    small = picture.copy()
    small.thumbnail((256, 256), Image.Resampling.BILINEAR)
    assert preview_jpeg(picture) == encode_image(small, "JPEG", quality=70)


def test_thumbnail_is_webp_of_quality_eighty() -> None:
    picture = disc((300, 600))
    small = picture.copy()
    small.thumbnail((100, 100), Image.Resampling.LANCZOS)
    found = thumbnail(encode_image(picture), 100)
    assert found == Encoded(encode_webp(small, 80), "image/webp", 50, 100)
    assert thumbnail(encode_image(disc((30, 20))), 100).width == 30


def test_files_are_written_at_quality_ninety_by_default() -> None:
    picture = noise((40, 30))
    expected = encode_image(picture, "WEBP", quality=90, method=4)
    assert encode_webp(picture) == expected
    plain = disc((160, 120))  # noise has the same size at every level
    levels = {level: encode_image(plain, "PNG", compress_level=level) for level in (2, 3, 4)}
    assert len(set(levels.values())) == 3
    assert encode_png(plain) == levels[3]
    jpeg = encode_image(picture, "JPEG", quality=90, optimize=True)
    assert encode_jpeg(picture) == jpeg
    assert encode_jpeg(picture, 60) == encode_image(picture, "JPEG", quality=60, optimize=True)


def test_contact_sheet_has_two_columns() -> None:
    colours = [RED, GREEN, BLUE, WHITE]
    pictures = [Image.new("RGB", (8, 6), colour) for colour in colours]
    corners = [(0, 0), (8, 0), (0, 6), (8, 6)]
    for count, size in ((1, (8, 6)), (2, (16, 6)), (3, (16, 12)), (4, (16, 12))):
        sheet = contact_sheet(pictures[:count])
        assert sheet.size == size
        for (x, y), colour in zip(corners[:count], colours, strict=False):
            assert sheet.getpixel((x, y)) == sheet.getpixel((x + 7, y + 5)) == colour
    assert contact_sheet(pictures[:3]).getpixel((15, 11)) == (0, 0, 0)
    five = contact_sheet([*pictures, pictures[0]])
    assert (five.size, five.getpixel((0, 12))) == ((16, 18), RED)


def test_picture_that_a_format_cannot_hold_is_an_error_of_its_own() -> None:
    with pytest.raises(EncodingFailed, match="16384 × 1 pixels cannot be written as WEBP"):
        encode_webp(Image.new("RGB", (16_384, 1)))
    assert encode_webp(Image.new("RGB", (16_383, 1)))


@pytest.mark.parametrize("kind", ["TIFF", "ICO", "PPM"])
def test_other_formats_are_no_pictures(kind: str) -> None:
    with pytest.raises(NotAPicture, match="PNG, JPEG"):
        inspect(encode_image(disc(), kind))
