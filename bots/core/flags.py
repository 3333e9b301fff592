"""A prompt and its flags: `a red house --ar 16:9 --no trees` taken apart. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bots.core.command import (
    ASPECTS,
    MAX_COUNT,
    MAX_PROMPT,
    BadCommand,
    BadInput,
    Imagine,
    Source,
)
from bots.core.sentences import LOCALES
from imaging.request import MAX_SEED

# Phones turn "--" into one dash; a flag typed there should work all the same.
_FLAG = re.compile(r"(?:^|(?<=\s))(?:--|—|–)(?P<name>[A-Za-z][\w-]*)(?:=|\s+|$)")

FLAGS: Mapping[str, str] = {
    "ar": "aspect",
    "aspect": "aspect",
    "count": "count",
    "n": "count",
    "seed": "seed",
    "no": "negative",
    "model": "model",
    "strength": "strength",
}


class Misread(Exception):
    """Carries a `BadCommand` out of a reader; it never leaves this room."""

    def __init__(self, code: BadInput, **details: Any) -> None:
        super().__init__(code)
        self.command = BadCommand(code, details)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt taken apart: its words, and the flags that stood behind or between them."""

    words: str
    aspect: str | None = None
    count: int | None = None
    seed: int | None = None
    negative: str = ""
    model: str | None = None
    strength: float | None = None
    flags: frozenset[str] = field(default_factory=frozenset)

    def imagine(self, reference: Source | None = None) -> Imagine:
        """The order that this prompt is, near a reference picture where there is one."""
        return Imagine(
            prompt=self.words,
            aspect=self.aspect,
            count=self.count,
            model=self.model,
            seed=self.seed,
            negative=self.negative,
            reference=reference,
            strength=self.strength,
        )


def parse_prompt(text: str, *, may_be_empty: bool = False) -> Prompt | BadCommand:
    """Words and flags apart. Flags may stand anywhere; the last of a kind counts."""
    try:
        words, values = _split(text)
        check_prompt(words, may_be_empty=may_be_empty)
        return Prompt(words, **values, flags=frozenset(values))
    except Misread as wrong:
        return wrong.command


def check_prompt(words: str, *, may_be_empty: bool = False) -> None:
    """Raise for a prompt that is empty or too long; readers of other rooms use `prompt_fault`."""
    if not words and not may_be_empty:
        raise Misread(BadInput.PROMPT_EMPTY)
    if len(words) > MAX_PROMPT:
        raise Misread(BadInput.PROMPT_TOO_LONG, length=len(words), limit=MAX_PROMPT)


def prompt_fault(words: str) -> BadCommand | None:
    """What is wrong with a prompt that did not come through the grammar; None where nothing is."""
    try:
        check_prompt(words.strip())
    except Misread as wrong:
        return wrong.command
    return None


def read_flag(name: str, value: str) -> Any:
    """The value of a flag, by the name of its field ("aspect", "count" …). Raises Misread."""
    return _VALUES.get(name, str)(value)


def first_word(text: str) -> tuple[str, str]:
    """The first word and what follows it; a tab or a new line ends a word like a space."""
    word, *rest = text.split(maxsplit=1) or [""]
    return word, rest[0] if rest else ""


def listed(words: Sequence[str]) -> str:
    """Words as a sentence lists them."""
    return ", ".join(words)


def _split(text: str) -> tuple[str, dict[str, Any]]:
    words: list[str] = []
    values: dict[str, Any] = {}
    at = 0
    pending: str | None = None
    for match in [*_FLAG.finditer(text), None]:
        piece = text[at : match.start() if match else len(text)].strip()
        if pending is None:
            words.append(piece)
        else:
            value, behind = _value_of(pending, piece)
            values[FLAGS[pending]] = value
            words.append(behind)
        if match is None:
            break
        pending = match["name"].lower()
        if pending not in FLAGS:
            raise Misread(BadInput.UNKNOWN_FLAG, flag=f"--{pending}", known=_known_flags())
        at = match.end()
    return " ".join(" ".join(words).split()), values


def _value_of(flag: str, piece: str) -> tuple[Any, str]:
    """The flag's value, and the words behind it that belong to the prompt."""
    if FLAGS[flag] == "negative":
        value, behind = piece, ""
    else:
        value, behind = first_word(piece)
    if not value:
        raise Misread(BadInput.FLAG_NEEDS_VALUE, flag=f"--{flag}")
    return _VALUES[FLAGS[flag]](value), behind


def _aspect(value: str) -> str:
    if value not in ASPECTS:
        raise Misread(BadInput.BAD_ASPECT, value=value, known=listed(ASPECTS))
    return value


def _count(value: str) -> int:
    number = _whole(value)
    if number is None or not 1 <= number <= MAX_COUNT:
        raise Misread(BadInput.BAD_COUNT, value=value, limit=MAX_COUNT)
    return number


def _seed(value: str) -> int:
    number = _whole(value)
    if number is None or number > MAX_SEED:
        raise Misread(BadInput.BAD_SEED, value=value, limit=str(MAX_SEED))
    return number


def _whole(value: str) -> int | None:
    """A number of up to twelve digits; None for any other text, and for what no flag takes."""
    digits = value.lstrip("0") or value[-1:]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 12 else None


def _strength(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise Misread(BadInput.BAD_STRENGTH, value=value)
    return number


def _language(value: str) -> str:
    if value.lower() not in LOCALES:
        raise Misread(BadInput.BAD_LANGUAGE, value=value, known=listed(LOCALES))
    return value.lower()


_VALUES: Mapping[str, Callable[[str], Any]] = {
    "aspect": _aspect,
    "count": _count,
    "seed": _seed,
    "strength": _strength,
    "negative": str,
    "model": str,
    "language": _language,
}


def _known_flags() -> str:
    return listed([f"--{name}" for name in ("ar", "count", "seed", "no", "model", "strength")])
