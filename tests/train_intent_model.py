"""Trains the model that guesses what a message asks for: `python -m tests.train_intent_model`.

The examples are the hand-written list `prompts.txt`, the phrasings of `phrasings.txt` with words
chosen at random, and the prompts of other tests. Writes `bots/core/intents.json`.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bots.core.intent_model import Intent, IntentModel, features, scale_of
from tests.unit.bots.core.test_prompts_as_people_write_them import cases

ROOT = Path(__file__).parent.parent
WEIGHTS = ROOT / "bots/core/intents.json"
_DATA = ROOT / "tests/unit/bots/core/data"
_PROMPTS = (
    ROOT / "tests/unit/tasks/policy/data/ordinary_prompts.txt",
    ROOT / "imaging/postcard/handwritten_prompts.txt",
    ROOT / "imaging/postcard/starter_candidates.txt",
)
_SEED = 15
_USES = 25
"""How often the words of one phrasing are chosen."""
_PASSES = 12
_RATE = 0.15
_UNIT = 0.1
"""The step that weights are rounded to."""
_SMALLEST = 0.4
"""Features all of whose weights are smaller are left out."""
_LEAST_OFTEN = 3
_PROMPTS_AMONG_MESSAGES = 1.0
"""Added to the bias of a prompt: about two examples in five are prompts, and seven in ten of the
messages that people send. The logarithms of both odds differ by 1.3."""
_SLOT = re.compile(r"<(\w+)>")
_CHOICE = re.compile(r"\(([^()]*)\)")

Example = tuple[str, Intent]


def examples() -> list[Example]:
    """All examples, in a fixed order."""
    written = [(case.text, meant) for case in cases() if (meant := _intent(case.meaning))]
    phrased = list(_phrased((_DATA / "phrasings.txt").read_text(encoding="utf-8")))
    known = {text for text, _intent in (*written, *phrased)}
    flagged = {case.text for case in cases()} - known
    drawn = [(text, Intent.PROMPT) for text in _ordinary() if text not in known | flagged]
    return [*written, *phrased, *drawn]


def data_hash() -> str:
    """The hash of the two files that the model is trained from, which `intents.json` names."""
    files = [(_DATA / name).read_bytes() for name in ("prompts.txt", "phrasings.txt")]
    return hashlib.sha256(b"\0".join(files)).hexdigest()


def _intent(meaning: str) -> Intent | None:
    """The intent of a meaning in the notation of `prompts.txt`; None where flags decide."""
    if meaning.startswith("?"):
        return Intent.CHANGE
    if meaning == "!nothing-to-draw":
        return Intent.TALK
    if meaning.startswith("@"):
        name = meaning[1:].split(" ", maxsplit=1)[0]
        return Intent(name) if name in list(Intent) else None
    return None if meaning.startswith("!") or " | " in meaning else Intent.PROMPT


def _ordinary() -> Iterator[str]:
    """Prompts of other tests; those that are commands or have flags are in `prompts.txt` too."""
    for path in _PROMPTS:
        for line in path.read_text(encoding="utf-8").splitlines():
            text = line.partition(" ⇒ ")[0].strip()
            if text and not text.startswith("#") and "--" not in text:
                yield text


def _phrased(text: str) -> Iterator[Example]:
    """Examples of each phrasing."""
    choice = random.Random(_SEED)
    slots: dict[str, list[str]] = {}
    intent = Intent.PROMPT
    for line in text.splitlines():
        if line.startswith("= "):
            name, _, words = line[2:].partition(":")
            slots[name] = [word.strip() for word in words.split(",")]
        elif line.startswith("## "):
            intent = Intent(line[3:])
        elif line and not f"{line} ".startswith("# "):
            chosen = {_filled(line, slots, choice) for _ in range(_USES)}
            yield from ((phrase, intent) for phrase in sorted(chosen))


def _filled(line: str, slots: dict[str, list[str]], choice: random.Random) -> str:
    """A phrasing with its words chosen."""
    line = _SLOT.sub(lambda slot: choice.choice(slots[slot[1]]), line)
    while _CHOICE.search(line):
        line = _CHOICE.sub(lambda group: choice.choice(group[1].split("|")), line)
    return " ".join(line.split())


def trained(data: Sequence[Example]) -> tuple[list[str], np.ndarray]:
    """The features, and their weights with the bias as last row: (features + 1, intents).

    Multinomial logistic regression by AdaGrad, one example at a time.
    """
    named = [features(text) for text, _ in data]
    often = Counter(name for names in named for name in sorted(names))
    vocabulary = sorted(name for name, times in often.items() if times >= _LEAST_OFTEN)
    index = {name: at for at, name in enumerate(vocabulary)}
    rows = [np.array(sorted(index[n] for n in names if n in index), dtype=int) for names in named]
    intents = list(Intent)
    wanted = [intents.index(intent) for _, intent in data]
    weights = np.zeros((len(vocabulary) + 1, len(intents)))
    squares = np.full_like(weights, 1e-8)
    order = np.random.default_rng(_SEED)
    for _ in range(_PASSES):
        for at in order.permutation(len(rows)):
            row, scale = rows[at], scale_of(len(rows[at]))
            scores = weights[row].sum(0) * scale + weights[-1]
            error = np.exp(scores - scores.max())
            error /= error.sum()
            error[wanted[at]] -= 1
            squares[row] += (error * scale) ** 2
            squares[-1] += error**2
            weights[row] -= _RATE * (error * scale) / np.sqrt(squares[row]) + 1e-5 * weights[row]
            weights[-1] -= _RATE * error / np.sqrt(squares[-1])
    return vocabulary, weights


def rounded_weights(data: Sequence[Example]) -> tuple[dict[str, list[int]], list[int], int]:
    """The weights of the features that are kept, the bias, and how many features there were."""
    vocabulary, weights = trained(data)
    weights[-1, list(Intent).index(Intent.PROMPT)] += _PROMPTS_AMONG_MESSAGES
    rounded = np.rint(weights / _UNIT).astype(int)
    kept = {
        name: rounded[at].tolist()
        for at, name in enumerate(vocabulary)
        if np.abs(weights[at]).max() >= _SMALLEST
    }
    return kept, rounded[-1].tolist(), len(vocabulary)


def model_of(data: Sequence[Example]) -> IntentModel:
    """The model that is trained from examples."""
    kept, bias, _ = rounded_weights(data)
    scaled = {name: tuple(value * _UNIT for value in row) for name, row in kept.items()}
    return IntentModel(tuple(value * _UNIT for value in bias), scaled)


def write() -> None:
    """Train, and write the weights."""
    data = examples()
    kept, bias, features_before = rounded_weights(data)
    head = {"data": data_hash(), "unit": _UNIT, "bias": bias}
    lines = ",\n".join(
        f"{json.dumps(name, ensure_ascii=False)}:{json.dumps(' '.join(map(str, row)))}"
        for name, row in kept.items()
    )
    start = json.dumps(head)[:-1]
    WEIGHTS.write_text(f'{start}, "weights": {{\n{lines}\n}}}}\n', encoding="utf-8")
    print(f"{len(data)} examples, {len(kept)} of {features_before} features kept")


if __name__ == "__main__":
    write()
