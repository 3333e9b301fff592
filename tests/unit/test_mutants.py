"""Samples of mutants are reproducible and of code; equivalent mutants are of lines that exist."""

from __future__ import annotations

from tests.mutation.mutants import Module, equivalent, modules, sample
from tests.mutation.scratch import ROOT

MODULE = Module("half", "half.py", ())
SOURCE = """
import socket

def half(number: int | None) -> int | None:
    try:
        return number // 2 if number else None
    except (socket.herror, OSError):
        return 0
"""


def test_sample_is_reproducible_and_has_its_size() -> None:
    whole = sample(MODULE, SOURCE, 1, 100)
    assert len(set(whole)) == len(whole) > 5
    assert sample(MODULE, SOURCE, 1, 5) == whole[:5]
    other = sample(MODULE, SOURCE, 2, 100)
    assert other != whole
    assert {mutant.becomes for mutant in other} == {mutant.becomes for mutant in whole}


def test_mutants_change_code_and_name_their_line() -> None:
    """Annotations and imports stay; cosmic-ray cannot replace an exception with a dot."""
    found = sample(MODULE, SOURCE, 1, 100)
    assert {mutant.line for mutant in found} == {6, 7, 8}
    changed = {(mutant.was, mutant.becomes) for mutant in found if mutant.line > 6}
    assert changed == {
        ("except (socket.herror, OSError):", "except (socket.herror, CosmicRayTestingException):"),
        ("return 0", "return 1"),
        ("return 0", "return -1"),
    }


def test_equivalent_mutants_are_of_lines_that_exist() -> None:
    lines = {
        module.name: {line.strip() for line in module.source(ROOT).splitlines()}
        for module in modules()
    }
    for module, line, changed in equivalent():
        assert line in lines[module]
        assert changed != line
