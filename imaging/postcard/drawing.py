"""Renders scenes with Pillow: flat shapes with outlines, on a landscape or a plain colour.

Pictures are rendered at three times their size and averaged down for smooth edges.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw

from imaging.postcard import vocabulary as words
from imaging.postcard.scenes import HORIZON, Item, Scene, seeded_random

Colour = tuple[int, int, int]
Point = tuple[float, float]

SUPERSAMPLING = 3
INK: Colour = (52, 44, 60)
CREAM: Colour = (255, 250, 235)
TRUNK: Colour = (110, 74, 48)

# Colours at the top and bottom of the sky, and the factor of each channel for the ground.
SKIES: dict[str, tuple[Colour, Colour]] = {
    "day": ((132, 200, 246), (222, 241, 252)),
    "sunset": ((186, 92, 140), (255, 190, 112)),
    "night": ((14, 18, 52), (52, 62, 118)),
}
LIGHT: dict[str, tuple[float, float, float]] = {
    "day": (1.0, 1.0, 1.0),
    "sunset": (1.0, 0.76, 0.66),
    "night": (0.36, 0.40, 0.58),
}


def mixed(first: Colour, second: Colour, share: float) -> Colour:
    """Interpolates linearly: `first` at share 0, `second` at share 1."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def edge_of(colour: Colour) -> Colour:
    """The outline colour of a shape: darker than it, or lighter where it is nearly black."""
    return (104, 104, 118) if max(colour) < 60 else mixed(colour, (24, 14, 30), 0.45)


class Pen:
    """Draws in the coordinates of one thing's box: (-1, -1) is its top left, (1, 1) its bottom
    right.
    """

    def __init__(
        self, image_draw: ImageDraw.ImageDraw, centre: Point, half: float, colour: Colour
    ) -> None:
        """`centre` and `half`, half of the box's side, are in pixels."""
        self._draw = image_draw
        self._centre = centre
        self._half = half
        self._width = max(2, round(half * 0.07))
        self.colour = colour
        self.dark = mixed(colour, (20, 12, 30), 0.25)
        self.pale = mixed(colour, (255, 255, 255), 0.4)

    def _at(self, point: Point) -> Point:
        return self._centre[0] + point[0] * self._half, self._centre[1] + point[1] * self._half

    def shape(
        self, points: Sequence[Point], colour: Colour | None = None, *, edged: bool = True
    ) -> None:
        """A filled polygon."""
        fill = colour or self.colour
        placed = [self._at(point) for point in points]
        self._draw.polygon(placed, fill=fill)
        if edged:
            closed = [*placed, placed[0], placed[1]]
            self._draw.line(closed, fill=edge_of(fill), width=self._width, joint="curve")

    def oval(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        colour: Colour | None = None,
        *,
        edged: bool = True,
    ) -> None:
        """A filled ellipse around (x, y)."""
        fill = colour or self.colour
        box = [self._at((x - rx, y - ry)), self._at((x + rx, y + ry))]
        self._draw.ellipse(
            box, fill=fill, outline=edge_of(fill) if edged else None, width=self._width
        )

    def line(self, points: Sequence[Point], colour: Colour, thickness: float = 0.08) -> None:
        """A line through the points; `thickness` in units of the box's half side."""
        width = max(2, round(thickness * self._half))
        self._draw.line(
            [self._at(point) for point in points], fill=colour, width=width, joint="curve"
        )


