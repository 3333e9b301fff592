"""What a bot process is made of: nothing heavy on import, and no torch in its lock."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CHAT = {"discord", "slack_bolt", "slack_sdk", "starlette", "uvicorn", "aiohttp"}
MODELS = {"torch", "diffusers", "transformers", "numpy", "PIL"}
RECORD = {"celery", "sqlalchemy", "psycopg", "alembic", "redis"}


def imported_by(module: str) -> set[str]:
    code = f"import sys, json, {module}; print(json.dumps([*sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


def test_the_command_line_imports_nothing_heavy() -> None:
    assert imported_by("bots.cli") & (CHAT | MODELS | RECORD) == set()


def test_the_tree_itself_needs_no_torch_and_no_chat() -> None:
    assert imported_by("bots.operator.up") & (CHAT | MODELS) == set()


def locked(name: str) -> dict[str, str]:
    lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
    return {line.partition("==")[0]: line for line in lines if line and not line.startswith("#")}


@pytest.mark.parametrize("name", ["bots", "worker", "dev"])
def test_locks_are_exact_and_fit_every_build_of_torch(name: str) -> None:
    lock = locked(name)
    assert all(re.fullmatch(r"[a-z0-9._-]+==[0-9][\w.]*( ; .+)?", line) for line in lock.values())
    assert not [package for package in lock if re.match(r"(nvidia|cuda|triton)", package)]


def test_bots_are_installed_without_torch() -> None:
    assert not {"torch", "diffusers", "transformers", "numpy", "safetensors"} & set(locked("bots"))
    assert {"discord-py", "slack-bolt", "starlette", "psycopg"} <= set(locked("bots"))


def test_the_worker_has_the_pinned_torch() -> None:
    assert locked("worker")["torch"] == "torch==2.13.0"


def test_the_locks_agree() -> None:
    versions: dict[str, str] = {}
    for name in ("dev", "worker", "bots"):
        for package, line in locked(name).items():
            assert versions.setdefault(package, line) == line
