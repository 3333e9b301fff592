"""Parses a prompt with flags, such as `a red house --ar 16:9 --no trees`. Pure.

A flag is two hyphens and a name; the value follows after a space, `=` or `:`, or at once where it
is a number. Keyboards change this in many ways (`—ar`, `-ar`, `−−ar`, `--ar16:9`, full-width
signs): such a near-flag is read where it has one reading and refused where it has none. A dash in
prose stays prose. Matching runs on a normalized view; the words are cut from the original.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bots.core.commands import MAX_PROMPT, BadCommand, BadInput, Imagine, Source
from bots.core.flag_values import (
    ASPECT,
    BARE_ASPECT,
    COUNT,
    SEED,
    SHARE,
    FlagError,
    listed,
    read_flag,
)
from bots.core.typed_text import DASH, HYPHEN, View, clean_text, view_of
from bots.core.worded_options import split_options

FLAGS: Mapping[str, str] = {
    "aspect": "aspect",
    "ar": "aspect",
    "count": "count",
    "n": "count",
    "seed": "seed",
    "no": "negative",
    "model": "model",
    "strength": "strength",
    # What other tools and tired people call them.
    "ratio": "aspect",
    "aspectratio": "aspect",
    "num": "count",
    "number": "count",
    "negative": "negative",
    "neg": "negative",
    "without": "negative",
    "exclude": "negative",
    "images": "count",
    "pics": "count",
    # What French members type after two hyphens.
    "format": "aspect",
    "nombre": "count",
    "graine": "seed",
    "nb": "count",
    "sans": "negative",
    "négatif": "negative",
    "negatif": "negative",
    "modèle": "model",
    "modele": "model",
    "force": "strength",
    "intensité": "strength",
    "intensite": "strength",
}
MAX_TYPED = 20_000
"""Characters of a message that are parsed at all."""
MAX_PASSES = 6
"""Words may form a new flag when others, or line breaks, are taken out: they are parsed again."""
PUBLIC_FLAGS = ("ar", "count", "seed", "no", "model", "strength")
_ENGLISH_FLAGS = frozenset({"aspect", "ar", "count", "n", "seed", "no", "model", "strength"})

_DASHES = re.compile(f"[{HYPHEN}{DASH}]+")
_NAME = re.compile(r"[^\W\d_]+", re.UNICODE)
_COMPOUND_NAMES: Mapping[str, re.Pattern[str]] = {
    "ar": re.compile(r"aspect[-_ ]ratio(?![\w-])"),
    "no": re.compile(r"(?:(?:negative|neg)[-_]prompt|prompt[-_]n[eé]gatif)(?![\w-])"),
    "count": re.compile(r"(?:num(?:ber)?|n|nb)[-_](?:of[-_])?(?:images|pictures|samples)(?![\w-])"),
}
_LONG_NAME = re.compile(r"[^\W\d_][\w-]*", re.UNICODE)
_SEPARATOR = re.compile(r"[^\S\n]*[=:][^\S\n]*|[^\S\n]+|(?=\n|$)")
_TOKEN = re.compile(r"\S+")
_VALUES: Mapping[str, re.Pattern[str]] = {
    "aspect": ASPECT,
    "count": COUNT,
    "seed": SEED,
    "strength": SHARE,
}
_TRAILING = re.compile(r"[.,;:!?…]+(?=\s|$)")
_CLOSING_DASH = re.compile(rf"[^\s{DASH}{HYPHEN}][{DASH}{HYPHEN}](?=[\s.,;:!?…]|$)")
_LIST_ENDS = re.compile(
    r"^[\s\-‐‑‒–—―−﹘﹣－_=:：,;]+|(?:[\s,]+(?:please|pls|plz|svp|stp|merci|thanks|thx))?[\s,;.!?…]*$",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"\(\s*\0[\s\0]*\)|\[\s*\0[\s\0]*\]|\{\s*\0[\s\0]*\}")  # around flags
_DOUBLED = re.compile(r"([,;])[^\S\n]*\0[\s\0]*[,;]")
"""Marks on both sides of flags: one of them is left."""
_QUOTES = "\"'“”„«»‘’`"
_QUOTE = re.compile(rf"[{_QUOTES}]\s?")
_CLOSING_QUOTE = re.compile(rf"\s?[{_QUOTES}](?!\w)")
_DETERMINERS = frozenset(
    "a an the my your his her our their this that some two three four".split()  # noqa: SIM905
    + "un une des le la les l mon ma mes ton ta tes son sa ses deux trois quatre du".split()  # noqa: SIM905
)
_CONNECTORS = frozenset({"and", "or", "nor", "et", "ou", "ni", "&", "+"})

_GLUED_NEGATIVES = frozenset({"no", "without", "sans"})
_LONGEST_NEAR = 14
"""Letters of the longest name that is compared with the flags'."""
_FEW_LETTERS = 3
_MANY_LETTERS = 6
_LONGEST_ITEM = 3
"""Words of one thing that is left out after a dash without a space."""
_NO_ITEM = frozenset(
    "one more matter longer way doubt idea question questions problem regret regrets surrender "  # noqa: SIM905
    "pain just only and but or it he she they we i you is are was not less fewer even than if "
    "because "
    "going turning end hope love war peace mercy fear limits return exit escape "
    "fin cesse doute pitié pitie issue nom espoir retour peur limite limites juste mais et ni il "
    "elle ils elles on je tu nous vous que qui lui elle toi moi rien faire être dire voir".split()
)
"""Words that begin no thing a picture is to be without: "a road—no end"."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A parsed prompt: its words and its flags."""

    words: str
    aspect: str | None = None
    count: int | None = None
    seed: int | None = None
    negative: str = ""
    model: str | None = None
    strength: float | None = None
    flags: frozenset[str] = field(default_factory=frozenset)

    def imagine(self, reference: Source | None = None) -> Imagine:
        """The command for this prompt, with a reference picture where there is one."""
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


