"""Postcard's tokenizer: a small byte-level BPE vocabulary in the file format of `CLIPTokenizer`.

Each word of the caption grammar is one token. Other text falls back to shorter pieces and finally
to single bytes, so every prompt can be encoded.
"""

import json
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from transformers import CLIPTokenizer

END_OF_WORD = "</w>"
START = "<|startoftext|>"
END = "<|endoftext|>"


def byte_letters() -> dict[int, str]:
    """The printable character that stands for each of the 256 bytes in byte-level BPE files.

    Printable Latin-1 characters stand for themselves; other bytes are mapped to code points from
    256 on. The file format defines this table.
    """
    kept = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    moved = [byte for byte in range(256) if byte not in kept]
    table = {byte: chr(byte) for byte in kept}
    table.update({byte: chr(256 + place) for place, byte in enumerate(moved)})
    return table


def _pieces(word: str, letters: dict[int, str]) -> tuple[str, ...]:
    spelled = [letters[byte] for byte in word.encode()]
    return (*spelled[:-1], spelled[-1] + END_OF_WORD)


def _join(pieces: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    joined: list[str] = []
    for piece in pieces:
        if joined and (joined[-1], piece) == pair:
            joined[-1] += piece
        else:
            joined.append(piece)
    return tuple(joined)


def learn_merges(words: Iterable[str]) -> list[tuple[str, str]]:
    """The byte-pair merges, in order, that make each of `words` a single token.

    Each distinct word counts once. Ties are broken alphabetically, so the result is deterministic.
    """
    letters = byte_letters()
    spelled = [_pieces(word, letters) for word in sorted(set(words))]
    merges: list[tuple[str, str]] = []
    while True:
        pairs = Counter(pair for word in spelled for pair in pairwise(word))
        if not pairs:
            return merges
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        spelled = [_join(word, best) for word in spelled]


def write_tokenizer(folder: Path, words: Iterable[str], length: int) -> None:
    """Write the tokenizer's files for `words` to `folder`. Prompts are truncated to `length`
    tokens, start and end tokens included.
    """
    merges = learn_merges(words)
    letters = [*byte_letters().values()]
    entries = [
        *letters,
        *(letter + END_OF_WORD for letter in letters),
        *("".join(pair) for pair in merges),
    ]
    # Different merges can produce the same piece; the vocabulary lists it once.
    entries = [*dict.fromkeys(entries), START, END]
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {entry: place for place, entry in enumerate(entries)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
    settings = {
        "tokenizer_class": "CLIPTokenizer",
        "model_max_length": length,
        "do_lower_case": True,
        **special,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2), encoding="utf-8")
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2), encoding="utf-8")


def load_tokenizer(folder: Path) -> CLIPTokenizer:
    """Load the files of `write_tokenizer`."""
    return CLIPTokenizer.from_pretrained(str(folder))
