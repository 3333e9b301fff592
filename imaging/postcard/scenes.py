"""Scenes: structured descriptions of training pictures, and their random generation.

Positions and sizes are in units of the picture's shorter side, with the origin at the top left and
y downwards. A scene therefore looks the same at any resolution.
"""

import zlib
from dataclasses import dataclass, replace
from random import Random

from imaging.postcard import vocabulary as words

# Height of one thing, by the number of things in its group.
SPANS = {
    1: {"small": 0.27, "medium": 0.39, "large": 0.54},
    2: {"small": 0.23, "medium": 0.30, "large": 0.38},
    3: {"small": 0.20, "medium": 0.245, "large": 0.285},
}
GAP = 1.12
HORIZON = 0.60
HELD_OUT_ONE_IN = 8


def seeded_random(*parts: object) -> Random:
    """A random generator seeded with the parts."""
    return Random(" ".join(str(part) for part in parts))  # noqa: S311 - nothing secret is drawn


@dataclass(frozen=True)
class Item:
    """A group of one to three equal things in a row, centred on (x, y)."""

    thing: str
    colour: str
    size: str
    count: int
    x: float
    y: float

    @property
    def span(self) -> float:
        """Side of the bounding box of one thing."""
        return SPANS[self.count][self.size]

    @property
    def reach(self) -> tuple[float, float]:
        """Half width and half height of the group."""
        return self.span * (1 + GAP * (self.count - 1)) / 2, self.span / 2

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the group."""
        half_w, half_h = self.reach
        return self.x - half_w, self.y - half_h, self.x + half_w, self.y + half_h

    @property
    def centres(self) -> tuple[tuple[float, float], ...]:
        """The centre of each thing."""
        first = self.x - self.span * GAP * (self.count - 1) / 2
        return tuple((first + self.span * GAP * place, self.y) for place in range(self.count))


@dataclass(frozen=True)
class Scene:
    """A picture's description. `ground` is a landscape or a colour; plain grounds have no time
    (`""`).

    `relation` is that of the first item to the second. `places` has one entry per item, "" where
    there is none. `texture_seed` seeds the details (waves, windows, snowflakes), so that a scene
    and its edited form share them.
    """

    items: tuple[Item, ...]
    ground: str
    time: str = ""
    relation: str = ""
    places: tuple[str, ...] = ()
    width: int = 128
    height: int = 128
    texture_seed: int = 0

    @property
    def extent(self) -> tuple[float, float]:
        """Width and height in units of the shorter side."""
        short = min(self.width, self.height)
        return self.width / short, self.height / short

    @property
    def combination(self) -> str:
        """The content of the scene without positions: what is held out from training."""
        pairs = sorted(f"{item.count} {item.colour} {item.thing}" for item in self.items)
        return f"{', '.join(pairs)} / {self.ground} {self.time}".strip()


def held_out(scene: Scene) -> bool:
    """Whether this combination is held out from training; a checksum selects one in eight."""
    return zlib.crc32(scene.combination.encode()) % HELD_OUT_ONE_IN == 0


def overlap(first: Item, second: Item, margin: float = 0.02) -> bool:
    """Whether the boxes of two groups, widened by `margin`, overlap."""
    (w1, h1), (w2, h2) = first.reach, second.reach
    return abs(first.x - second.x) < w1 + w2 + margin and abs(first.y - second.y) < h1 + h2 + margin


def is_at_place(
    place: str, x: float, y: float, extent: tuple[float, float], slack: float = 0.07
) -> bool:
    """Whether the point lies in the named thirds of a picture of that extent. `slack` widens the
    thirds, as a share of the sides.
    """
    return all(
        third is None or third / 3 - slack <= value / side <= (third + 1) / 3 + slack
        for third, value, side in zip(words.PLACES[place], (x, y), extent, strict=True)
    )


def satisfies_relation(
    relation: str, first: tuple[float, float], second: tuple[float, float]
) -> bool:
    """Whether the first point is in that relation to the second."""
    dx, dy = second[0] - first[0], second[1] - first[1]
    sideways = abs(dx) > abs(dy)
    return {
        "left of": sideways and dx > 0,
        "right of": sideways and dx < 0,
        "above": not sideways and dy > 0,
        "below": not sideways and dy < 0,
        "beside": sideways,
    }[relation]


def _uniform(rng: Random, low: float, high: float) -> float:
    return rng.uniform(low, high) if high > low else (low + high) / 2


def _place_item(
    rng: Random, item: Item, place: str, ground: str, extent: tuple[float, float]
) -> Item:
    """Position the item at its named place, or where such a thing usually is on this ground."""
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
    # A group wider than its third is moved to the edge of the picture.
    x = min(max(_uniform(rng, low_x, high_x), half_w + 0.02), width - half_w - 0.02)
    y = min(max(_uniform(rng, low_y, high_y), half_h + 0.02), height - half_h - 0.02)
    return replace(item, x=x, y=y)


def _place_related(
    rng: Random, first: Item, second: Item, relation: str, extent: tuple[float, float]
) -> tuple[Item, Item]:
    """Position two items beside or above each other, without overlap, inside the picture."""
    (width, height), (w1, h1), (w2, h2) = extent, first.reach, second.reach
    if relation == "beside":
        relation = rng.choice(("left of", "right of"))
    flat = relation in ("left of", "right of")
    long, across = (width, height) if flat else (height, width)
    a, b = (w1, w2) if flat else (h1, h2)
    a_across, b_across = (h1, h2) if flat else (w1, w2)
    gap = max(a + b + 0.04, min(0.36, long - a - b - 0.06))
    gap = _uniform(rng, gap, min(gap + 0.15, long - a - b - 0.06))
    near, far = (a, b) if relation in ("left of", "above") else (b, a)
    start = _uniform(rng, near + 0.03, long - gap - far - 0.03)
    side = max(a_across, b_across)
    middle = _uniform(rng, side + 0.06, across - side - 0.06)
    lean = [middle + _uniform(rng, -0.04, 0.04) for _ in range(2)]
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
    """Positions for all items, or None where the drawn sizes leave no room."""
    extent = scene.extent
    items = list(scene.items)
    if scene.relation:
        items[:2] = _place_related(rng, items[0], items[1], scene.relation, extent)
        if not satisfies_relation(
            scene.relation, (items[0].x, items[0].y), (items[1].x, items[1].y)
        ):
            return None
    for index in range(2 if scene.relation else 0, len(items)):
        items[index] = _place_item(rng, items[index], scene.places[index], scene.ground, extent)
    if any(overlap(a, b) for i, a in enumerate(items) for b in items[:i]):
        return None
    for item, place in zip(items, scene.places, strict=True):
        if not _inside(item, extent) or (place and not is_at_place(place, item.x, item.y, extent)):
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
    """A scene with up to three kinds of things. `landscapes` is the share of scenes that aren't on
    a plain colour.
    """
    known = things or tuple(words.THINGS)
    while True:
        landscape = rng.random() < landscapes
        ground = rng.choice(words.LANDSCAPES) if landscape else rng.choice(tuple(words.COLOURS))
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
            time=rng.choice(words.TIMES) if landscape else "",
            relation=relation,
            places=tuple(places),
            width=size[0],
            height=size[1],
            texture_seed=rng.randrange(2**31),
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
    """A scene whose combination isn't held out."""
    while True:
        scene = random_scene(rng, size, landscapes=landscapes, things=things)
        if not held_out(scene):
            return scene


