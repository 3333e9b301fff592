"""Line charts as inline SVG: a report opens anywhere, offline, and can be printed.

Other pages use the same renderer: `line_chart` returns markup without scripts or outside links.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from tasks.jobs.tier_colours import ON_LIGHT

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=select_autoescape(["html", "svg"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
"""The planner's templates: constant, and read from the package's own folder."""

WIDTH, HEIGHT = 860, 240
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 14, 28
COLOURS = {**{tier.value: colour for tier, colour in ON_LIGHT.items()}, "relaxed": "#7a4f8f"}
OTHER_COLOUR = "#444a57"

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Tick:
    """A label on an axis, at `at` pixels from the left or the top."""

    at: float
    label: str


def line_chart(
    title: str,
    series: Mapping[str, Points],
    y_label: Callable[[float], str],
    colours: Mapping[str, str] = COLOURS,
) -> Markup:
    """A figure with one line for each series of (seconds, value); the x axis is in hours."""
    x_max = max((x for points in series.values() for x, _ in points), default=1.0) or 1.0
    y_max = round_up(max((y for points in series.values() for _, y in points), default=1.0) or 1.0)
    lines = [
        {
            "name": name,
            "colour": colours.get(name, OTHER_COLOUR),
            "points": " ".join(_pixel(x / x_max, min(y, y_max) / y_max) for x, y in points),
        }
        for name, points in series.items()
    ]
    return Markup(  # noqa: S704  the template escapes every value
        TEMPLATES.get_template("line_chart.svg").render(
            title=title,
            lines=lines,
            width=WIDTH,
            height=HEIGHT,
            left=LEFT,
            right=WIDTH - RIGHT,
            y_ticks=_y_ticks(y_max, y_label),
            x_ticks=_hour_ticks(x_max),
        )
    )


def _pixel(x: float, y: float) -> str:
    """Pixel coordinates of a point, given in fractions of both axes."""
    right = LEFT + x * (WIDTH - LEFT - RIGHT)
    down = HEIGHT - BOTTOM - y * (HEIGHT - TOP - BOTTOM)
    return f"{right:.1f},{down:.1f}"


def _y_ticks(y_max: float, label: Callable[[float], str]) -> list[Tick]:
    height = HEIGHT - TOP - BOTTOM
    return [
        Tick(round(HEIGHT - BOTTOM - part / 4 * height, 1), label(y_max * part / 4))
        for part in range(5)
    ]


def _hour_ticks(x_max: float) -> list[Tick]:
    hours = x_max / 3600
    step = max(1, math.ceil(hours / 12))
    return [
        Tick(round(LEFT + hour / hours * (WIDTH - LEFT - RIGHT), 1), f"{hour} h")
        for hour in range(0, int(hours) + 1, step)
    ]


def round_up(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9))


def duration(seconds: float) -> str:
    """Seconds as a short text: 0.4 s, 12 s, 3.5 min, 2.1 h."""
    if seconds < 60:
        return f"{seconds:.1f} s" if 0 < seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def count(value: float) -> str:
    """A number with its thousands separated by spaces."""
    return f"{value:,.0f}".replace(",", " ")


TEMPLATES.filters["count"] = count
