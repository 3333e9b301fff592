"""Documents: every relative link leads to a file, and generated pages are up to date."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
TEST_IN_CODE = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
PATH_IN_CODE = re.compile(r"`((?:bots|tasks|imaging|tests|docs|docker)/[\w./-]+\.\w+)`")


def documents() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.split()]


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_lead_to_files(document: Path) -> None:
    targets = LINK.findall(document.read_text(encoding="utf-8"))
    dead = [
        target
        for target in targets
        if "://" not in target
        and not target.startswith("mailto:")
        and not (document.parent / target).exists()
    ]
    assert dead == []


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_paths_in_code_spans_exist(document: Path) -> None:
    if document.name == "CHANGELOG.md":
        pytest.skip("the changelog names files of older versions")
    paths = PATH_IN_CODE.findall(document.read_text(encoding="utf-8"))
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_tests_named_in_documents_exist() -> None:
    named = {
        match for document in documents() for match in TEST_IN_CODE.findall(document.read_text())
    }
    assert named
    missing = [
        f"{path}::{name}"
        for path, name in sorted(named)
        if not (ROOT / path).exists()
        or not re.search(rf"^(?:async )?def {name}\(", (ROOT / path).read_text(), re.M)
    ]
    assert missing == []


LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def logged_events() -> dict[str, str]:
    """Every literal event name that the code logs, with a file that logs it."""
    found: dict[str, str] = {}
    for package in ("bots", "tasks", "imaging"):
        for file in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                match node:
                    case ast.Call(
                        func=ast.Attribute(attr=level, value=logger),
                        args=[ast.Constant(value=str(event)), *_],
                    ) if level in LEVELS and "log" in ast.unparse(logger):
                        found[event] = str(file.relative_to(ROOT))
    return found


def listed_events() -> set[str]:
    """Every event name in the tables for operators."""
    pages = (ROOT / "docs" / "log-events").glob("*.md")
    return {name for page in pages for name in re.findall(r"^\| `([^`]+)`", page.read_text(), re.M)}


def test_log_events_are_kebab_case() -> None:
    assert [e for e in logged_events() if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", e)] == []


def test_every_log_event_is_listed_for_operators() -> None:
    listed = listed_events()
    assert {event: file for event, file in logged_events().items() if event not in listed} == {}


def test_every_listed_log_event_exists() -> None:
    assert listed_events() - set(logged_events()) == set()


@pytest.mark.parametrize("script", ["generate_diagrams.py", "generate_model_tables.py"])
def test_generated_pages_are_up_to_date(script: str) -> None:
    done = subprocess.run(
        [sys.executable, f"docs/{script}", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
