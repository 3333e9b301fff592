"""SQL is in `tasks/store` and `tasks/migrations` and nowhere else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
ALLOWED = ("tasks/store/", "tasks/migrations/")
STATEMENT = re.compile(
    r"""\s*(SELECT\s|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|WITH\s+\w+\s+AS\s
    |(CREATE|ALTER|DROP)\s+(TABLE|INDEX|DATABASE|FUNCTION|TRIGGER|SCHEMA)\s|TRUNCATE\s|VACUUM\b
    |LISTEN\s|NOTIFY\s|SET\s+TRANSACTION)""",
    re.VERBOSE,
)


def sql_in(source: str) -> Iterator[int]:
    """The lines of string literals that are SQL, and of imports that build or run it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if STATEMENT.match(node.value):
                yield node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module == "sqlalchemy":
            if {one.name for one in node.names} & {"text", "select", "insert", "update", "delete"}:
                yield node.lineno
        elif isinstance(node, ast.Attribute) and node.attr == "exec_driver_sql":
            yield node.lineno


def test_no_sql_outside_the_store() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for package in ("tasks", "bots")
        for path in (ROOT / package).rglob("*.py")
        if not str(path.relative_to(ROOT)).startswith(ALLOWED)
        for line in sql_in(path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        'x = "SELECT 1"',
        'x = f"""\n  INSERT INTO jobs VALUES ({y})"""',
        "from sqlalchemy import Connection, text",
        'connection.exec_driver_sql("x")',
        'x = "CREATE DATABASE line"',
    ],
)
def test_sql_is_recognised(source: str) -> None:
    assert list(sql_in(source))


def test_plain_text_is_not_sql() -> None:
    assert not list(sql_in('x = "Select a picture, then update it."\nfrom pathlib import Path'))
