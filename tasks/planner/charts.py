"""Line charts as inline SVG: a report opens anywhere, offline, and can be printed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 860, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 14, 28
COLOURS = {
    "free": "#5b8def",
    "plus": "#2a9d8f",
    "team": "#e9a23b",
    "pro": "#d1495b",
    "relaxed": "#8d7bb0",
}
_OTHER = "#444a57"

Points = Sequence[tuple[float, float]]


def line_chart(title: str, series: Mapping[str, Points], label: Callable[[float], str]) -> str:
    """An SVG of one or more lines over the hours of the day; `label` words the upright axis."""
    across = max((x for points in series.values() for x, _ in points), default=1.0) or 1.0
    up = _round_up(max((y for points in series.values() for _, y in points), default=1.0) or 1.0)

    def place(x: float, y: float) -> str:
        right = _LEFT + x / across * (WIDTH - _LEFT - _RIGHT)
        down = HEIGHT - _BOTTOM - y / up * (HEIGHT - _TOP - _BOTTOM)
        return f"{right:.1f},{down:.1f}"

    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
        *_grid(up, across, label),
        *(
            f'<polyline fill="none" stroke="{COLOURS.get(name, _OTHER)}" stroke-width="1.6" '
            f'points="{" ".join(place(x, min(y, up)) for x, y in points)}"/>'
            for name, points in series.items()
        ),
        "</svg>",
    ]
    legend = "".join(
        f'<span><i style="background:{COLOURS.get(name, _OTHER)}"></i>{escape(name)}</span>'
        for name in series
    )
    return (
        f"<figure><figcaption>{escape(title)} <small>{legend}</small></figcaption>"
        f"{''.join(parts)}</figure>"
    )


def _grid(up: float, across: float, label: Callable[[float], str]) -> list[str]:
    lines = []
    for part in range(5):
        y = HEIGHT - _BOTTOM - part / 4 * (HEIGHT - _TOP - _BOTTOM)
        lines.append(
            f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label(up * part / 4)}</text>'
        )
    hours = across / 3600
    for hour in range(0, int(hours) + 1, max(1, math.ceil(hours / 12))):
        x = _LEFT + hour / hours * (WIDTH - _LEFT - _RIGHT)
        lines.append(f'<text x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{hour} h</text>')
    return lines


def _round_up(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9))


def duration(seconds: float) -> str:
    """Seconds as people say them: 0.4 s, 12 s, 3.5 min, 2.1 h."""
    if seconds < 60:
        return f"{seconds:.1f} s" if 0 < seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def count(value: float) -> str:
    """A number with thousands apart."""
    return f"{value:,.0f}".replace(",", " ")
