"""Messages written by hand, and how each is understood; `data/prompts.txt` explains its format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from bots.core import commands
from bots.core.command_parser import parse_about, parse_in_channel
from bots.core.commands import BadCommand, Command, Imagine, Reroll
from bots.core.typed_text import clean_text

FILE = Path(__file__).parent / "data" / "prompts.txt"
PICTURE = UUID(int=7)
REQUIRED = 0.98
_FLAGS = {
    "ar": "aspect",
    "count": "count",
    "seed": "seed",
    "no": "negative",
    "model": "model",
    "strength": "strength",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One message and what it means, in the notation of the data file."""

    language: str
    text: str
    meaning: str


def cases(path: Path = FILE) -> Iterator[Case]:
    """The messages of a file in the format of the list."""
    language = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            language = "fr" if line.startswith("## Français") else "en"
        elif line.strip() and not f"{line} ".startswith("# "):
            typed, _, meaning = line.partition(" ⇒ ")
            text = typed.replace("⏎", "\n")
            yield Case(language, text, meaning or clean_text(text))


def understood(command: Command | BadCommand) -> str:
    """A command in the notation of the data file."""
    if isinstance(command, BadCommand):
        return f"!{command.code}"
    if isinstance(command, commands.Ask):
        return "?"
    if isinstance(command, commands.Queue) and command.cancelling:
        return "@cancel?"
    if isinstance(command, Imagine | Reroll):
        given = {
            name: getattr(command, field)
            for name, field in _FLAGS.items()
            if getattr(command, field) not in (None, "")
        }
        flags = " ".join(f"{name}={_short(value)}" for name, value in given.items())
        words = command.prompt if isinstance(command, Imagine) else "@again"
        return f"{words} | {flags}" if flags else f"{words}"
    name = type(command).__name__.lower()
    return f"@{name}"


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def same(meaning: str, got: str) -> bool:
    """Whether both mean the same; the order of flags doesn't count."""
    words, _, flags = meaning.partition(" | ")
    got_words, _, got_flags = got.partition(" | ")
    return words == got_words and _split(flags) == _split(got_flags)


def _split(flags: str) -> set[str]:
    """The flags of the notation; a negative may hold spaces."""
    marked = f" {flags}"
    for name in _FLAGS:
        marked = marked.replace(f" {name}=", f"\n{name}=")
    return {flag for flag in marked.split("\n") if flag.strip()}


def test_messages_are_understood_as_people_mean_them() -> None:
    rows = [(case, understood(parse_in_channel(case.text))) for case in cases()]
    wrong = [(case, got) for case, got in rows if not same(case.meaning, got)]
    for case, got in rows:
        mark = " " if same(case.meaning, got) else "✗"
        print(f"{mark} {case.language} {case.text!r} → {got!r}")
    for case, got in wrong:
        print(f"WRONG {case.text!r}: meant {case.meaning!r}, understood {got!r}")
    share = 1 - len(wrong) / len(rows)
    print(f"{len(rows) - len(wrong)} of {len(rows)} understood ({share:.1%})")
    french = sum(case.language == "fr" for case, _ in rows)
    assert len(rows) >= 500
    assert french >= 0.45 * len(rows)
    assert share >= REQUIRED


def test_replies_to_a_picture_are_understood_as_people_mean_them() -> None:
    wrong = []
    rows = list(cases(FILE.with_name("replies.txt")))
    for case in rows:
        command = parse_about(case.text, PICTURE)
        got = "edit" if isinstance(command, commands.Edit) else understood(command)
        meant = "edit" if case.meaning == case.text else case.meaning
        if meant != got.partition(" | ")[0]:
            wrong.append((case.text, meant, got))
    print(*(f"WRONG {text!r}: meant {meant!r}, understood {got!r}" for text, meant, got in wrong))
    share = 1 - len(wrong) / len(rows)
    print(f"{len(rows) - len(wrong)} of {len(rows)} replies understood ({share:.1%})")
    assert len(rows) >= 150
    assert share >= REQUIRED