def random_held_out_scene(rng: Random, size: tuple[int, int] = (128, 128)) -> Scene:
    """A scene whose combination is held out from training."""
    while True:
        scene = random_scene(rng, size)
        if held_out(scene):
            return scene


def _one_colour(rng: Random, kinds: int, ground: str) -> tuple[Item, ...]:
    """Two or three kinds of things, all of one colour."""
    items = _choose_items(rng, kinds, ground, tuple(words.THINGS))
    colour = rng.choice([colour for colour in words.COLOURS if colour != ground])
    return tuple(replace(item, colour=colour) for item in items)


def _two_colours(rng: Random, kinds: int, ground: str) -> tuple[Item, ...]:
    """Two of one thing in two colours, and perhaps one thing more."""
    first, *rest = _choose_items(rng, kinds - 1, ground, tuple(words.THINGS))
    colours = rng.sample([colour for colour in words.COLOURS if colour != ground], 2)
    size = rng.choice(("small", "medium"))
    pair = [replace(first, colour=colour, count=1, size=size) for colour in colours]
    return (*pair, *(replace(item, count=1, size="small") for item in rest))


def random_varied_scene(rng: Random, size: tuple[int, int] = (128, 128)) -> Scene:
    """A training scene of the kinds that written prompts ask for and `random_scene` seldom makes.

    Half of them are those of `random_training_scene`. The others are single groups, lists of
    three, several things of one colour, and two of one thing in two colours. Never held out.
    """
    kinds = ("usual", "single", "list", "one colour", "two colours")
    kind = rng.choices(kinds, (50, 16, 14, 8, 12))[0]
    while True:
        scene = _draft(rng, kind, size)
        for _ in range(8):
            arranged = _arrange(rng, scene)
            if arranged and not held_out(arranged):
                return arranged


def random_grey_scene(rng: Random, size: tuple[int, int] = (128, 128)) -> Scene:
    """A scene with something grey in it, which the other functions never choose: half of them have
    a grey background.
    """
    kind = rng.choice(("usual", "single", "single", "list", "two colours"))
    while True:
        scene = _draft(rng, kind, size)
        if rng.random() < 0.5:
            scene = replace(scene, ground=words.GREY, time="")
        else:
            first, *rest = scene.items
            scene = replace(scene, items=(replace(first, colour=words.GREY), *rest))
        for _ in range(8):
            arranged = _arrange(rng, scene)
            if arranged and not held_out(arranged):
                return arranged


def _draft(rng: Random, kind: str, size: tuple[int, int]) -> Scene:
    """A scene of that kind whose items have no positions yet."""
    if kind == "usual":
        return random_training_scene(rng, size)
    landscape = rng.random() < 0.6
    ground = rng.choice(words.LANDSCAPES) if landscape else rng.choice(tuple(words.COLOURS))
    if kind == "single":
        items = _choose_items(rng, 1, ground, tuple(words.THINGS))
    elif kind == "list":
        items = _choose_items(rng, 3, ground, tuple(words.THINGS))
    elif kind == "one colour":
        items = _one_colour(rng, rng.choice((2, 3)), ground)
    else:
        items = _two_colours(rng, rng.choice((2, 2, 3)), ground)
    tied = len(items) > 1 and kind != "two colours" and rng.random() < 0.35
    return Scene(
        items=items,
        ground=ground,
        time=rng.choice(words.TIMES) if landscape else "",
        relation=rng.choice(tuple(words.RELATIONS_EN)) if tied else "",
        places=tuple(
            rng.choice(tuple(words.PLACES)) if not (tied and i < 2) and rng.random() < 0.25 else ""
            for i in range(len(items))
        ),
        width=size[0],
        height=size[1],
        texture_seed=rng.randrange(2**31),
    )
