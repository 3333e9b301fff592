"""The words that a model knows, where it publishes them. Imports no torch.

A `vocabulary.json` beside a model's `model_index.json` holds `things`, the number of things that
the model can draw, and `words`: language → category → words in lower case. A word in the categories
"things", "colours", "grounds" or "times" says what to draw; the others hold a prompt together.
`examples` may hold prompts by language that the model draws well.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from imaging.errors import ModelUnavailable

FILE = "vocabulary.json"
SUBJECTS = "things"
CONTENT = frozenset({SUBJECTS, "colours", "grounds", "times"})
WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Known words, in lower case and without accents.

    `things` counts what the model can draw, `subjects` are the words for it, `content` all words
    that say what to draw, `known` all words. `examples` are prompts by language.
    """

    things: int
    subjects: frozenset[str]
    content: frozenset[str]
    known: frozenset[str]
    examples: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def unknown_words(self, prompt: str) -> list[str]:
        """The words of a prompt that the model doesn't know in any language, each once, as typed.

        Capitals and accents make no difference.
        """
        found: dict[str, str] = {}
        for word in prompt_words(prompt):
            if without_accents(word.lower()) not in self.known:
                found.setdefault(word.lower(), word)
        return list(found.values())

    def names_nothing(self, prompt: str) -> bool:
        """Whether no word of the prompt says what to draw. Such a prompt gives a random picture."""
        return not self._has(prompt, self.content)

    def names_a_thing(self, prompt: str) -> bool:
        """Whether a word of the prompt is a thing that the model can draw."""
        return self._has(prompt, self.subjects)

    @staticmethod
    def _has(prompt: str, words: frozenset[str]) -> bool:
        return any(without_accents(word.lower()) in words for word in prompt_words(prompt))


def read_vocabulary(folder: Path, name: str) -> Vocabulary | None:
    """The vocabulary of a model folder; None where it publishes none.

    Raises ModelUnavailable for a file that cannot be read.
    """
    file = folder / FILE
    if not file.is_file():
        return None
    from pydantic import ValidationError

    from imaging.model_overrides import PublishedVocabulary

    try:
        published = PublishedVocabulary.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        raise ModelUnavailable(f"{file} cannot be read: {error}.", model=name) from error
    found = vocabulary_of(published.things, published.words)
    return replace(found, examples=published.examples)


def vocabulary_of(things: int, published: Mapping[str, Mapping[str, Iterable[str]]]) -> Vocabulary:
    """The vocabulary of published words: language → category → words."""

    def words(categories: Iterable[str] | None = None) -> frozenset[str]:
        return frozenset(
            without_accents(word)
            for by_category in published.values()
            for category, members in by_category.items()
            if categories is None or category in categories
            for word in members
        )

    return Vocabulary(things, words({SUBJECTS}), words(CONTENT), words())


def prompt_words(prompt: str) -> list[str]:
    """The words and numbers of a prompt, as typed, without punctuation and emoji."""
    return WORD.findall(prompt)


def without_accents(text: str) -> str:
    """The text in plain letters."""
    bare = unicodedata.normalize("NFD", text)
    return "".join(c for c in bare if not unicodedata.combining(c)).replace("œ", "oe")
