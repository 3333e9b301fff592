"""The values that flags take, from a normalized text. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from bots.core.commands import ASPECTS, MAX_COUNT, BadCommand, BadInput
from bots.core.locales import LOCALES
from bots.core.typed_text import view_of
from imaging.request import MAX_SEED

LONGEST_ASPECT = Fraction(4)
"""Width to height; the widest shape, and inverted the tallest."""

_SIDE = r"\d{1,5}(?:[.,]\d{1,4})?"
ASPECT = re.compile(
    rf"(?P<width>{_SIDE})(?:\s?(?:[:;x×/∶*-]|by|sur|par)\s?|\s(?=\d{{1,2}}(?![\d.,:])))"
    rf"(?P<height>{_SIDE})",
    re.IGNORECASE,
)
BARE_ASPECT = re.compile(rf"{_SIDE}\s?[:x×/∶*]\s?{_SIDE}", re.IGNORECASE)
"""An aspect without the flag's name: "--16:9"."""
COUNT_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5,
    "sept": 7, "huit": 8, "neuf": 9, "dix": 10,
}  # fmt: skip
SHAPES: Mapping[str, str] = {
    "square": "1:1", "carré": "1:1", "carre": "1:1", "carrée": "1:1", "carree": "1:1",
    "portrait": "2:3", "vertical": "2:3", "verticale": "2:3",
    "landscape": "3:2", "paysage": "3:2", "horizontal": "3:2", "horizontale": "3:2",
    "widescreen": "16:9", "wide": "16:9",
}  # fmt: skip
"""Aspects by the words for them."""
_POINTED = re.compile(r"(?P<width>\d{1,2})[.,](?P<height>\d{1,2})")
_POINTED_ASPECTS = frozenset(
    {"16:9", "9:16", "16:10", "21:9", "4:3", "3:4", "3:2", "2:3", "4:5", "5:4", "1:1"}
)
"""Aspects that are meant where a point is typed for the colon, as in "16.9"."""
COUNT = re.compile(r"[x×]?\d+[x×]?(?!\w)", re.IGNORECASE)
SEED = re.compile(r"(?:#|n°)?\s?\d+")
SHARE = re.compile(r"(?P<number>\d+(?:[.,٫]\d+)?|[.,٫]\d+)\s?(?P<percent>%?)")


class FlagError(Exception):
    """Ends parsing with a `BadCommand`; never raised out of `bots.core`."""

    def __init__(self, code: BadInput, **details: Any) -> None:
        super().__init__(code)
        self.command = BadCommand(code, details)


def read_flag(name: str, value: str) -> Any:
    """The value of a flag, by the name of its field ("aspect", "count" …). Raises FlagError."""
    return _PARSERS.get(name, str)(value)


def listed(values: Sequence[str]) -> str:
    """Values as a message lists them."""
    return ", ".join(values)


def aspect_of(value: str) -> str:
    """An aspect ratio in lowest terms, such as "16:9" for "1920x1080". Raises FlagError.

    Any ratio from 1:4 to 4:1 is valid; sides may have decimals. "square" and the like are words
    for one.
    """
    typed = view_of(value).text.strip()
    if shape := SHAPES.get(typed.lower()):
        return shape
    pointed = _POINTED.fullmatch(typed)
    if pointed and (meant := f"{pointed['width']}:{pointed['height']}") in _POINTED_ASPECTS:
        typed = meant
    match = ASPECT.fullmatch(typed)
    if match is not None:
        width, height = (Fraction(match[side].replace(",", ".")) for side in ("width", "height"))
        if width and height and 1 / LONGEST_ASPECT <= width / height <= LONGEST_ASPECT:
            ratio = width / height
            return f"{ratio.numerator}:{ratio.denominator}"
    raise FlagError(BadInput.BAD_ASPECT, value=value, known=listed(ASPECTS))


def _count(value: str) -> int:
    number = COUNT_WORDS.get(value.lower(), _whole(value.strip("xX×")))
    if number is None or not 1 <= number <= MAX_COUNT:
        raise FlagError(BadInput.BAD_COUNT, value=value, limit=MAX_COUNT)
    return number


def _seed(value: str) -> int:
    number = _whole(value.removeprefix("#").removeprefix("n°").strip())
    if number is None or number > MAX_SEED:
        raise FlagError(BadInput.BAD_SEED, value=value, limit=str(MAX_SEED))
    return number


def _whole(value: str) -> int | None:
    """A whole number of up to twelve digits of any script; None for any other text."""
    text = view_of(value).text
    digits = text.lstrip("0") or text[-1:]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 12 else None


def _strength(value: str) -> float:
    match = SHARE.fullmatch(view_of(value).text.strip())
    if match is not None and len(match["number"]) <= 12:
        number = float(re.sub("[,٫]", ".", match["number"]))
        share = number / 100 if match["percent"] else number
        if share <= 1:  # the pattern admits no sign
            return share
    raise FlagError(BadInput.BAD_STRENGTH, value=value)


def _language(value: str) -> str:
    if value.lower() not in LOCALES:
        raise FlagError(BadInput.BAD_LANGUAGE, value=value, known=listed(LOCALES))
    return value.lower()


_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "aspect": aspect_of,
    "count": _count,
    "seed": _seed,
    "strength": _strength,
    "negative": str,
    "model": str,
    "language": _language,
}