def around(
    count: int, radius: float, turn: float = -90.0, x: float = 0.0, y: float = 0.0
) -> list[Point]:
    """`count` points on a circle, the first at `turn` degrees."""
    angles = [math.radians(turn + 360 * i / count) for i in range(count)]
    return [(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles]


def arc(
    x: float, y: float, rx: float, ry: float, start: float, end: float, count: int = 14
) -> list[Point]:
    """Points along an ellipse from `start` to `end` degrees (clockwise, since y points down)."""
    angles = [math.radians(start + (end - start) * i / (count - 1)) for i in range(count)]
    return [(x + rx * math.cos(a), y + ry * math.sin(a)) for a in angles]


def _house(pen: Pen) -> None:
    pen.shape([(0.42, -0.85), (0.66, -0.85), (0.66, -0.3), (0.42, -0.3)], pen.dark)
    pen.shape([(-0.72, -0.18), (0.72, -0.18), (0.72, 0.96), (-0.72, 0.96)])
    pen.shape([(-0.98, -0.12), (0, -0.96), (0.98, -0.12)], pen.dark)
    pen.shape([(-0.16, 0.96), (-0.16, 0.36), (0.22, 0.36), (0.22, 0.96)], TRUNK)
    pen.shape([(-0.56, 0.14), (-0.28, 0.14), (-0.28, 0.44), (-0.56, 0.44)], CREAM)
    pen.shape([(0.34, 0.14), (0.6, 0.14), (0.6, 0.44), (0.34, 0.44)], CREAM)


def _tree(pen: Pen) -> None:
    pen.shape([(-0.14, 0.3), (0.14, 0.3), (0.18, 0.97), (-0.18, 0.97)], TRUNK)
    for x, y, radius in ((-0.42, 0.02, 0.46), (0.42, 0.02, 0.46), (0, -0.44, 0.52)):
        pen.oval(x, y, radius, radius)
    pen.oval(0, -0.05, 0.5, 0.42, edged=False)
    pen.oval(-0.18, -0.5, 0.16, 0.14, pen.pale, edged=False)


def _boat(pen: Pen) -> None:
    pen.line([(0, -0.95), (0, 0.4)], TRUNK, 0.1)
    pen.shape([(0.08, -0.9), (0.08, 0.24), (0.76, 0.24)], CREAM)
    pen.shape([(-0.08, -0.7), (-0.08, 0.24), (-0.6, 0.24)], CREAM)
    pen.shape([(-0.98, 0.36), (0.98, 0.36), (0.62, 0.94), (-0.66, 0.94)])
    pen.line([(-0.84, 0.54), (0.84, 0.54)], pen.pale, 0.09)


def _car(pen: Pen) -> None:
    pen.shape([(-0.56, 0.06), (-0.34, -0.46), (0.34, -0.46), (0.6, 0.06)])
    pen.shape([(-0.97, 0.06), (0.9, 0.02), (0.98, 0.5), (-0.97, 0.5)])
    pen.shape([(-0.4, 0.02), (-0.25, -0.32), (-0.04, -0.32), (-0.04, 0.02)], (206, 232, 246))
    pen.shape([(0.08, 0.02), (0.08, -0.32), (0.26, -0.32), (0.44, 0.02)], (206, 232, 246))
    for x in (-0.52, 0.52):
        pen.oval(x, 0.52, 0.25, 0.25, INK)
        pen.oval(x, 0.52, 0.1, 0.1, (200, 200, 205), edged=False)


def _cat(pen: Pen) -> None:
    pen.line(arc(0.55, 0.35, 0.38, 0.5, 90, -70), pen.dark, 0.16)
    pen.oval(0, 0.5, 0.56, 0.48)
    pen.shape([(-0.56, -0.95), (-0.1, -0.6), (-0.52, -0.25)])
    pen.shape([(0.56, -0.95), (0.1, -0.6), (0.52, -0.25)])
    pen.oval(0, -0.28, 0.58, 0.48)
    for x in (-0.22, 0.22):
        pen.oval(x, -0.32, 0.1, 0.13, CREAM, edged=False)
        pen.oval(x, -0.32, 0.05, 0.11, INK, edged=False)
    pen.shape([(-0.08, -0.1), (0.08, -0.1), (0, 0.0)], (236, 130, 150), edged=False)


def _fish(pen: Pen) -> None:
    pen.shape([(0.42, 0.0), (0.97, -0.5), (0.86, 0.0), (0.97, 0.5)], pen.dark)
    pen.shape([(-0.15, -0.4), (0.2, -0.74), (0.32, -0.3)], pen.dark)
    pen.oval(-0.18, 0.02, 0.78, 0.5)
    pen.line(arc(-0.46, 0.02, 0.16, 0.36, -80, 80), pen.dark, 0.07)
    pen.oval(-0.64, -0.12, 0.12, 0.12, CREAM, edged=False)
    pen.oval(-0.66, -0.12, 0.06, 0.06, INK, edged=False)


def _bird(pen: Pen) -> None:
    pen.shape([(0.5, 0.05), (0.97, -0.2), (0.95, 0.3)], pen.dark)
    pen.shape([(-0.8, -0.3), (-0.99, -0.16), (-0.78, -0.06)], (246, 160, 44))
    pen.oval(0.06, 0.14, 0.6, 0.46)
    pen.oval(-0.5, -0.24, 0.36, 0.34)
    pen.shape([(-0.2, 0.1), (0.5, -0.72), (0.52, 0.22), (0.2, 0.34)], pen.dark)
    pen.oval(-0.58, -0.3, 0.1, 0.1, CREAM, edged=False)
    pen.oval(-0.6, -0.3, 0.05, 0.05, INK, edged=False)
    for x in (-0.04, 0.2):
        pen.line([(x, 0.58), (x, 0.9)], (200, 120, 40), 0.07)


def _moon(pen: Pen) -> None:
    crescent = arc(0.05, 0, 0.95, 0.95, -60, -300, 26) + arc(0.42, 0, 0.72, 0.83, 84, 276, 22)
    pen.shape(crescent)


def _sun(pen: Pen) -> None:
    points: list[Point] = []
    for tip, low in zip(around(12, 0.98), around(12, 0.7, -75), strict=True):
        points += [tip, low]
    pen.shape(points, pen.dark)
    pen.oval(0, 0, 0.62, 0.62)


def _star(pen: Pen) -> None:
    points: list[Point] = []
    for tip, low in zip(around(5, 0.98, y=0.06), around(5, 0.43, -54, y=0.06), strict=True):
        points += [tip, low]
    pen.shape(points)


def _heart(pen: Pen) -> None:
    turns = [2 * math.pi * i / 40 for i in range(40)]
    curve = [
        (
            0.98 * math.sin(t) ** 3,
            -(13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t))
            / 15.5,
        )
        for t in turns
    ]
    pen.shape(curve)
    pen.oval(-0.45, -0.42, 0.15, 0.12, pen.pale, edged=False)


