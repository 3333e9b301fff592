"""Finds a server's forbidden words in a text, however they are spelled. Pure; linear in the text.

A word is found through compatibility forms, letters of other scripts that look alike, accents,
invisible characters, digits and signs for letters, separators between letters, repeated letters
and `*` for a letter. It is found as a whole word only: "begun" has no "gun", "C U M U L U S" no
"cum", and "he'll" no "hell". Scripts without spaces between words (Chinese, Japanese, Thai …) are
searched without word borders.

A word of four letters or more is also found with one space in it ("po rn"), unless both parts are
ordinary words of their own ("put in"). Shorter ones would be found too often where none was meant.

The words form a trie. At each word's start in the text the trie is followed along all readings of
the characters; the work per character is bounded by the trie, not by the text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from tasks.policy.lookalikes import (
    INVISIBLE,
    ONE_LETTER,
    READINGS,
    SPELLED_OUT,
    without_drawn_letters,
)
from tasks.policy.short_words import CONTRACTIONS, ORDINARY
from tasks.policy.short_words import ONE_LETTER as ONE_LETTER_WORDS

MAX_GAP = 3
"""Characters between two letters of one word, such as " - "; longer runs are read as so many."""
_WILDCARDS = frozenset("*#○◯〇●•█⭕⚪⚫🔴🟠🟡🟢🔵🟣🟤❌")
_DOUBLED = frozenset("ahijkquvwxyауыйяхцчшщъьэ")
"""Letters that hardly any word doubles: two of them are read as one, of others only three."""
_UNSPACED = ("CJK ", "HIRAGANA ", "KATAKANA ", "THAI ", "LAO ", "KHMER ", "MYANMAR ")
_APOSTROPHES = frozenset("'’")
_JOINERS = _APOSTROPHES | frozenset("-‐‑")
"""Signs within words: what is beside one is no whole word."""
SPLIT_LETTERS = 4
"""Letters of the shortest word that is found with one space within it."""
_KANA_FILLERS = frozenset("ー〜～・゛゜")


def forbidden_word(text: str, words: Iterable[str]) -> str | None:
    """The first of the words that the text has, as it was listed; None where it has none.

    An entry is a word, a phrase, or a beginning with a star at its end ("gun*"). Entries without
    any letter or digit never match.
    """
    return word_filter(tuple(words)).find(text)


@lru_cache(maxsize=64)
def word_filter(words: tuple[str, ...]) -> WordFilter:
    """The filter for a list of words; lists change rarely."""
    return WordFilter(words)


@dataclass(slots=True)
class _Node:
    children: dict[str, _Node] = field(default_factory=dict)
    entries: list[_Entry] = field(default_factory=list)
    word_end: bool = False  # a word of a phrase ends here and another follows


@dataclass(frozen=True, slots=True)
class _Entry:
    index: int  # in the list
    letters: int
    prefix: bool  # listed with a star at its end: any ending counts


@dataclass(frozen=True, slots=True)
class _Character:
    """One character of the folded text and the letters it can be read as."""

    text: str
    readings: str
    is_letter: bool  # a letter of any script
    is_real: bool  # a letter, or "@": numbers and prices alone are no words
    is_word: bool  # a letter or a digit
    is_space: bool
    is_wildcard: bool


@dataclass(frozen=True, slots=True)
class _State:
    """A path in the trie: `at` is the next character, `last` the one read last.

    `split` is the space that was read over within a word, -1 where there was none.
    """

    node: _Node
    at: int
    last: int
    wildcards: int
    read: int  # how many characters were read
    real: int  # how many of the characters read are real letters
    split: int = -1


@dataclass(frozen=True, slots=True)
class _Text:
    """A text's characters and, for each, where the run of every letter it can be read as ends."""

    characters: Sequence[_Character]
    run_ends: Sequence[Mapping[str, int]]


