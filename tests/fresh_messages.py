"""How messages that were written without a look at the parser are understood.

`python -m tests.fresh_messages FILE` reads a file in the format of
`tests/unit/bots/core/data/prompts.txt` and prints what was misunderstood, and the share that was
right. ADR 16 has the share of each round, taken before the round was looked at. With `--table` it
prints every message with how it is understood and without its meaning, for a second reader.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bots.core.command_parser import parse_in_channel
from tests.unit.bots.core.test_prompts_as_people_write_them import cases, same, understood


def report(path: Path) -> None:
    """Print what of a file's messages was misunderstood."""
    rows = [(case, understood(parse_in_channel(case.text))) for case in cases(path)]
    wrong = [(case, got) for case, got in rows if not same(case.meaning, got)]
    for case, got in wrong:
        print(f"{case.language} {case.text!r}: meant {case.meaning!r}, understood {got!r}")
    print(f"{len(rows) - len(wrong)} of {len(rows)} ({1 - len(wrong) / len(rows):.1%})")


def table(path: Path) -> None:
    """Print how each of a file's messages is understood."""
    for number, case in enumerate(cases(path), 1):
        print(f"{number}\t{case.text!r}\t{understood(parse_in_channel(case.text))!r}")


def main() -> None:
    """Print the report or the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--table", action="store_true", help="every message, without its meaning")
    arguments = parser.parse_args()
    (table if arguments.table else report)(arguments.file)


if __name__ == "__main__":
    main()