def _balloon(pen: Pen) -> None:
    pen.line([(0, 0.5), (0.08, 0.7), (-0.06, 0.84), (0.02, 0.99)], INK, 0.06)
    pen.shape([(-0.12, 0.6), (0, 0.4), (0.12, 0.6)], pen.dark)
    pen.oval(0, -0.25, 0.62, 0.72)
    pen.oval(-0.24, -0.5, 0.13, 0.2, pen.pale, edged=False)


def _flower(pen: Pen) -> None:
    green = (70, 140, 66)
    pen.line([(0, 0.0), (0, 0.97)], green, 0.12)
    pen.oval(0.28, 0.66, 0.26, 0.12, green)
    for x, y in around(6, 0.42, y=-0.32):
        pen.oval(x, y, 0.27, 0.27)
    pen.oval(
        0, -0.32, 0.24, 0.24, (252, 214, 84) if pen.colour != words.COLOURS["yellow"] else TRUNK
    )


def _mountain(pen: Pen) -> None:
    pen.shape([(0.0, 0.9), (0.56, -0.34), (0.99, 0.9)], pen.dark)
    pen.shape([(-0.99, 0.9), (-0.22, -0.9), (0.6, 0.9)])
    pen.shape([(-0.22, -0.9), (-0.42, -0.42), (-0.26, -0.52), (-0.12, -0.34), (0.02, -0.37)], CREAM)


