"""Typed text: what is kept, what is dropped, and a normalized view for matching. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_INVISIBLE = frozenset(
    {0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x200B, 0x200E, 0x200F, 0x2060}
    | {0x3164, 0xFEFF, 0xFFA0, 0xFFFC}
    | {*range(0x202A, 0x202F), *range(0x2061, 0x2070), *range(0xFFF9, 0xFFFC)}
)
"""Code points that show nothing and join nothing: zero-width spaces, bidi controls, fillers."""

_JOINERS = frozenset({0x00AD, 0x200C, 0x200D})
"""Soft hyphen, ZWNJ and ZWJ: invisible alone, but they shape words and emoji."""

_KEYCAP = frozenset("\ufe0f\u20e3")
"""What makes an emoji of a digit."""

_HYPHENS = frozenset("-‐‑‒−﹣－⁃")
_DASHES = frozenset("–—―﹘⸺⸻")
HYPHEN, DASH = "-", "—"
_SPACES = re.compile(r"\s+")


def clean_text(text: str) -> str:
    """The text without control and invisible characters, with single spaces between words.

    Emoji sequences, ZWNJ, soft hyphens, combining marks and characters newer than this Python's
    Unicode tables are kept. Dropped characters don't split words.
    """
    return " ".join("".join(_kept(character) for character in text).split())


def _kept(character: str) -> str:
    if character.isspace():
        return " "
    code = ord(character)
    is_control = unicodedata.category(character) in ("Cc", "Cs")
    return "" if is_control or code in _INVISIBLE or _is_noncharacter(code) else character


def _is_noncharacter(code: int) -> bool:
    """Code points that Unicode reserves for internal use."""
    return 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE


@dataclass(frozen=True, slots=True)
class View:
    """A normalized view of a text: `text` to match on, `origins` the index of each character.

    Width variants, digits of any script and all kinds of dashes are unified; invisible characters
    are left out. `origins` ends with the length of the original.
    """

    text: str
    origins: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The original span of a match; dropped characters at its end belong to it."""
        return self.origins[start], self.origins[end]

    def with_single_spaces(self) -> View:
        """The view with one character for each run of white space: a line break, or a space.

        Expressions with several optional spaces backtrack over long runs.
        """
        characters: list[str] = []
        origins: list[int] = []
        at = 0
        for run in _SPACES.finditer(self.text):
            characters += self.text[at : run.start()], "\n" if "\n" in run[0] else " "
            origins += self.origins[at : run.start() + 1]
            at = run.end()
        return View("".join((*characters, self.text[at:])), (*origins, *self.origins[at:]))


def view_of(text: str) -> View:
    """The normalized view of a text."""
    if text.isascii():
        return View(text, tuple(range(len(text) + 1)))
    characters: list[str] = []
    origins: list[int] = []
    for index, character in enumerate(text):
        unified = _unified(character)
        if unified:
            characters.append(unified)
            origins.append(index)
    return View("".join(characters), (*origins, len(text)))


def _unified(character: str) -> str:
    if ord(character) in _INVISIBLE or ord(character) in _JOINERS or character in _KEYCAP:
        return ""
    if character in _HYPHENS:
        return HYPHEN
    if character in _DASHES:
        return DASH
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    wide = unicodedata.normalize("NFKC", character)
    same_kind = unicodedata.category(character) != "No"  # "²" is no digit of a number
    return wide if len(wide) == 1 and same_kind else character
