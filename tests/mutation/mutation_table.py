"""The page `docs/operations/mutation-testing.md`: written by `make mutants`, checked by a test."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date

GOAL = 0.9

INTRODUCTION = """\
# Mutation testing

`make mutants` changes one operator, number or condition of a module at a time and runs the unit
tests that are named beside it in `tests/mutation/modules.toml`. A mutant that no test notices is a
fault that would pass. This table is written by `make mutants ARGS="--table"`: for each module and
seed a random sample of mutants, how many behave like the original (`equivalent.toml` says why), and
how many of the others were noticed. At least nine in ten must be. Modules of `modules.toml` without
a row have not been tried yet.

`tests/unit/test_mutation_table.py` fails where a score is below the goal, a module is gone, or the
table is older than the last release."""


@dataclass(frozen=True, slots=True)
class Row:
    """How many mutants of a module in one sample were tried, are equivalent, and survived."""

    module: str
    path: str
    seed: int
    tried: int
    equivalent: int
    survived: int

    @property
    def score(self) -> float:
        """Share of noticed mutants among those that are not equivalent."""
        counted = self.tried - self.equivalent
        return 1 - self.survived / counted if counted else 1.0

    @property
    def noticed(self) -> int:
        """How many mutants the tests noticed."""
        return self.tried - self.equivalent - self.survived

    @property
    def reaches_goal(self) -> bool:
        """Whether enough mutants were noticed."""
        return self.score >= GOAL

    def __str__(self) -> str:
        return (
            f"{self.module:<18} seed {self.seed}: {self.noticed} of "
            f"{self.tried - self.equivalent} noticed, {self.equivalent} equivalent, "
            f"{self.score:.1%}"
        )


def page(rows: Sequence[Row], version: str, day: date) -> str:
    """The page in Markdown, for this version of the code."""
    lines = [
        *INTRODUCTION.splitlines(),
        "",
        f"Version {version}, {day.isoformat()}.",
        "",
        "| module | file | seed | mutants | equivalent | noticed | score |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(
            f"| {row.module} | `{row.path}` | {row.seed} | {row.tried} | {row.equivalent} | "
            f"{row.noticed} | {row.score:.0%} |"
            for row in rows
        ),
    ]
    return "\n".join(lines) + "\n"


def merged(rows: Sequence[Row], kept: Sequence[Row], order: Sequence[str]) -> list[Row]:
    """These rows, and those kept of other modules, in the order of the modules' names."""
    renewed = {row.module for row in rows}
    every = [*rows, *(row for row in kept if row.module not in renewed and row.module in order)]
    return sorted(every, key=lambda row: (order.index(row.module), row.seed))


def version_of(text: str) -> str:
    """The version that a page was written for. Raises ValueError if it has none."""
    found = re.search(r"^Version (\S+), ", text, re.MULTILINE)
    if found is None:
        raise ValueError("The page names no version.")
    return found[1]


def rows_of(text: str) -> list[Row]:
    """The rows of a page."""
    rows = []
    for line in text.splitlines():
        cells = [cell.strip(" `") for cell in line.strip("|").split("|")]
        if len(cells) == len(fields(Row)) + 1 and cells[2].isdigit():
            seed, tried, equivalent, noticed = map(int, cells[2:6])
            survived = tried - equivalent - noticed
            rows.append(Row(cells[0], cells[1], seed, tried, equivalent, survived))
    return rows