def _cloud(pen: Pen) -> None:
    for x, y, radius in (
        (-0.55, 0.14, 0.38),
        (0.56, 0.16, 0.36),
        (-0.12, -0.18, 0.48),
        (0.3, -0.06, 0.38),
    ):
        pen.oval(x, y, radius, radius)
    pen.shape([(-0.58, 0.5), (-0.58, 0.1), (0.58, 0.1), (0.58, 0.51)], edged=False)
    pen.oval(-0.1, -0.1, 0.42, 0.4, edged=False)
    pen.oval(0.28, 0.0, 0.34, 0.34, edged=False)
    pen.line([(-0.56, 0.51), (0.56, 0.51)], edge_of(pen.colour), 0.07)


def _lighthouse(pen: Pen) -> None:
    pen.shape([(0.2, -0.72), (0.95, -0.92), (0.95, -0.42)], (255, 240, 160), edged=False)
    pen.shape([(-0.4, 0.96), (-0.24, -0.44), (0.24, -0.44), (0.4, 0.96)])
    pen.shape([(-0.3, 0.1), (-0.26, -0.18), (0.26, -0.18), (0.3, 0.1)], CREAM)
    pen.shape([(-0.37, 0.66), (-0.33, 0.38), (0.33, 0.38), (0.37, 0.66)], CREAM)
    pen.shape([(-0.2, -0.46), (-0.2, -0.76), (0.2, -0.76), (0.2, -0.46)], (255, 226, 120))
    pen.shape([(-0.3, -0.74), (0, -0.98), (0.3, -0.74)], pen.dark)


def _mushroom(pen: Pen) -> None:
    pen.shape([(-0.24, 0.0), (0.24, 0.0), (0.32, 0.92), (-0.32, 0.92)], CREAM)
    pen.shape(arc(0, 0.12, 0.94, 1.0, 180, 360, 22))
    for x, y, radius in ((-0.45, -0.18, 0.13), (0.05, -0.5, 0.15), (0.5, -0.16, 0.13)):
        pen.oval(x, y, radius, radius, CREAM, edged=False)


def _umbrella(pen: Pen) -> None:
    pen.line([(0, -0.9), (0, 0.72), *arc(0.17, 0.72, 0.17, 0.2, 180, 0, 8)], TRUNK, 0.1)
    canopy = arc(0, 0.05, 0.96, 0.9, 180, 360, 22)
    hem: list[Point] = []
    for x in (0.64, 0.0, -0.64):
        hem += arc(x, 0.05, 0.32, 0.14, 0, -180, 7)
    pen.shape(canopy + hem)
    pen.line(arc(0, 0.0, 0.36, 0.84, 190, 270, 8), pen.dark, 0.06)
    pen.line(arc(0, 0.0, 0.36, 0.84, 270, 350, 8), pen.dark, 0.06)


def _apple(pen: Pen) -> None:
    pen.line([(0.0, -0.5), (0.08, -0.92)], TRUNK, 0.12)
    pen.oval(-0.28, 0.18, 0.52, 0.68)
    pen.oval(0.28, 0.18, 0.52, 0.68)
    pen.oval(0, 0.2, 0.5, 0.58, edged=False)
    pen.shape([(0.1, -0.68), (0.38, -0.92), (0.62, -0.8), (0.36, -0.62)], (96, 170, 80))
    pen.oval(-0.42, -0.1, 0.13, 0.18, pen.pale, edged=False)


def _rocket(pen: Pen) -> None:
    pen.shape([(-0.18, 0.55), (0, 0.98), (0.18, 0.55)], (252, 176, 60))
    pen.shape([(-0.3, 0.1), (-0.68, 0.64), (-0.26, 0.52)], pen.dark)
    pen.shape([(0.3, 0.1), (0.68, 0.64), (0.26, 0.52)], pen.dark)
    pen.shape(
        [
            (-0.3, 0.58),
            (-0.38, -0.1),
            (-0.26, -0.56),
            (0, -0.98),
            (0.26, -0.56),
            (0.38, -0.1),
            (0.3, 0.58),
        ]
    )
    pen.oval(0, -0.2, 0.17, 0.17, (206, 232, 246))


