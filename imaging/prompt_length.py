"""What of a prompt a model reads: its tokenizer cuts the end of a long one. Pure, no torch.

A folder with CLIP's byte-pair files is counted exactly. For other models the number of tokens is
estimated from the words' lengths.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

END_OF_WORD = "</w>"
SPECIAL_TOKENS = 2
"""The start and the end of a prompt."""
ESTIMATED_BYTES = 6
"""Of a word in UTF-8 that make a token, where the tokenizer is not at hand."""
MOST_TOKENS = 100_000
"""A larger `model_max_length` means that there is no limit."""
_CONTRACTIONS = ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d")


@dataclass(frozen=True, slots=True)
class PromptLimit:
    """How many tokens a model reads, the special ones included; `merges` rank byte pairs."""

    tokens: int
    merges: Mapping[tuple[str, str], int] | None = None

    def unread(self, prompt: str) -> str:
        """The end of the prompt that is not read, from its first word that is cut; else ""."""
        prompt = _without_dotted_capital(prompt)
        left = self.tokens - SPECIAL_TOKENS
        for start, end in _pieces(prompt):
            left -= self._count(prompt[start:end])
            if left < 0:
                return prompt[_word_start(prompt, start) :]
        return ""

    def count(self, prompt: str) -> int:
        """The tokens of a prompt, without the special ones."""
        prompt = _without_dotted_capital(prompt)
        return sum(self._count(prompt[start:end]) for start, end in _pieces(prompt))

    def _count(self, piece: str) -> int:
        text = unicodedata.normalize("NFC", piece).lower()
        if self.merges is None:
            return -(-len(text.encode()) // ESTIMATED_BYTES)
        return _byte_pairs(text, self.merges)


def folder_limit(folder: Path) -> PromptLimit | None:
    """The largest limit of a model folder's tokenizers; None where none tells one.

    A model with two of them reads what either reads.
    """
    names = ("tokenizer", "tokenizer_2", "tokenizer_3")
    limits = [_read(folder / name) for name in names if (folder / name).is_dir()]
    found = [limit for limit in limits if limit is not None]
    if not found or len(found) < len(limits):
        return None
    return max(found, key=lambda limit: limit.tokens)


@lru_cache(maxsize=16)
def _read(folder: Path) -> PromptLimit | None:
    try:
        config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
        tokens = int(config["model_max_length"])
        if tokens > MOST_TOKENS:
            return None
        if not str(config.get("tokenizer_class", "")).startswith("CLIPTokenizer"):
            return PromptLimit(tokens)
        lines = (folder / "merges.txt").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    pairs = [tuple(line.split()) for line in lines if line and not line.startswith("#version")]
    return PromptLimit(tokens, {(p[0], p[1]): rank for rank, p in enumerate(pairs) if len(p) == 2})


def _without_dotted_capital(text: str) -> str:
    """The text with its only kind of letter that becomes two characters in lower case replaced."""
    return text.replace("İ", "İ".lower())


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """The spans that CLIP splits a prompt into: letters, single digits, signs, contractions."""
    place = 0
    while place < len(text):
        contraction = next(
            (each for each in _CONTRACTIONS if text[place : place + 3].lower().startswith(each)), ""
        )
        kind = _kind(text[place])
        end = place + max(1, len(contraction))
        if not contraction and kind in "LS":
            while end < len(text) and _kind(text[end]) == kind:
                end += 1
        if kind != " ":
            yield place, end
        place = end


def _kind(character: str) -> str:
    """L for a letter, N for a digit, a space, or S for any other sign."""
    if character.isspace():
        return " "
    category = unicodedata.category(character)[0]
    return category if category in "LN" else "S"


def _word_start(text: str, at: int) -> int:
    """Where the word that a piece belongs to begins."""
    while at > 0 and not text[at - 1].isspace():
        at -= 1
    return at


def _byte_pairs(text: str, ranks: Mapping[tuple[str, str], int]) -> int:
    """The number of tokens that byte-pair encoding makes of one piece."""
    letters = _byte_letters()
    parts = [letters[byte] for byte in text.encode()]
    parts[-1] += END_OF_WORD
    while len(parts) > 1:
        best = min(pairwise(parts), key=lambda pair: ranks.get(pair, len(ranks)))
        if best not in ranks:
            break
        merged: list[str] = []
        for part in parts:
            if merged and (merged[-1], part) == best:
                merged[-1] += part
            else:
                merged.append(part)
        parts = merged
    return len(parts)


@lru_cache(maxsize=1)
def _byte_letters() -> list[str]:
    """A visible character for each byte, as GPT-2's and CLIP's byte-pair encoding use them."""
    shown = {*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    spare = iter(range(256, 512))
    return [chr(byte) if byte in shown else chr(next(spare)) for byte in range(256)]