class WordFilter:
    """A list of forbidden words, ready to search texts."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        self._spaced, self._unspaced = _Node(), _Node()
        for index, entry in enumerate(words):
            self._add(index, entry)

    def find(self, text: str) -> str | None:
        """The first listed word that the text has."""
        return self.search(text)[0]

    def search(self, text: str) -> tuple[str | None, int]:
        """The first listed word that the text has, and the number of trie steps it took."""
        if not self.words:
            return None, 0
        read = _read(without_drawn_letters(text))
        characters = read.characters
        found, steps = len(self.words), 0
        for start in range(len(characters)):
            for root, bounded in ((self._spaced, True), (self._unspaced, False)):
                if not root.children or (bounded and not _starts_word(characters, start)):
                    continue
                match, taken = _follow(read, start, root, bounded=bounded)
                found, steps = min(found, match), steps + taken
        return (self.words[found] if found < len(self.words) else None), steps

    def _add(self, index: int, entry: str) -> None:
        stripped = entry.strip()
        prefix = stripped.endswith("*")
        words = _words_of(stripped.removesuffix("*"))
        if not words:
            return
        letters = "".join(words)
        node = self._unspaced if any(map(_is_unspaced, letters)) else self._spaced
        for position, word in enumerate(words):
            for letter in word:
                node = node.children.setdefault(letter, _Node())
            node.word_end |= position < len(words) - 1
        node.entries.append(_Entry(index, len(letters), prefix))


def _fold(text: str) -> Iterator[str]:
    """Lower-case characters without accents and invisible ones; katakana as hiragana."""
    for character in unicodedata.normalize("NFKC", text).casefold():
        if character in INVISIBLE:
            continue
        letter = ONE_LETTER.get(character, character)
        if "ァ" <= letter <= "ヶ":
            yield chr(ord(letter) - 0x60)
        elif "ぁ" <= letter <= "ゖ" or unicodedata.category(letter) == "Lo":
            yield letter
        else:
            for part in unicodedata.normalize("NFKD", letter).casefold():
                if unicodedata.category(part) not in ("Mn", "Me", "Cf", "Cc") or part.isspace():
                    yield from SPELLED_OUT.get(part, part)


def _read(text: str) -> _Text:
    """The characters of a text, and the ends of their runs: linear, read from the end."""
    characters = _characters(text)
    run_ends: list[Mapping[str, int]] = []
    following: Mapping[str, int] = {}
    for at in range(len(characters) - 1, -1, -1):
        following = {letter: following.get(letter, at + 1) for letter in characters[at].readings}
        run_ends.append(following)
    run_ends.reverse()
    return _Text(characters, run_ends)


def _characters(text: str) -> list[_Character]:
    """The folded characters, with at most `MAX_GAP` of a run of separators."""
    characters: list[_Character] = []
    run = 0
    for character in map(_character, _fold(text)):
        separates = not character.readings and not character.is_wildcard
        run = run + 1 if separates else 0
        if run <= MAX_GAP:
            characters.append(character)
        elif character.is_space:
            characters[-1] = character
    return characters


@lru_cache(maxsize=4096)
def _character(letter: str) -> _Character:
    filler = letter in _KANA_FILLERS
    own = letter if letter.isalnum() and not filler else ""
    return _Character(
        text=letter,
        readings=own + READINGS.get(letter, ""),
        is_letter=letter.isalpha() and not filler,
        is_real=letter.isalpha() or letter == "@",
        is_word=letter.isalnum() and not filler,
        is_space=letter.isspace(),
        is_wildcard=letter in _WILDCARDS,
    )


def _words_of(entry: str) -> list[str]:
    """The words of an entry, folded; a sign for a letter is read as its first letter."""
    words: list[str] = [""]
    for letter in _fold(entry):
        if letter in _KANA_FILLERS:
            continue
        if letter.isalnum():
            words[-1] += letter
        elif letter in READINGS:
            words[-1] += READINGS[letter][0]
        elif words[-1]:
            words.append("")
    return [word for word in words if word]


def _is_unspaced(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith(_UNSPACED)


def _starts_word(characters: Sequence[_Character], start: int) -> bool:
    if not characters[start].readings:
        return False
    return start == 0 or not characters[start - 1].is_letter or not characters[start].is_word


def _ends_word(characters: Sequence[_Character], end: int) -> bool:
    return end == len(characters) or not characters[end].is_letter


def _follow(text: _Text, start: int, root: _Node, *, bounded: bool) -> tuple[int, int]:
    """The lowest index of an entry that begins at `start`, and the number of steps taken."""
    best, steps = 1 << 30, 0
    seen: set[tuple[int, int, int, int]] = set()
    states = [_State(root, start, start, 0, 0, 0)]
    while states:
        state = states.pop()
        key = (id(state.node), state.at, state.wildcards, state.split)
        if key in seen:
            continue
        seen.add(key)
        for following in _next(text, state, bounded=bounded):
            steps += 1
            best = min(best, _entry_at(text.characters, start, following, best, bounded=bounded))
            states.append(following)
    return best, steps


def _entry_at(
    characters: Sequence[_Character], start: int, state: _State, best: int, *, bounded: bool
) -> int:
    """The lowest index of an entry that ends in this state."""
    for entry in state.node.entries:
        if entry.index >= best or not state.real:
            continue
        readable = state.wildcards == 0 or (
            entry.letters >= 3 and state.wildcards * 2 <= entry.letters
        )
        prefix = entry.prefix and state.split < 0
        ended = not bounded or prefix or _ends_word(characters, state.at)
        if readable and ended and not (bounded and _is_other(characters, start, state, entry)):
            best = entry.index
    return best


def _is_other(characters: Sequence[_Character], start: int, state: _State, entry: _Entry) -> bool:
    """Whether a match is a part of another word, or of ordinary words."""
    if state.split >= 0:
        return entry.letters < SPLIT_LETTERS or not _is_split_word(characters, start, state)
    further = _is_spelled_further(characters, start, state.at, prefix=entry.prefix)
    return further or _is_contraction(characters, start, state.at)


def _is_split_word(characters: Sequence[_Character], start: int, state: _State) -> bool:
    """Whether the match is one word with a space in it, and nothing else hides it."""
    if state.wildcards or state.real != state.read:
        return False
    beside = (*characters[max(0, start - 1) : start], *characters[state.at : state.at + 1])
    parts = characters[start : state.split], characters[state.split + 1 : state.at]
    if any(one.text in _JOINERS for one in beside):
        return False
    if not all(one.is_word for part in parts for one in part):
        return False
    return not all("".join(one.text for one in part) in ORDINARY for part in parts)


def _is_spelled_further(
    characters: Sequence[_Character], start: int, end: int, *, prefix: bool
) -> bool:
    """Whether a match of single letters is a part of a longer word, as "c u m" of "c u m u l u s".

    The letters beside it count where the separator is the same, and they are no words themselves.
    Behind the beginning of a word, a `prefix`, any letter may follow.
    """
    if (first := _gap(characters, start, 1)) and _continues(characters, start, first, -1):
        return True
    last = "" if prefix else _gap(characters, end - 1, -1)
    return bool(last) and _continues(characters, end - 1, last, 1)


def _continues(characters: Sequence[_Character], at: int, gap: str, step: int) -> bool:
    """Whether another single letter is beyond an equal gap, and is no word of one letter."""
    other = at + step * (len(gap) + 1)
    if _gap(characters, at, step) != gap or not characters[other].is_letter:
        return False
    if not _is_single(characters, other, step):
        return False
    if characters[other].text not in ONE_LETTER_WORDS:
        return True
    beyond = _gap(characters, other, step)
    if not beyond:
        return step > 0  # at the border of the text
    return _is_single(characters, other + step * (len(beyond) + 1), step)


def _is_single(characters: Sequence[_Character], at: int, step: int) -> bool:
    """Whether no letter or digit follows directly in this direction."""
    return not (0 <= at + step < len(characters) and characters[at + step].is_word)


def _gap(characters: Sequence[_Character], at: int, step: int) -> str:
    """The separators beside a character, up to the next letter or digit; "" where it is beside."""
    gap = ""
    for other in range(at + step, at + step * (MAX_GAP + 2), step):
        if not 0 <= other < len(characters):
            return ""
        if characters[other].is_word:
            return gap
        gap += characters[other].text
    return ""


def _is_contraction(characters: Sequence[_Character], start: int, end: int) -> bool:
    """Whether the only sign in a match is the apostrophe of "he'll"."""
    signs = [at for at in range(start, end) if not characters[at].is_word]
    if len(signs) != 1 or characters[signs[0]].text not in _APOSTROPHES:
        return False
    return "".join(one.text for one in characters[signs[0] + 1 : end]) in CONTRACTIONS


def _next(text: _Text, state: _State, *, bounded: bool) -> Iterator[_State]:
    """The states after one more letter, with or without a gap before it."""
    characters = text.characters
    at_start = not state.read
    end = min(len(characters), state.at + (1 if at_start else MAX_GAP + 1))
    spaced = False
    for at in range(state.at, end):
        character = characters[at]
        crosses = spaced and bounded and not state.node.word_end
        if not crosses or _is_spelled(characters, state.last, at):
            yield from _readings(text, state, at)
        elif state.split < 0 and at == state.at + 1:
            yield from _readings(text, replace(state, split=state.at), at)
        if character.is_wildcard and not at_start and state.wildcards < 3:
            for child in state.node.children.values():
                yield _State(
                    child, at + 1, at, state.wildcards + 1, state.read + 1, state.real, state.split
                )
        if character.is_word:
            return
        spaced = spaced or character.is_space


def _is_spelled(characters: Sequence[_Character], last: int, at: int) -> bool:
    """Whether two letters with a space between them stand alone, as in "g u n"."""
    before = last == 0 or not characters[last - 1].is_word
    after = at + 1 >= len(characters) or not characters[at + 1].is_word
    return before and after


def _readings(text: _Text, state: _State, at: int) -> Iterator[_State]:
    """The states after reading the character at `at`, once or with its repetitions."""
    character = text.characters[at]
    for letter in character.readings:
        child = state.node.children.get(letter)
        if child is None:
            continue
        real = state.real + character.is_real
        wildcards, read, split = state.wildcards, state.read + 1, state.split
        yield _State(child, at + 1, at, wildcards, read, real, split)
        end = text.run_ends[at][letter]
        if end - at >= 3 or (end - at == 2 and letter in _DOUBLED):
            yield _State(child, end, end - 1, wildcards, read, real, split)
