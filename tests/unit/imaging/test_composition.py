import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from imaging.engine.composition import blended, cut_to, fitted, fitted_mask, repainted
from tests.unit.imaging.pictures import bars, difference, disc, noise

sides = st.integers(8, 90)
sizes = st.tuples(sides, sides)


@settings(deadline=None, max_examples=40)
@given(sizes, st.integers(0, 1000))
def test_what_the_mask_leaves_black_is_kept_bit_for_bit(size: tuple[int, int], seed: int) -> None:
    source, painted = noise(size, seed), noise(size, seed + 1)
    mask = noise(size, seed + 2).convert("L").point(lambda value: 255 if value > 140 else 0)
    result = np.asarray(repainted(source, painted, mask))
    black = np.asarray(mask) == 0
    assert (result[black] == np.asarray(source)[black]).all()


def test_inside_the_mask_is_the_new_picture_with_a_soft_seam() -> None:
    mask = Image.new("L", (200, 100), 0)
    ImageDraw.Draw(mask).rectangle((100, 0, 200, 100), fill=255)
    black, white = (Image.new("RGB", (200, 100), (v, v, v)) for v in (0, 255))
    row = np.asarray(repainted(black, white, mask).convert("L"))[50].astype(int)
    assert (row[:100] == 0).all()
    assert (row[110:] == 255).all()
    assert (np.diff(row) >= 0).all()
    assert len(set(row[100:110])) > 2


def test_a_mask_of_one_pixel_still_changes_it() -> None:
    mask = Image.new("L", (64, 64), 0)
    mask.putpixel((10, 10), 255)
    black, white = (Image.new("RGB", (64, 64), (v, v, v)) for v in (0, 255))
    assert repainted(black, white, mask).getpixel((10, 10)) == (255, 255, 255)


@given(sizes, sizes)
def test_fitting_gives_exactly_the_size(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    assert fitted(disc(size), wanted).size == wanted
    mask = fitted_mask(disc(size).convert("L"), wanted)
    assert mask.size == wanted
    assert set(mask.get_flattened_data()) <= {0, 255}


def test_cutting_takes_the_middle() -> None:
    image = Image.new("RGB", (10, 10), (1, 1, 1))
    image.paste((9, 9, 9), (2, 3, 8, 7))
    assert set(cut_to(image, (6, 4)).get_flattened_data()) == {(9, 9, 9)}


def test_a_blend_of_a_picture_with_itself_is_the_picture() -> None:
    assert difference(blended([disc(), disc()], (64, 64)), disc()) < 1


def test_a_blend_has_of_both_and_no_less_contrast_than_they() -> None:
    both = blended([disc(), bars()], (64, 64))
    assert difference(both, disc()) < difference(bars(), disc())
    assert difference(both, bars()) < difference(bars(), disc())
    plain = Image.blend(disc(), bars(), 0.5)
    assert np.asarray(both).std() > np.asarray(plain).std()


def test_the_order_of_a_blend_does_not_matter() -> None:
    assert difference(blended([disc(), bars()], (64, 64)), blended([bars(), disc()], (64, 64))) < 1


def test_a_blend_of_flat_colours_does_not_blow_up() -> None:
    flat = [Image.new("RGB", (8, 8), colour) for colour in ((200, 0, 0), (0, 0, 200))]
    red, green, blue = blended(flat, (8, 8)).getpixel((4, 4))  # type: ignore[misc]
    assert abs(red - blue) <= 1
    assert 130 < red < 160  # half of the light, which is more than half of 200 in sRGB
    assert green == 0