@dataclass(frozen=True, slots=True)
class _Flag:
    """A flag in a view: where it starts and ends, its field, and its value."""

    start: int
    end: int
    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class _Marker:
    """A run of dashes and the name after it, before the value is read."""

    start: int
    name: str
    name_end: int
    strong: bool  # two hyphens or dashes, set like a flag: never prose
    spaced: bool  # a space between dash and name
    glued: bool  # no space before the dash
    double: bool  # two hyphens or dashes
    dash: bool  # at least one en or em dash


def parse_prompt(text: str, *, may_be_empty: bool = False) -> Prompt | BadCommand:
    """Separate words and flags. The last flag of a kind wins, but `--no` adds up."""
    try:
        words, values = _separate(text)
        check_prompt(words, may_be_empty=may_be_empty)
        return Prompt(words, **values, flags=frozenset(values))
    except FlagError as wrong:
        return wrong.command


def check_prompt(words: str, *, may_be_empty: bool = False) -> None:
    """Raise FlagError for a prompt that is empty or too long."""
    if not words and not may_be_empty:
        raise FlagError(BadInput.PROMPT_EMPTY)
    if len(words) > MAX_PROMPT:
        raise FlagError(BadInput.PROMPT_TOO_LONG, length=len(words), limit=MAX_PROMPT)


def prompt_fault(words: str) -> BadCommand | None:
    """What is wrong with a prompt that was not parsed by `parse_prompt`; None if nothing."""
    try:
        check_prompt(clean_text(words))
    except FlagError as wrong:
        return wrong.command
    return None


def first_word(text: str) -> tuple[str, str]:
    """The first word and the rest, split at any whitespace."""
    word, *rest = text.split(maxsplit=1) or [""]
    return word, rest[0] if rest else ""


def _separate(text: str) -> tuple[str, dict[str, Any]]:
    """The words and the flags' values. Repeats until no flag is left in the words."""
    values: dict[str, Any] = {}
    if len(text) > MAX_TYPED:
        raise FlagError(BadInput.PROMPT_TOO_LONG, length=len(text), limit=MAX_PROMPT)
    text = text.replace("\0", "")
    for _ in range(MAX_PASSES):
        view = view_of(text)
        flags = _flags(text, view, whole_negatives=True)
        rest = _without(text, view, flags)
        if not clean_text(rest) and any(flag.name == "negative" for flag in flags):
            flags = _flags(text, view, whole_negatives=False)
            rest = _without(text, view, flags)
        if not flags:
            worded = split_options(text)
            if worded.options:
                values = {**worded.options, **values}
                text = worded.words
                continue
        bare = text.rstrip(" ,;")
        if not flags and clean_text(text) == text == bare:
            if "negative" in values:
                values["negative"] = _without_flags(values["negative"])
            return text, values
        _add(values, flags)
        text = rest if flags else clean_text(text).rstrip(" ,;")  # an option may end there now
    raise _unknown_flag("")  # flags nested in flags: nobody types that


