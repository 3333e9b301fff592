"""What a bot process is made of: nothing heavy on import, and no torch in its lock."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
CHAT = {"discord", "slack_bolt", "slack_sdk", "starlette", "uvicorn", "aiohttp"}
MODELS = {"torch", "diffusers", "transformers", "numpy", "PIL"}
RECORD = {"celery", "sqlalchemy", "psycopg", "alembic", "redis"}


def imported_by(module: str) -> set[str]:
    code = f"import sys, json, {module}; print(json.dumps([*sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


def test_cli_imports_no_heavy_package() -> None:
    assert imported_by("bots.cli") & (CHAT | MODELS | RECORD) == set()


def test_process_tree_imports_no_torch_and_no_chat_sdk() -> None:
    assert imported_by("bots.operator.up") & (CHAT | MODELS) == set()


def locked(name: str) -> dict[str, str]:
    """Each package of a lock with its version line."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    lines = re.findall(r"^[a-z0-9].*$", text, re.M)
    return {line.partition("==")[0] + line.partition(" ; ")[2]: line for line in lines}


@pytest.mark.parametrize("name", ["bots", "worker", "dev"])
def test_locks_are_exact_and_hashed_and_fit_every_torch_build(name: str) -> None:
    lock = locked(name)
    pattern = r"[a-z0-9._-]+==[0-9][\w.]*( ; .+)? \\"  # hashes follow on the next lines
    assert all(re.fullmatch(pattern, line) for line in lock.values())
    assert not [package for package in lock if re.match(r"(nvidia|cuda|triton|torch$)", package)]


def test_bots_lock_has_no_torch() -> None:
    assert not {"torch", "diffusers", "transformers", "numpy", "safetensors"} & set(locked("bots"))
    assert {"discord-py", "slack-bolt", "starlette", "psycopg"} <= set(locked("bots"))


@pytest.mark.parametrize("name", ["bots", "worker"])
def test_every_process_can_open_a_bucket(name: str) -> None:
    assert "s3fs" in locked(name)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert any(line.startswith("s3fs") for line in project["dependencies"]), "in no extra"


def test_torch_is_pinned_to_the_version_of_the_worker_extra() -> None:
    pinned = re.findall(r"^torch==.*$", (ROOT / "requirements" / "torch.txt").read_text(), re.M)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert pinned == [line for line in extras["optional-dependencies"]["worker"] if "torch" in line]


def test_locks_agree_on_versions() -> None:
    versions: dict[str, str] = {}
    for name in ("dev", "worker", "bots"):
        for package, line in locked(name).items():
            assert versions.setdefault(package, line) == line
