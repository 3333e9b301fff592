import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from imaging.engine.compositing import center_crop, composite, cover, multiple_exposure
from imaging.masks import cover_mask
from tests.unit.imaging.pictures import bars, disc, mean_difference, noise

sides = st.integers(8, 90)
sizes = st.tuples(sides, sides)


@settings(deadline=None, max_examples=40)
@given(sizes, st.integers(0, 1000))
def test_black_mask_area_is_kept_bit_for_bit(size: tuple[int, int], seed: int) -> None:
    source, raw = noise(size, seed), noise(size, seed + 1)
    mask = noise(size, seed + 2).convert("L").point(lambda value: 255 if value > 140 else 0)
    result = np.asarray(composite(source, raw, mask))
    black = np.asarray(mask) == 0
    assert (result[black] == np.asarray(source)[black]).all()


def test_masked_area_is_new_picture_with_soft_seam() -> None:
    mask = Image.new("L", (200, 100), 0)
    ImageDraw.Draw(mask).rectangle((100, 0, 200, 100), fill=255)
    black, white = (Image.new("RGB", (200, 100), (v, v, v)) for v in (0, 255))
    row = np.asarray(composite(black, white, mask).convert("L"))[50].astype(int)
    assert (row[:100] == 0).all()
    assert (row[110:] == 255).all()
    assert (np.diff(row) >= 0).all()
    assert len(set(row[100:110])) > 2


def test_single_pixel_mask_changes_that_pixel() -> None:
    mask = Image.new("L", (64, 64), 0)
    mask.putpixel((10, 10), 255)
    black, white = (Image.new("RGB", (64, 64), (v, v, v)) for v in (0, 255))
    assert composite(black, white, mask).getpixel((10, 10)) == (255, 255, 255)


def test_thin_line_beside_a_large_area_is_changed_too() -> None:
    mask = Image.new("L", (400, 400), 0)
    draw = ImageDraw.Draw(mask)
    draw.rectangle((0, 0, 400, 150), fill=255)
    draw.line((10, 300, 390, 300), fill=255, width=1)
    black, white = (Image.new("RGB", (400, 400), (v, v, v)) for v in (0, 255))
    result = composite(black, white, mask)
    assert result.getpixel((200, 300)) == (255, 255, 255)
    assert result.getpixel((200, 301)) == (0, 0, 0)
    assert 0 < result.convert("L").getpixel((200, 149)) < 200  # type: ignore[operator]


@given(sizes, sizes)
def test_cover_returns_exact_size(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    assert cover(disc(size), wanted).size == wanted
    mask = cover_mask(disc(size).convert("L"), wanted)
    assert mask.size == wanted
    assert set(mask.get_flattened_data()) <= {0, 255}


def test_center_crop_takes_the_middle() -> None:
    image = Image.new("RGB", (10, 10), (1, 1, 1))
    image.paste((9, 9, 9), (2, 3, 8, 7))
    assert set(center_crop(image, (6, 4)).get_flattened_data()) == {(9, 9, 9)}


def test_blend_of_identical_pictures_is_identity() -> None:
    assert mean_difference(multiple_exposure([disc(), disc()], (64, 64)), disc()) < 1


def test_blend_keeps_contrast_of_sources() -> None:
    both = multiple_exposure([disc(), bars()], (64, 64))
    assert mean_difference(both, disc()) < mean_difference(bars(), disc())
    assert mean_difference(both, bars()) < mean_difference(bars(), disc())
    plain = Image.blend(disc(), bars(), 0.5)
    assert np.asarray(both).std() > np.asarray(plain).std()


def test_blend_is_commutative() -> None:
    assert (
        mean_difference(
            multiple_exposure([disc(), bars()], (64, 64)),
            multiple_exposure([bars(), disc()], (64, 64)),
        )
        < 1
    )


def test_blend_of_flat_colours_stays_finite() -> None:
    flat = [Image.new("RGB", (8, 8), colour) for colour in ((200, 0, 0), (0, 0, 200))]
    red, green, blue = multiple_exposure(flat, (8, 8)).getpixel((4, 4))  # type: ignore[misc]
    assert abs(red - blue) <= 1
    assert 130 < red < 160  # half of the light, which is more than half of 200 in sRGB
    assert green == 0