def _without_flags(negative: str) -> str:
    """A negative's words; a flag among them that was not set apart is dropped or refused."""
    for _ in range(MAX_PASSES):
        view = view_of(negative)
        flags = _flags(negative, view, whole_negatives=True)
        rest = _LIST_ENDS.sub("", clean_text(_without(negative, view, flags)))
        if rest == negative:
            return negative
        negative = rest
    raise _unknown_flag("")


def _add(values: dict[str, Any], flags: list[_Flag]) -> None:
    """Add flags to the values; negatives add up, of other kinds the last one wins."""
    for flag in flags:
        if flag.name == "negative" and values.get("negative"):
            values["negative"] = f"{values['negative']}, {flag.value}"
        else:
            values[flag.name] = flag.value


def _without(text: str, view: View, flags: list[_Flag]) -> str:
    """The text around the flags."""
    pieces, at = [], 0
    for flag in flags:
        start, end = view.span(flag.start, flag.end)
        pieces.append(text[at:start])
        at = end
    rest = _BRACKETS.sub(" ", "\0".join([*pieces, text[at:]]))
    return _DOUBLED.sub(r"\1", rest).replace("\0", " ")


def _flags(text: str, view: View, *, whole_negatives: bool) -> list[_Flag]:
    closings = [match.start() for match in _CLOSING_DASH.finditer(view.text)]
    found = (_marker(view.text, dashes, closings) for dashes in _DASHES.finditer(view.text))
    markers = [marker for marker in found if marker]
    flags: list[_Flag] = []
    stop = len(view.text)
    for marker in reversed(markers):  # a value ends where the next flag begins
        flag = _flag(text, view, marker, stop, whole_negatives=whole_negatives)
        if flag:
            flags.append(flag)
            stop = flag.start
    return flags[::-1]


def _marker(text: str, dashes: re.Match[str], closings: list[int]) -> _Marker | None:
    """The marker that these dashes begin; None in prose. Raises FlagError for an unknown flag."""
    double = len(dashes[0]) >= 2
    at = dashes.end()
    while at < len(text) and text[at] in " \t":
        at += 1
    spaced = at > dashes.end()
    glued = dashes.start() > 0 and not text[dashes.start() - 1].isspace()
    strong = double and not spaced and not (glued and text[dashes.start() - 1].isalnum())
    if strong and BARE_ASPECT.match(text, at):
        return _Marker(dashes.start(), "ar", at, strong, spaced, glued, double, DASH in dashes[0])
    match = _NAME.match(text, at)
    if match is None:
        return None
    name, end = _known_name(text, match, double=double or DASH in dashes[0])
    if name:
        marker = _Marker(
            dashes.start(), name, end, strong, spaced, glued, double, DASH in dashes[0]
        )
        return marker if _is_marker(text, marker, closings) else None
    if strong and DASH not in dashes[0]:
        word = _LONG_NAME.match(text, at)
        raise _unknown_flag(word[0] if word else match[0])
    return None


def _known_name(text: str, match: re.Match[str], *, double: bool) -> tuple[str, int]:
    """The flag's name where the letters are one and what follows can follow it, and its end.

    Names of several words are those of other tools. The name is empty where there is none.
    """
    if double:
        for name, compound in _COMPOUND_NAMES.items():
            if whole := compound.match(text.lower(), match.start()):
                return name, whole.end()
    word, end = match[0].lower(), match.end()
    names = FLAGS if double else _ENGLISH_FLAGS
    following = text[end : end + 1]
    if word in names and _can_follow(following, FLAGS[word], double=double):
        return word, end
    return "", end


def _can_follow(following: str, kind: str, *, double: bool) -> bool:
    """Whether a flag's name can end before this character."""
    if following in ("", "=", ":") or following.isspace():
        return True
    if following.isdigit() or following in ".,":
        return kind in _VALUES
    return following in "-_" and kind == "negative" and double


