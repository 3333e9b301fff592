"""The hand-written prompts: how people type, with what must be in the picture.

`handwritten_prompts.txt` says in its head how a line is written. No prompt was made by the caption
code, and training rejects every caption whose words are those of one of them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from imaging.postcard import vocabulary as words
from imaging.vocabulary import without_accents

PATH = Path(__file__).parent / "handwritten_prompts.txt"
RELATION = re.compile(r"(\w+) (left of|right of|above|below|beside) (\w+)")
PLACE = re.compile(r"(\w+) at (.+)")
GROUP = re.compile(r"(?:(\d)(\+)? )?(?:(\w+) )?(\w+)")


@dataclass(frozen=True)
class Group:
    """So many of one thing; `colour` is "" where any will do. `more` accepts a larger number."""

    thing: str
    count: int = 1
    colour: str = ""
    more: bool = False


@dataclass(frozen=True)
class WrittenPrompt:
    """One prompt and what must be in its picture.

    `relations` are (thing, relation, thing), `places` are (thing, place); `ground` and `time` are
    "" where none is named.
    """

    prompt: str
    language: words.Language
    groups: tuple[Group, ...]
    relations: tuple[tuple[str, str, str], ...] = ()
    places: tuple[tuple[str, str], ...] = ()
    ground: str = ""
    time: str = ""

    @property
    def bare(self) -> bool:
        """Whether neither ground nor time is named."""
        return not self.ground and not self.time


def parse(line: str, language: words.Language) -> WrittenPrompt:
    """Read one line of the file. Raises ValueError for a word that is no thing, colour, place,
    ground or time.
    """
    prompt, separator, wanted = line.partition(" => ")
    if not separator:
        raise ValueError(f"no '=>' in {line!r}")
    groups, relations, places = [], [], []
    ground = time = ""
    for part in wanted.split("; "):
        if part.startswith("@"):
            name = part[1:]
            if name in words.TIMES:
                time = name
            elif name in words.LANDSCAPES or name in words.PALETTE:
                ground = name
            else:
                raise ValueError(f"neither ground nor time: {name!r}")
        elif found := RELATION.fullmatch(part):
            first, relation, second = found.groups()
            relations.append((_thing(first), relation, _thing(second)))
        elif found := PLACE.fullmatch(part):
            places.append((_thing(found[1]), _place(found[2])))
        else:
            groups.append(_group(part))
    return WrittenPrompt(
        prompt, language, tuple(groups), tuple(relations), tuple(places), ground, time
    )


def _thing(name: str) -> str:
    if name not in words.THINGS:
        raise ValueError(f"no such thing: {name!r}")
    return name


def _place(name: str) -> str:
    if name not in words.PLACES:
        raise ValueError(f"no such place: {name!r}")
    return name


def _group(text: str) -> Group:
    found = GROUP.fullmatch(text)
    if not found:
        raise ValueError(f"not a group of things: {text!r}")
    number, more, colour, thing = found.groups()
    if colour and colour not in words.PALETTE:
        raise ValueError(f"no such colour: {colour!r}")
    return Group(_thing(thing), int(number or 1), colour or "", bool(more))


def read_prompts(path: Path) -> tuple[WrittenPrompt, ...]:
    """The prompts of a file in their order: the English ones, then the French ones."""
    text = path.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    languages: tuple[words.Language, ...] = ("en", "fr")
    return tuple(
        parse(line, language)
        for language, block in zip(languages, (b for b in blocks if b), strict=True)
        for line in block
    )


@cache
def written_prompts() -> tuple[WrittenPrompt, ...]:
    """All hand-written prompts."""
    return read_prompts(PATH)


def spread(written: Sequence[WrittenPrompt], count: int) -> list[tuple[int, WrittenPrompt]]:
    """At most `count` of the prompts, evenly spread, with their numbers as seeds."""
    count = min(count, len(written))
    return [(i * len(written) // count, written[i * len(written) // count]) for i in range(count)]


def normalised(text: str) -> str:
    """The words alone: no capitals, accents or punctuation."""
    return " ".join(re.findall(r"[a-z0-9]+", without_accents(text.lower())))


@cache
def _kept_out() -> frozenset[str]:
    return frozenset(normalised(written.prompt) for written in written_prompts())


def kept_out(text: str) -> bool:
    """Whether a caption says the same as a hand-written prompt, and so must not be trained on."""
    return normalised(text) in _kept_out()
