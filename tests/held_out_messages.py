"""How messages are understood by rules and a model that was trained without them.

`python -m tests.held_out_messages` trains the intent model four times (some minutes), each time
without a quarter of the rounds of `prompts.txt`, and prints how many messages of those rounds are
misunderstood, by how likely a command must be. The rules were written with the messages in view,
so this chooses the thresholds of `bots/core/command_parser.py`, and says nothing of fresh messages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from unittest.mock import patch

from bots.core import command_parser
from bots.core.intent_model import Guess, Intent, IntentModel
from tests.train_intent_model import Example, examples, model_of
from tests.unit.bots.core.test_prompts_as_people_write_them import FILE, cases, same, understood

_PARTS = 4
_THRESHOLDS = (0.4, 0.5, 0.6, 0.7, 0.8)


@dataclass(frozen=True, slots=True)
class _Known:
    """A model whose guesses are known beforehand; any other text is a prompt."""

    guesses: Mapping[str, Guess]

    def guess(self, text: str) -> Guess:
        return self.guesses.get(text, Guess(Intent.PROMPT, 1.0))


def parts() -> dict[str, int]:
    """The part of each message of the list; an English round and the French one are together."""
    found: dict[str, int] = {}
    section = 0
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section += 1
        elif line.strip() and not f"{line} ".startswith("# "):
            text = line.partition(" ⇒ ")[0].replace("⏎", "\n")
            found.setdefault(text, (section - 1) // 2 % _PARTS)
    return found


def guesses(data: Sequence[Example], part_of: Mapping[str, int]) -> dict[str, Guess]:
    """What is guessed of each message by the model that was trained without its part."""
    found: dict[str, Guess] = {}
    for part in range(_PARTS):
        model: IntentModel = model_of([e for e in data if part_of.get(e[0]) != part])
        held_out = (text for text, _ in data if part_of.get(text) == part)
        found |= {text: model.guess(text) for text in held_out}
    return found


def kind_of(meaning: str, got: str) -> str:
    """What a misunderstanding costs."""
    was_prompt, is_prompt = (not words.startswith(("?", "@", "!")) for words in (meaning, got))
    if got in {"@cancel", "@undo"}:
        return "cancelled or undone"
    if is_prompt and not was_prompt:
        return "drawn"
    return "prompt not drawn" if was_prompt else "other"


def main() -> None:
    """Print the misunderstood messages by threshold."""
    known = guesses(examples(), parts())
    held_out = [case for case in cases() if case.text in known]
    print(f"{len(held_out)} messages")
    with patch.object(command_parser, "intent_model", lambda: _Known(known)):
        for least in _THRESHOLDS:
            with patch.object(command_parser, "_LIKELY_ANY", least):
                rows = [
                    (c.meaning, understood(command_parser.parse_in_channel(c.text)))
                    for c in held_out
                ]
            wrong = Counter(kind_of(*row) for row in rows if not same(*row))
            print(f"{least}: {wrong.total()} wrong", dict(sorted(wrong.items())))


if __name__ == "__main__":
    main()
