"""Guesses what a message asks for, where no rule knows it: a prompt, a change, or a command. Pure.

A linear classifier over the words, word groups and word parts of a short message, trained by
`python -m tests.train_intent_model` on hand-written examples. Its weights are `intents.json`.
The rules of the parser come first; see ADR 16.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from bots.core.chat_spelling import spelled_out
from bots.core.typed_text import clean_text, view_of

MAX_GUESSED = 120
"""Characters of the longest message that is guessed at: longer ones are prompts."""


class Intent(StrEnum):
    """What a message asks for."""

    PROMPT = "prompt"
    CHANGE = "change"
    HELP = "help"
    QUEUE = "queue"
    QUOTA = "quota"
    HISTORY = "history"
    CANCEL = "cancel"
    UNDO = "undo"
    SETTINGS = "settings"
    AGAIN = "again"
    TALK = "talk"


TOLD = (Intent.QUEUE, Intent.QUOTA, Intent.HISTORY, Intent.HELP, Intent.TALK)
"""Intents that are only answered: nothing is drawn, changed or ended."""


@dataclass(frozen=True, slots=True)
class Guess:
    """The likeliest intent of a message, and how likely the model holds it, from 0 to 1.

    `of_a_picture` is how likely the message is a prompt or a change, and `told` the likeliest
    intent that is only answered.
    """

    intent: Intent
    probability: float
    of_a_picture: float = 1.0
    told: Intent = Intent.TALK


@dataclass(frozen=True, slots=True)
class IntentModel:
    """The weights of each feature, and of none, for each intent in the order of `Intent`."""

    bias: Sequence[float]
    weights: Mapping[str, Sequence[float]]

    def guess(self, text: str) -> Guess:
        """The likeliest intent of a message."""
        known = [self.weights[name] for name in features(text) if name in self.weights]
        scale = scale_of(len(known))
        totals = (
            (sum(column) for column in zip(*known, strict=True))
            if known
            else (0.0,) * len(self.bias)
        )
        scores = [base + scale * total for base, total in zip(self.bias, totals, strict=True)]
        highest = max(scores)
        shares = {i: math.exp(score - highest) for i, score in zip(Intent, scores, strict=True)}
        best = max(shares, key=shares.__getitem__)
        total = sum(shares.values())
        of_a_picture = (shares[Intent.PROMPT] + shares[Intent.CHANGE]) / total
        told = max(TOLD, key=shares.__getitem__)
        return Guess(best, shares[best] / total, of_a_picture, told)


def scale_of(count: int) -> float:
    """The factor of the sum of this many features, which keeps long messages from being certain."""
    return 3 / math.sqrt(max(count, 1))


def features(text: str) -> frozenset[str]:
    """The names of a message's features."""
    return frozenset(_features(text))


@cache
def intent_model() -> IntentModel:
    """The trained model that comes with the package."""
    stored = json.loads(files("bots.core").joinpath("intents.json").read_text(encoding="utf-8"))
    width, unit = len(Intent), stored["unit"]
    weights = {
        name: tuple(int(value) * unit for value in row.split())
        for name, row in stored["weights"].items()
    }
    if len(stored["bias"]) != width or any(len(row) != width for row in weights.values()):
        raise ValueError(f"intents.json has not {width} weights a feature: train it again")
    return IntentModel(tuple(value * unit for value in stored["bias"]), weights)


_QUOTED = re.compile(r"""(?<!\w)["“”«][^"“”«»]{2,80}["“”»](?!\w)""")
"""What a picture's text or a speaker says: no word of it asks for anything."""
_WORD = re.compile(r"[^\W\d_]+|\d+|[^\w\s]")


def _features(text: str) -> Iterator[str]:
    shown = _QUOTED.sub('" "', text) if not _QUOTED.fullmatch(text.strip()) else text
    folded = unicodedata.normalize("NFKD", view_of(clean_text(shown)).text).casefold()
    letters = "".join(c for c in folded if not unicodedata.combining(c)).replace("’", "'")
    full = spelled_out(letters).replace("'", " ")
    words = ["#" if word.isdigit() else word for word in _WORD.findall(full)]
    yield f"length {min(len(words) // 2, 8)}"
    if text.rstrip().endswith("?"):
        yield "question"
    for word in words:
        marked = f"<{word}>"
        yield from (f"~{marked[at : at + 4]}" for at in range(len(marked) - 3))
    bounded = ["^", *words, "$"]
    for at, word in enumerate(bounded):
        yield word
        yield " ".join(bounded[at : at + 2])
        if at + 2 < len(bounded):
            yield " ".join(bounded[at : at + 3])