def _is_marker(text: str, marker: _Marker, closings: list[int]) -> bool:
    """Whether dashes and a known name can be a flag, going by how they are set."""
    if marker.strong or marker.name == "ar":
        return True
    if marker.spaced:
        return FLAGS[marker.name] in _VALUES or _is_typed_negative(text, marker)
    if marker.glued:
        return marker.double or (
            marker.dash
            and (FLAGS[marker.name] in _VALUES or _is_glued_negative(text, marker, closings))
        )
    if FLAGS[marker.name] in _VALUES:
        return True
    after = bisect.bisect_left(closings, marker.name_end)
    return after == len(closings) or closings[after] >= _line_end(text, marker.name_end)


def _is_typed_negative(text: str, marker: _Marker) -> bool:
    """Whether a spaced `-- no people` ends the message: two hyphens, and no list of clauses."""
    rest = text[marker.name_end : _line_end(text, marker.name_end)]
    return marker.double and not marker.dash and not re.search(r"[,;.]\s*no\b", rest)


def _is_glued_negative(text: str, marker: _Marker, closings: list[int]) -> bool:
    """Whether "lake—no people" ends its line with a short list, and has no other dash."""
    end = _line_end(text, marker.name_end)
    before, rest = text[: marker.start], text[marker.name_end : end].strip(" .!")
    items = rest.lower().split(",")
    return (
        marker.name in _GLUED_NEGATIVES
        and DASH not in before + rest
        and closings[-1:] <= [marker.start]
        and all(0 < len(item.split()) <= _LONGEST_ITEM for item in items)
        and not any(item.split()[0] in _NO_ITEM for item in items)
    )


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _flag(
    text: str, view: View, marker: _Marker, stop: int, *, whole_negatives: bool
) -> _Flag | None:
    kind = FLAGS[marker.name]
    stop = min(stop, _line_end(view.text, marker.name_end))
    separator = _SEPARATOR.match(view.text, marker.name_end)
    at = min(separator.end() if separator else marker.name_end, stop)
    if kind == "negative":
        return _negative(text, view, marker, (at, stop), whole=whole_negatives)
    quote = _QUOTE.match(view.text, at, stop)
    match = _value_match(kind, view.text, quote.end() if quote else at, stop)
    if match is not None:
        end = match.end()
        if quote and (closing := _CLOSING_QUOTE.match(view.text, end, stop)):
            end = closing.end()
        if marker.dash and view.text[end:stop][:1] == DASH:
            end += 1  # a flag set between dashes
        if trailing := _TRAILING.match(view.text, end, stop):
            end = trailing.end()
        return _Flag(marker.start, end, kind, read_flag(kind, match[0]))
    return _odd_value(text, view, marker, (at, stop))


def _value_match(kind: str, text: str, at: int, stop: int) -> re.Match[str] | None:
    """A well-formed value at `at` that ends at a word's end."""
    pattern = _VALUES.get(kind)
    match = pattern.match(text, at, stop) if pattern else None
    if match is None:
        return None
    rest = text[match.end() : stop]
    ends = (
        not rest
        or rest[0].isspace()
        or rest[0] in f')]}}"”»{DASH}'
        or _CLOSING_QUOTE.match(rest)
        or _TRAILING.match(rest)
    )
    return match if ends else None


def _odd_value(text: str, view: View, marker: _Marker, span: tuple[int, int]) -> _Flag | None:
    """A model's name, or a value that is not well formed: refused, unless it can only be prose."""
    kind, (at, stop) = FLAGS[marker.name], span
    token = _TOKEN.match(view.text, at, stop)
    if not marker.double and marker.name not in _ENGLISH_FLAGS:
        return None
    if not (marker.strong or marker.name == "ar" or _looks_like_value(view.text, marker, span)):
        return None
    if token is None:
        raise FlagError(BadInput.FLAG_NEEDS_VALUE, flag=f"--{marker.name}")
    start, end = view.span(token.start(), token.end())
    value = clean_text(text[start:end]).strip(_QUOTES).rstrip(",;")
    return _Flag(marker.start, token.end(), kind, read_flag(kind, value))