def _butterfly(pen: Pen) -> None:
    for side in (-1, 1):
        pen.oval(side * 0.5, -0.36, 0.46, 0.5)
        pen.oval(side * 0.4, 0.44, 0.36, 0.42)
        pen.oval(side * 0.56, -0.4, 0.18, 0.2, pen.pale, edged=False)
        pen.line([(0, -0.5), (side * 0.24, -0.94)], INK, 0.06)
    pen.oval(0, 0.02, 0.1, 0.62, INK)


def _circle(pen: Pen) -> None:
    pen.oval(0, 0, 0.95, 0.95)


def _square(pen: Pen) -> None:
    pen.shape([(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)])


def _triangle(pen: Pen) -> None:
    pen.shape([(0, -0.92), (0.96, 0.86), (-0.96, 0.86)])


DRAW_FUNCTIONS: dict[str, Callable[[Pen], None]] = {
    "house": _house, "tree": _tree, "boat": _boat, "car": _car, "cat": _cat, "fish": _fish,
    "bird": _bird, "moon": _moon, "sun": _sun, "star": _star, "heart": _heart,
    "balloon": _balloon, "flower": _flower, "mountain": _mountain, "cloud": _cloud,
    "lighthouse": _lighthouse, "mushroom": _mushroom,
    "umbrella": _umbrella, "apple": _apple, "rocket": _rocket, "butterfly": _butterfly,
    "circle": _circle, "square": _square, "triangle": _triangle,
}  # fmt: skip


