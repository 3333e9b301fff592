"""What must not be asked for, and what must not be shown. Pure; imports no torch.

Words: a server's forbidden words are looked for as whole words, after prompt and word were brought
to one form. So `Ｇｕｎ`, `g u n`, `g.u.n`, `gu-n`, `gùn`, `guuun` and `gцn` are what a reader takes
them for, and `begun` is left alone. Pictures: a `PictureChecker` tells which are unfit to be
shown; the engine uses the one that the profile names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL.Image import Image

# What passes for a Latin letter: some confusables of Unicode Technical Standard 39, then digits
# and signs as people put them in place of letters.
_CYRILLIC = dict(zip("аеорсухіјѕһԁԛԝкмтвнц", "aeopcyxijshdqwkmtbhu", strict=True))
_GREEK = dict(zip("αεικνορτυχ", "aeiknoptux", strict=True))
_LATIN = {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ı": "i", "þ": "th"}
_LETTERS = {**_CYRILLIC, **_GREEK, **_LATIN}
_SIGNS = dict(zip("013457@$€£!|", "oieastaseeil", strict=True))

_WORD = re.compile(r"[^\W_]+")
_SIGNED_WORD = re.compile(r"(?:[^\W_]|[@$€£])(?:[^\W_]|[@$€£]|[!|](?=[^\W_@$€£]))*")
_INNER_MARK = re.compile(r"(?<=[^\W_])[._\-*+~'’·]+(?=[^\W_])")
_SPELLED = re.compile(r"(?<![^\W_])[^\W_](?:[\s._\-*+~/,|]{1,3}[^\W_](?![^\W_])){2,}")
_RUN = re.compile(r"(.)\1\1")
_UNSPACED = ("CJK ", "HIRAGANA ", "KATAKANA ", "THAI ", "LAO ", "KHMER ", "MYANMAR ")


class PictureChecker(Protocol):
    """Judges finished pictures."""

    def unfit(self, images: Sequence[Image]) -> list[bool]:
        """For each picture, whether it should not be shown."""


@dataclass(frozen=True, slots=True)
class ForbiddenWord:
    """One entry of a list, ready to be looked for. `words` has several where it is a phrase."""

    listed: str
    words: tuple[str, ...]
    prefix: bool  # listed with a star at its end: any ending counts
    anywhere: bool  # of a script that puts no spaces between words


def forbidden_word(text: str, listed: Iterable[str]) -> str | None:
    """The first entry of the list that the text has, as it was listed; None where it has none.

    An entry is a word, a phrase, or a beginning with a star at its end (`gun*`). Empty entries and
    those without any letter or digit never match.
    """
    plain = _plain(text)
    streams = [tuple(_WORD.findall(form)) for form in _forms(plain)]
    streams += [tuple(_unsigned(form)) for form in _forms(plain)]
    joined = "".join(plain.split())
    for entry in listed:
        word = prepare(entry)
        if word is None:
            continue
        if word.anywhere and "".join(word.words) in joined:
            return entry
        if any(_has(stream, word) for stream in streams):
            return entry
    return None


def prepare(entry: str) -> ForbiddenWord | None:
    """An entry in the form that texts are compared in; None where nothing is left of it."""
    prefix = entry.rstrip().endswith("*")
    words = tuple(_WORD.findall(_plain(entry.rstrip().removesuffix("*"))))
    if not words:
        return None
    anywhere = any(unicodedata.name(letter, "").startswith(_UNSPACED) for letter in words[0])
    return ForbiddenWord(entry, words, prefix, anywhere)


def _plain(text: str) -> str:
    """Lower case, without accents and invisible characters, with lookalikes made Latin."""
    spread = unicodedata.normalize("NFKD", text).casefold()
    kept = (letter for letter in spread if unicodedata.category(letter) not in {"Mn", "Me", "Cf"})
    return "".join(_LETTERS.get(letter, letter) for letter in kept)


def _forms(text: str) -> Iterator[str]:
    """The text as it stands, without marks inside words, and with spelled-out words joined."""
    yield text
    yield _INNER_MARK.sub("", text)
    yield _SPELLED.sub(lambda spelled: "".join(_WORD.findall(spelled[0])), text)


def _unsigned(text: str) -> Iterator[str]:
    """The words with digits and signs read as letters; numbers and prices are not words."""
    for word in _SIGNED_WORD.findall(text):
        if any(letter.isalpha() for letter in word) or not any(map(str.isdigit, word)):
            yield "".join(_SIGNS.get(letter, letter) for letter in word)


def _has(stream: Sequence[str], word: ForbiddenWord) -> bool:
    length = len(word.words)
    return any(
        all(
            _same(there, wanted, prefix=word.prefix and place == length - 1)
            for place, (there, wanted) in enumerate(
                zip(stream[start : start + length], word.words, strict=True)
            )
        )
        for start in range(len(stream) - length + 1)
    )


def _same(there: str, wanted: str, *, prefix: bool) -> bool:
    if there == wanted or (prefix and there.startswith(wanted)):
        return True
    if not _RUN.search(there):
        return False
    # Nobody writes a letter three times but to hide or to shout a word: each may then be repeated.
    pattern = "".join(f"{re.escape(letter)}+" for letter in wanted)
    return re.fullmatch(pattern + (".*" if prefix else ""), there) is not None