def _looks_like_value(text: str, marker: _Marker, span: tuple[int, int]) -> bool:
    """Whether the word after a single dash and a name is meant as the flag's value.

    It has a digit, or it is the last word; "—count on me—" and "- seed of doubt" are prose.
    """
    token = _TOKEN.match(text, *span)
    if token is None or marker.spaced or marker.glued:
        return False
    last = not text[token.end() : span[1]].strip()
    return any(map(str.isdigit, token[0])) or (last and marker.name != "n")


def _negative(
    text: str, view: View, marker: _Marker, span: tuple[int, int], *, whole: bool
) -> _Flag | None:
    """The words to leave out: all up to the next flag, or the first items where not `whole`."""
    at, stop = span
    end = stop if whole else _end_of_items(view.text, at, stop)
    start, original_end = view.span(at, end)
    value = _LIST_ENDS.sub("", clean_text(text[start:original_end]))
    if value[:1] in _QUOTES and value[-1:] in _QUOTES:
        value = value.strip(f"{_QUOTES} ")
    if value:
        return _Flag(marker.start, end, "negative", value)
    if marker.strong:
        raise FlagError(BadInput.FLAG_NEEDS_VALUE, flag=f"--{marker.name}")
    return None


def _end_of_items(text: str, at: int, stop: int) -> int:
    """Where the list after a leading `--no` ends and the prompt begins.

    The prompt begins at a determiner ("--no trees a red house"), else after the first item; items
    joined by commas or "and" belong together. All of it is the list where nothing would be left.
    """
    tokens = list(_TOKEN.finditer(text, at, stop))
    for index, token in enumerate(tokens[1:], 1):
        if token[0].lower().partition("'")[0].partition("’")[0] in _DETERMINERS:
            return tokens[index - 1].end()
    for index, token in enumerate(tokens[:-1]):
        following = tokens[index + 1][0].lower()
        joined = token[0].endswith(",") or token[0].lower() in _CONNECTORS
        if not joined and following not in _CONNECTORS:
            return token.end()
    return stop


def _unknown_flag(word: str) -> FlagError:
    known = listed([f"--{name}" for name in PUBLIC_FLAGS])
    close = _near_flag(word.lower())
    if close is None:
        return FlagError(BadInput.UNKNOWN_FLAG, flag=f"--{word}", known=known)
    return FlagError(BadInput.NEAR_FLAG, flag=f"--{word}", meant=f"--{close}", known=known)


def _near_flag(word: str) -> str | None:
    """The flag that a name in lower case was likely meant to be; None where no flag is near."""
    if not 0 < len(word) <= _LONGEST_NEAR:
        return None
    first = re.split(r"[-_\d]", word)[0]
    if first in FLAGS and len(first) > 1:
        return first
    near = [name for name in FLAGS if _is_near(word, name)]
    return min(
        near,
        key=lambda name: (_edits(word, name), name[0] != word[0], name not in PUBLIC_FLAGS),
        default=None,
    )


def _is_near(word: str, name: str) -> bool:
    """Whether a word is a flag's name mistyped ("aspcet"), cut short ("asp") or shortened ("cnt").

    Words of one or two letters, and what is compared with such a name, begin alike or have the same
    letters.
    """
    if sorted(word) == sorted(name):
        return True
    alike = word[0] == name[0]
    if min(len(word), len(name)) < _FEW_LETTERS:
        return alike and _edits(word, name) == 1 and len(name) < _FEW_LETTERS
    left = iter(name)
    shortened = alike and 2 * len(word) >= len(name) and all(letter in left for letter in word)
    allowed = 2 if alike and len(word) >= _MANY_LETTERS else 1
    return shortened or name.startswith(word) or _edits(word, name) <= allowed


def _edits(one: str, other: str) -> int:
    """Letters to add, drop, replace or swap with the next, to make one word of the other."""
    older: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one):
        last, row = row, [at + 1]
        for col, wanted in enumerate(other):
            cost = min(last[col + 1] + 1, row[col] + 1, last[col] + (letter != wanted))
            if at and col and letter == other[col - 1] and one[at - 1] == wanted:
                cost = min(cost, older[col - 1] + 1)
            row.append(cost)
        older = last
    return row[-1]