class _LandscapeRenderer:
    """Draws the ground of one landscape, in pixels of the supersampled picture."""

    def __init__(
        self, image_draw: ImageDraw.ImageDraw, scene: Scene, width: int, height: int
    ) -> None:
        self.image_draw, self.width, self.height = image_draw, width, height
        self.time = scene.time
        self.rng = seeded_random(scene.texture_seed)
        self.horizon = height * HORIZON
        self.unit = min(width, height)

    def lit(self, colour: Colour) -> Colour:
        red, green, blue = (round(v * f) for v, f in zip(colour, LIGHT[self.time], strict=True))
        return red, green, blue

    def flat(self, colour: Colour) -> None:
        self.image_draw.rectangle([0, self.horizon, self.width, self.height], fill=self.lit(colour))

    def hill(self, share: float, reach: float, top: float, colour: Colour) -> None:
        x, across = self.width * share, self.width * reach
        box = [x - across, self.height * top, x + across, self.height * top + self.height * 1.2]
        self.image_draw.ellipse(box, fill=self.lit(colour))

    def stars(self) -> None:
        for _ in range(14):
            x, y = self.rng.random() * self.width, self.rng.random() * self.horizon * 0.9
            half = self.unit * 0.006
            self.image_draw.ellipse([x - half, y - half, x + half, y + half], fill=(236, 236, 250))

    def meadow(self) -> None:
        self.flat((120, 186, 84))
        self.hill(self.rng.uniform(0.1, 0.9), 0.8, HORIZON - 0.05, (138, 200, 98))
        self.hill(self.rng.uniform(0.0, 1.0), 0.9, HORIZON + 0.12, (108, 174, 78))

    def sea(self) -> None:
        self.flat((46, 138, 176))
        colour = self.lit((96, 180, 208))
        for _ in range(9):
            x = self.rng.random() * self.width
            y = self.horizon + self.rng.uniform(0.1, 0.95) * (self.height - self.horizon)
            half, thick = self.unit * 0.06, round(self.unit * 0.012)
            self.image_draw.line([x - half, y, x + half, y], fill=colour, width=thick)

    def desert(self) -> None:
        self.flat((236, 200, 128))
        self.hill(self.rng.uniform(0.0, 0.5), 0.6, HORIZON - 0.03, (244, 212, 146))
        self.hill(self.rng.uniform(0.4, 1.0), 0.7, HORIZON + 0.1, (226, 184, 110))

    def snow(self) -> None:
        self.flat((232, 240, 248))
        self.hill(self.rng.uniform(0.1, 0.9), 0.7, HORIZON - 0.05, (244, 249, 253))
        for _ in range(22):
            x, y = self.rng.random() * self.width, self.rng.random() * self.height
            half = self.unit * 0.012
            self.image_draw.ellipse([x - half, y - half, x + half, y + half], fill=(250, 252, 255))

    def city(self) -> None:
        x = 0.0
        lamp = (250, 220, 130) if self.time == "night" else self.lit((214, 224, 232))
        while x < self.width:
            across, high = (
                self.unit * self.rng.uniform(0.13, 0.2),
                self.unit * self.rng.uniform(0.12, 0.3),
            )
            wall = self.lit(self.rng.choice(((150, 156, 172), (172, 168, 176), (134, 146, 166))))
            self.image_draw.rectangle([x, self.horizon - high, x + across, self.horizon], fill=wall)
            for column in (0.3, 0.7):
                left, top = x + across * column, self.horizon - high + self.unit * 0.04
                size = self.unit * 0.022
                self.image_draw.rectangle(
                    [left - size, top, left + size, top + size * 2], fill=lamp
                )
            x += across
        self.flat((128, 128, 136))
        y = self.horizon + (self.height - self.horizon) * 0.6
        for start in range(0, self.width, round(self.unit * 0.2)):
            end = start + self.unit * 0.1
            self.image_draw.line(
                [start, y, end, y], fill=self.lit((226, 222, 200)), width=round(self.unit * 0.016)
            )

    def draw(self, ground: str) -> None:
        if self.time == "night":
            self.stars()
        {
            "meadow": self.meadow,
            "sea": self.sea,
            "desert": self.desert,
            "snow": self.snow,
            "city": self.city,
        }[ground]()


def _background(scene: Scene, width: int, height: int) -> Image.Image:
    if scene.ground in words.PALETTE:
        return Image.new("RGB", (width, height), words.PALETTE[scene.ground])
    upper, lower = (np.array(colour, dtype=np.float32) for colour in SKIES[scene.time])
    fall = np.clip(np.linspace(0, 1 / HORIZON, height, dtype=np.float32), 0, 1)[:, None]
    column = np.rint(upper + (lower - upper) * fall).astype(np.uint8)[:, None]
    canvas = Image.fromarray(np.ascontiguousarray(np.broadcast_to(column, (height, width, 3))))
    _LandscapeRenderer(ImageDraw.Draw(canvas), scene, width, height).draw(scene.ground)
    return canvas


def _draw_item(image_draw: ImageDraw.ImageDraw, item: Item, unit: float) -> None:
    for x, y in item.centres:
        pen = Pen(
            image_draw, (x * unit, y * unit), item.span * unit / 2, words.PALETTE[item.colour]
        )
        DRAW_FUNCTIONS[item.thing](pen)


def draw(scene: Scene, scale: float = 1.0) -> Image.Image:
    """The scene as an RGB picture, `scale` times its width and height in pixels. Deterministic."""
    size = (round(scene.width * scale), round(scene.height * scale))
    width, height = (side * SUPERSAMPLING for side in size)
    canvas = _background(scene, width, height)
    image_draw = ImageDraw.Draw(canvas)
    # Lower things are nearer, so they are drawn last.
    for item in sorted(scene.items, key=lambda item: item.y + item.span / 2):
        _draw_item(image_draw, item, min(width, height))
    return canvas.reduce(SUPERSAMPLING)
