"""The table of mutation scores: its modules exist, reach the goal, and it is not out of date."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path

import pytest

from tests.mutation.mutation_table import Row, merged, page, rows_of, version_of

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "docs" / "operations" / "mutation-testing.md"
MODULES = ROOT / "tests" / "mutation" / "modules.toml"
ROWS = [Row("quota", "tasks/quota.py", 1, 40, 2, 3), Row("quota", "tasks/quota.py", 2, 40, 0, 0)]


def test_page_can_be_read_again() -> None:
    text = page(ROWS, "1.2.0", date(2026, 11, 30))
    assert rows_of(text) == ROWS
    assert version_of(text) == "1.2.0"
    with pytest.raises(ValueError, match="version"):
        version_of("# Mutation testing")


def test_rows_of_other_modules_are_kept() -> None:
    renewed = [Row("quota", "tasks/quota.py", 3, 40, 0, 1)]
    doors = [Row("doors", "tasks/doors.py", seed, 40, 0, 0) for seed in (2, 1)]
    gone = Row("gone", "tasks/gone.py", 1, 40, 0, 0)
    kept = [*ROWS, *doors, gone]
    assert merged(renewed, kept, ["quota", "doors"]) == [*renewed, doors[1], doors[0]]


def test_score_leaves_out_equivalent_mutants() -> None:
    assert ROWS[0].noticed == 35
    assert ROWS[0].score == pytest.approx(35 / 38)
    assert ROWS[0].reaches_goal
    assert not Row("quota", "tasks/quota.py", 1, 40, 0, 5).reaches_goal


def test_every_row_is_of_a_module_and_reaches_the_goal() -> None:
    rows = rows_of(TABLE.read_text(encoding="utf-8"))
    modules = tomllib.loads(MODULES.read_text(encoding="utf-8"))
    assert rows
    for row in rows:
        assert row.path == modules[row.module]["path"], "run make mutants ARGS=--table"
        assert row.reaches_goal, row


def test_table_is_not_older_than_the_last_release() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    releases = re.findall(r"^## \[(\d[^\]]*)\]", changelog, re.MULTILINE)  # the newest first
    earlier = [release for release in releases if release != project["version"]]
    allowed = {project["version"], *earlier[:1]}
    found = version_of(TABLE.read_text(encoding="utf-8"))
    assert found in allowed, "run make mutants ARGS=--table"


def test_tests_of_every_module_exist() -> None:
    modules = tomllib.loads(MODULES.read_text(encoding="utf-8"))
    for module in modules.values():
        assert (ROOT / module["path"]).is_file(), module["path"]
        for test in module["tests"]:
            assert (ROOT / test).exists(), test
