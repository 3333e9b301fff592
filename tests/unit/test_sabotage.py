"""The patches of `make sabotage` apply to the code as it is, and name tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tasks.store.sql import FUNCTIONS
from tests.mutation.sabotage import SECURITY, SQL, Collection, Sabotage, patched, sabotages
from tests.mutation.scratch import ROOT, TestsBroken

OF_SQL, OF_PROMISES = sabotages(SQL.folder), sabotages(SECURITY.folder)
ALL = [*OF_SQL, *OF_PROMISES]


@cache
def functions_of(path: str) -> frozenset[str]:
    """The names of a file's functions."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in tree.body if isinstance(node, kinds))


def test_there_are_enough_with_names_of_their_own() -> None:
    assert len(OF_SQL) >= 30
    assert len(OF_PROMISES) >= 200
    assert len({one.name for one in ALL}) == len(ALL)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_patch_applies_once_and_changes_something(one: Sabotage) -> None:
    text = (ROOT / one.path).read_text(encoding="utf-8")
    assert patched(one, text) != text


@pytest.mark.parametrize("one", OF_SQL, ids=lambda one: one.name)
def test_patch_of_sql_is_in_the_store(one: Sabotage) -> None:
    assert one.path.startswith("tasks/store/")


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_named_tests_exist(one: Sabotage) -> None:
    assert one.tests
    for test in one.tests:
        path, _, name = test.partition("::")
        assert name in functions_of(path)


@pytest.mark.parametrize("collection", [SQL, SECURITY], ids=lambda one: one.table.stem)
def test_table_has_every_patch_and_all_were_noticed(collection: Collection) -> None:
    lines = collection.table.read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if "| `" in line]
    assert [row.split("`")[1] for row in rows] == [one.name for one in sabotages(collection.folder)]
    assert all(row.endswith("| noticed |") for row in rows)


def test_every_promise_has_a_fault_that_breaks_it() -> None:
    noticing = {test for one in ALL for test in one.tests}
    lines = (ROOT / "docs" / "security.md").read_text(encoding="utf-8").splitlines()
    tests = {line: set(re.findall(r"`(tests/[\w/]+\.py::\w+)`", line)) for line in lines}
    promises = {line: named for line, named in tests.items() if line.startswith("|") and named}
    assert len(promises) >= 70
    assert [line for line, named in promises.items() if not named & noticing] == []


def test_change_of_the_scratch_database_can_be_undone() -> None:
    assert all(bool(one.execute) == bool(one.undo) for one in ALL)


def test_patch_that_does_not_apply_once_is_an_error() -> None:
    one = Sabotage("name", "topic", "fault", "path.sql", "a", "b", ())
    assert patched(one, "xax") == "xbx"
    for text in ("", "aa"):
        with pytest.raises(TestsBroken, match="path"):
            patched(one, text)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_of_the_database_is_known_by_its_file(name: str) -> None:
    folder = Path("tasks/store/sql")
    function = Sabotage("name", "topic", "fault", str(folder / f"{name}.sql"), "a", "b", ())
    assert function.is_function
    statement = Sabotage("name", "topic", "fault", str(folder / "invite.sql"), "a", "b", ())
    assert not statement.is_function
