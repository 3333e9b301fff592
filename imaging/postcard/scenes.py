"""A scene: the structured description behind each training picture, and how scenes are chosen at
random.

Positions and sizes are in units of the picture's shorter side, the origin at the top left, y
downwards: the same scene means the same picture at any resolution.
"""

import zlib
from dataclasses import dataclass, replace
from random import Random

from imaging.postcard import vocabulary as words

# Height of one thing, by how many stand in the group.
SPANS = {
    1: {"small": 0.27, "medium": 0.39, "large": 0.54},
    2: {"small": 0.23, "medium": 0.30, "large": 0.38},
    3: {"small": 0.20, "medium": 0.245, "large": 0.285},
}
GAP = 1.12
HORIZON = 0.60
HELD_OUT_ONE_IN = 8


def luck(*parts: object) -> Random:
    """A generator seeded by the parts, for choosing what to draw: the same parts, the same luck."""
    return Random(" ".join(str(part) for part in parts))  # noqa: S311 - nothing secret is drawn


@dataclass(frozen=True)
class Item:
    """One to three equal things in a row, centred on (x, y)."""

    thing: str
    colour: str
    size: str
    count: int
    x: float
    y: float

    @property
    def span(self) -> float:
        """Side of the box that one thing fills."""
        return SPANS[self.count][self.size]

    @property
    def reach(self) -> tuple[float, float]:
        """Half width and half height of the whole group."""
        return self.span * (1 + GAP * (self.count - 1)) / 2, self.span / 2

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the whole group."""
        half_w, half_h = self.reach
        return self.x - half_w, self.y - half_h, self.x + half_w, self.y + half_h

    @property
    def centres(self) -> tuple[tuple[float, float], ...]:
        """Where each of the things stands."""
        first = self.x - self.span * GAP * (self.count - 1) / 2
        return tuple((first + self.span * GAP * place, self.y) for place in range(self.count))


@dataclass(frozen=True)
class Scene:
    """A whole picture. `ground` is a landscape's name or a colour; plain grounds have no time
    (`""`).

    `relation` ties the first item to the second; `places` has one entry an item, "" where none is
    named. `grain` seeds the ornaments (clouds of dots, waves, windows), so that a scene and its
    edited form share them.
    """

    items: tuple[Item, ...]
    ground: str
    time: str = ""
    relation: str = ""
    places: tuple[str, ...] = ()
    width: int = 128
    height: int = 128
    grain: int = 0

    @property
    def extent(self) -> tuple[float, float]:
        """Width and height in units of the shorter side."""
        short = min(self.width, self.height)
        return self.width / short, self.height / short

    @property
    def combination(self) -> str:
        """What the scene is made of, apart from where things are: the unit that is held out from
        training.
        """
        pairs = sorted(f"{item.count} {item.colour} {item.thing}" for item in self.items)
        return f"{', '.join(pairs)} / {self.ground} {self.time}".strip()


def held_out(scene: Scene) -> bool:
    """Whether this combination is kept from training, for the judge alone. Decided by a checksum,
    one in eight.
    """
    return zlib.crc32(scene.combination.encode()) % HELD_OUT_ONE_IN == 0


def overlap(first: Item, second: Item, margin: float = 0.02) -> bool:
    """Whether two groups touch."""
    (w1, h1), (w2, h2) = first.reach, second.reach
    return abs(first.x - second.x) < w1 + w2 + margin and abs(first.y - second.y) < h1 + h2 + margin


def stands_in(
    place: str, x: float, y: float, extent: tuple[float, float], slack: float = 0.07
) -> bool:
    """Whether the point lies in the named thirds of a picture of that extent, `slack` of its sides
    beyond them.
    """
    return all(
        third is None or third / 3 - slack <= value / side <= (third + 1) / 3 + slack
        for third, value, side in zip(words.PLACES[place], (x, y), extent, strict=True)
    )


def related(relation: str, first: tuple[float, float], second: tuple[float, float]) -> bool:
    """Whether the first point stands in that relation to the second."""
    dx, dy = second[0] - first[0], second[1] - first[1]
    sideways = abs(dx) > abs(dy)
    return {
        "left of": sideways and dx > 0,
        "right of": sideways and dx < 0,
        "above": not sideways and dy > 0,
        "below": not sideways and dy < 0,
        "beside": sideways,
    }[relation]


def _spot(rng: Random, low: float, high: float) -> float:
    return rng.uniform(low, high) if high > low else (low + high) / 2


def _settle(rng: Random, item: Item, place: str, ground: str, extent: tuple[float, float]) -> Item:
    """Put the item at its named place, or where such a thing belongs on this ground."""
    (width, height), (half_w, half_h) = extent, item.reach
    column, row = words.PLACES[place] if place else (None, None)
    low_x, high_x = half_w + 0.03, width - half_w - 0.03
    low_y, high_y = half_h + 0.03, height - half_h - 0.03
    if column is not None:
        low_x, high_x = (
            max(low_x, width * column / 3 + 0.02),
            min(high_x, width * (column + 1) / 3 - 0.02),
        )
    if row is not None:
        low_y, high_y = (
            max(low_y, height * row / 3 + 0.02),
            min(high_y, height * (row + 1) / 3 - 0.02),
        )
    elif ground in words.LANDSCAPES:
        if item.thing in words.SKY_THINGS:
            high_y = min(high_y, height * 0.45)
        else:
            low_y = max(low_y, height * (HORIZON + 0.06) - half_h)
            high_y = min(high_y, height * 0.92 - half_h)
    # A group too wide for its third leans on the edge of the picture rather than leave it.
    x = min(max(_spot(rng, low_x, high_x), half_w + 0.02), width - half_w - 0.02)
    y = min(max(_spot(rng, low_y, high_y), half_h + 0.02), height - half_h - 0.02)
    return replace(item, x=x, y=y)


def _relate(
    rng: Random, first: Item, second: Item, relation: str, extent: tuple[float, float]
) -> tuple[Item, Item]:
    """Put two items beside or above each other, clear of each other and inside the picture."""
    (width, height), (w1, h1), (w2, h2) = extent, first.reach, second.reach
    if relation == "beside":
        relation = rng.choice(("left of", "right of"))
    flat = relation in ("left of", "right of")
    long, across = (width, height) if flat else (height, width)
    a, b = (w1, w2) if flat else (h1, h2)
    a_across, b_across = (h1, h2) if flat else (w1, w2)
    gap = max(a + b + 0.04, min(0.36, long - a - b - 0.06))
    gap = _spot(rng, gap, min(gap + 0.15, long - a - b - 0.06))
    near, far = (a, b) if relation in ("left of", "above") else (b, a)
    start = _spot(rng, near + 0.03, long - gap - far - 0.03)
    side = max(a_across, b_across)
    middle = _spot(rng, side + 0.06, across - side - 0.06)
    lean = [middle + _spot(rng, -0.04, 0.04) for _ in range(2)]
    along = (start, start + gap) if relation in ("left of", "above") else (start + gap, start)
    points = [(along[i], lean[i]) if flat else (lean[i], along[i]) for i in range(2)]
    return tuple(  # type: ignore[return-value]
        replace(item, x=point[0], y=point[1])
        for item, point in zip((first, second), points, strict=True)
    )


def _inside(item: Item, extent: tuple[float, float]) -> bool:
    half_w, half_h = item.reach
    return half_w <= item.x <= extent[0] - half_w and half_h <= item.y <= extent[1] - half_h


def _arrange(rng: Random, scene: Scene) -> Scene | None:
    """Positions for all items, or None where this draw of luck leaves no room."""
    extent = scene.extent
    items = list(scene.items)
    if scene.relation:
        items[:2] = _relate(rng, items[0], items[1], scene.relation, extent)
        if not related(scene.relation, (items[0].x, items[0].y), (items[1].x, items[1].y)):
            return None
    for index in range(2 if scene.relation else 0, len(items)):
        items[index] = _settle(rng, items[index], scene.places[index], scene.ground, extent)
    if any(overlap(a, b) for i, a in enumerate(items) for b in items[:i]):
        return None
    for item, place in zip(items, scene.places, strict=True):
        if not _inside(item, extent) or (place and not stands_in(place, item.x, item.y, extent)):
            return None
    return replace(scene, items=tuple(items))


def _choose_items(
    rng: Random, kinds: int, ground: str, things: tuple[str, ...]
) -> tuple[Item, ...]:
    chosen = rng.sample(things, kinds)
    counts = [rng.choices((1, 2, 3), (6, 2, 2))[0] if kinds < 3 else 1 for _ in chosen]
    sizes = [
        rng.choices(("small", "medium", "large"), (3, 4, 3 if kinds == 1 else 1))[0] for _ in chosen
    ]
    if kinds == 3:
        sizes = [rng.choice(("small", "medium")) for _ in chosen]
    items = []
    for thing, size, count in zip(chosen, sizes, counts, strict=True):
        noun = words.THINGS[thing]
        free = [colour for colour in words.COLOURS if colour != ground]
        natural = [colour for colour in noun.natural if colour != ground]
        colour = rng.choice(natural) if natural and rng.random() < 0.15 else rng.choice(free)
        items.append(Item(thing, colour, size, count, 0.0, 0.0))
    return tuple(items)


def random_scene(
    rng: Random,
    size: tuple[int, int] = (128, 128),
    *,
    landscapes: float = 0.7,
    things: tuple[str, ...] = (),
) -> Scene:
    """A scene of up to three kinds of things; `landscapes` is the share of those not on a plain
    colour.
    """
    known = things or tuple(words.THINGS)
    while True:
        wild = rng.random() < landscapes
        ground = rng.choice(words.LANDSCAPES) if wild else rng.choice(tuple(words.COLOURS))
        kinds = rng.choices((1, 2, 3), (40, 50, 10))[0]
        relation = (
            rng.choice(tuple(words.RELATIONS_EN)) if kinds > 1 and rng.random() < 0.65 else ""
        )
        places = [
            rng.choice(tuple(words.PLACES))
            if not (relation and i < 2) and rng.random() < 0.45
            else ""
            for i in range(kinds)
        ]
        scene = Scene(
            items=_choose_items(rng, kinds, ground, known),
            ground=ground,
            time=rng.choice(words.TIMES) if wild else "",
            relation=relation,
            places=tuple(places),
            width=size[0],
            height=size[1],
            grain=rng.randrange(2**31),
        )
        for _ in range(8):
            arranged = _arrange(rng, scene)
            if arranged:
                return arranged


def random_training_scene(
    rng: Random,
    size: tuple[int, int] = (128, 128),
    *,
    landscapes: float = 0.7,
    things: tuple[str, ...] = (),
) -> Scene:
    """A scene whose combination is not held out."""
    while True:
        scene = random_scene(rng, size, landscapes=landscapes, things=things)
        if not held_out(scene):
            return scene


def random_held_out_scene(rng: Random, size: tuple[int, int] = (128, 128)) -> Scene:
    """A scene whose combination training never shows."""
    while True:
        scene = random_scene(rng, size)
        if held_out(scene):
            return scene
