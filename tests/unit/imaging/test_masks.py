"""How masks of every tool are understood, and that what they mark survives scaling."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from imaging.engine.compositing import cover
from imaging.errors import MaskEmpty, MaskUnclear
from imaging.masks import cover_mask, grow, read_mask, scale_mask
from tests.odd_files import encoded, quarters
from tests.unit.imaging.pictures import noise, open_image

SIZE = (192, 128)
BOX = (40, 30, 99, 79)
RED, WHITE, BLACK = (235, 20, 30), (255, 255, 255), (0, 0, 0)


def picture() -> Image.Image:
    """Four colours with some texture."""
    grain = noise(SIZE).filter(ImageFilter.GaussianBlur(2))
    turned = quarters().rotate(180).resize(SIZE, Image.Resampling.NEAREST)
    return Image.blend(turned, grain, 0.3)


def wanted() -> Image.Image:
    mask = Image.new("L", SIZE, 0)
    ImageDraw.Draw(mask).rectangle(BOX, fill=255)
    return mask


def on(ground: Image.Image, colour: object) -> Image.Image:
    """A rectangle of one colour on a ground."""
    painted = ground.copy()
    ImageDraw.Draw(painted).rectangle(BOX, fill=colour)  # type: ignore[arg-type]
    return painted


def erased(ground: Image.Image) -> Image.Image:
    holed = ground.convert("RGBA")
    holed.putalpha(ImageChops.invert(wanted()))
    return holed


def clear_layer(colour: tuple[int, int, int]) -> Image.Image:
    return on(Image.new("RGBA", SIZE, (0, 0, 0, 0)), (*colour, 255))


def through_a_brush(share: float) -> Image.Image:
    return Image.composite(
        Image.blend(picture(), Image.new("RGB", SIZE, RED), share), picture(), wanted()
    )


MASKS: dict[str, Callable[[], Image.Image]] = {
    "white on black": lambda: on(Image.new("RGB", SIZE, BLACK), WHITE),
    "white on black, grey": lambda: on(Image.new("L", SIZE, 0), 255),
    "white on black, one bit": lambda: on(Image.new("1", SIZE, 0), 1),
    "white on dark grey": lambda: on(Image.new("L", SIZE, 30), 230),
    "hole": lambda: erased(picture()),
    "hole in black": lambda: erased(Image.new("RGB", SIZE, BLACK)),
    "red on the picture": lambda: on(picture(), RED),
    "red over the picture": lambda: through_a_brush(0.6),
    "white on the picture": lambda: on(picture(), WHITE),
    "magenta on the picture": lambda: on(picture(), (255, 0, 255)),
    "red on white": lambda: on(Image.new("RGB", SIZE, WHITE), RED),
    "red on black": lambda: on(Image.new("RGB", SIZE, BLACK), RED),
    "green on grey": lambda: on(Image.new("RGB", SIZE, (128, 128, 128)), (10, 220, 30)),
    "white on a clear layer": lambda: clear_layer(WHITE),
    "red on a clear layer": lambda: clear_layer(RED),
}


@pytest.mark.parametrize("name", sorted(MASKS))
@pytest.mark.parametrize("scale", [1, 0.5, 2])
def test_every_tools_mask_marks_what_was_painted(name: str, scale: float) -> None:
    made = MASKS[name]()
    file = made.resize((int(SIZE[0] * scale), int(SIZE[1] * scale)))
    mode = "RGBA" if file.mode == "RGBA" else "RGB"
    marked = read_mask(file.convert(mode), picture())
    assert marked.size == SIZE
    wrong = ImageChops.difference(marked, wanted()).histogram()[255]
    assert wrong <= (0 if scale == 1 and "picture" not in name else 420)  # twice its edge


@pytest.mark.parametrize("name", [name for name in sorted(MASKS) if "layer" not in name])
def test_mask_that_was_saved_as_jpeg_is_understood(name: str) -> None:
    made = MASKS[name]()
    if made.mode == "RGBA":
        pytest.skip("JPEG has no transparency")
    file = open_image(encoded(made.convert("RGB"), "JPEG", quality=80)).convert("RGB")
    wrong = ImageChops.difference(read_mask(file, picture()), wanted()).histogram()[255]
    assert wrong <= 400


@pytest.mark.parametrize(
    "mask",
    [
        Image.new("RGB", SIZE, BLACK),
        Image.new("RGB", SIZE, (20, 20, 20)),
        Image.new("RGBA", SIZE, (0, 0, 0, 0)),
        picture(),
    ],
    ids=["black", "dark", "clear", "the picture itself"],
)
def test_mask_that_marks_nothing_is_refused(mask: Image.Image) -> None:
    with pytest.raises(MaskEmpty):
        read_mask(mask, picture())


@pytest.mark.parametrize(
    "mask",
    [
        Image.new("RGB", SIZE, (128, 128, 128)),
        noise(SIZE, 5),
        quarters().resize(SIZE),
        clear_layer(BLACK),
        erased(noise(SIZE, 5)),
    ],
    ids=["grey", "noise", "another picture", "black on a clear layer", "hole in another picture"],
)
def test_mask_that_has_no_reading_is_refused(mask: Image.Image) -> None:
    with pytest.raises(MaskUnclear):
        read_mask(mask, picture())


def test_mask_of_another_shape_is_stretched() -> None:
    square = Image.new("RGB", (128, 128), BLACK)
    ImageDraw.Draw(square).rectangle((0, 0, 127, 25), fill=WHITE)
    assert read_mask(square, picture()).getbbox() == (0, 0, 192, 26)


def test_thin_red_line_on_a_red_area_of_an_exact_copy_is_seen() -> None:
    copy = quarters().resize(SIZE, Image.Resampling.NEAREST)
    painted = copy.copy()
    ImageDraw.Draw(painted).line((10, 10, 60, 10), fill=RED)
    assert read_mask(painted, copy).getbbox() == (10, 10, 61, 11)


def test_all_white_mask_marks_everything() -> None:
    assert read_mask(Image.new("RGB", SIZE, WHITE), picture()).getextrema() == (255, 255)


sides = st.integers(8, 120)


def test_pixel_between_two_boxes_survives_scaling() -> None:
    mask = Image.new("L", (8, 181), 0)
    mask.putpixel((0, 90), 255)
    assert scale_mask(mask, (8, 8)).getbbox() is not None


@settings(deadline=None)
@given(st.tuples(st.integers(8, 1500), st.integers(8, 1500)), st.tuples(sides, sides), st.data())
def test_single_marked_pixel_survives_scaling(
    size: tuple[int, int], scaled: tuple[int, int], data: st.DataObject
) -> None:
    mask = Image.new("L", size, 0)
    mask.putpixel(
        (data.draw(st.integers(0, size[0] - 1)), data.draw(st.integers(0, size[1] - 1))), 255
    )
    assert scale_mask(mask, scaled).getbbox() is not None


def test_mask_is_cropped_as_its_picture() -> None:
    shown = on(Image.new("RGB", (300, 100), BLACK), WHITE)
    marked = cover_mask(shown.convert("L"), (100, 100))
    same = cover(shown, (100, 100)).convert("L").point(lambda value: 255 if value >= 128 else 0)
    assert ImageChops.difference(marked, same).histogram()[255] <= 200
    stretched = cover_mask(shown.convert("L").resize((50, 100)), (100, 100), (300, 100))
    assert ImageChops.difference(stretched, marked).histogram()[255] <= 400


def test_grown_mask_reaches_every_latent_cell_it_touches() -> None:
    mask = Image.new("L", (64, 64), 0)
    ImageDraw.Draw(mask).line((0, 13, 63, 13), fill=255)
    cells = grow(mask, 4).resize((8, 8), Image.Resampling.NEAREST)
    assert cells.getbbox() is not None
    assert grow(mask, 0) is mask
