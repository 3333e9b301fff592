"""What the suites share: real servers and a real studio, started once a session.

- `servers`: Postgres and Valkey (see `tests.stack.Servers`), for tests without a worker.
- `database_url`: a fresh, migrated database in those servers, for one test.
- `studio`: a whole `atelier up` (see `tests.stack.Studio`), shared by the session. Do not hurt it:
  tests that kill processes start one of their own with `new_studio`.
- `new_studio`: makes studios for one test, `new_studio(ATELIER_DISCORD_TOKEN="…").start()`.
- `chromium`: the path of a Chromium; without one the test skips, but in CI it fails.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.stack import Servers, Studio, running_servers


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Postgres and Valkey, for the whole session."""
    with running_servers(tmp_path_factory.mktemp("servers")) as running:
        yield running


@pytest.fixture
def database_url(servers: Servers) -> Iterator[str]:
    """A fresh database in this version's shape."""
    with servers.database() as url:
        yield url


@pytest.fixture(scope="session")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A whole running studio, for the whole session."""
    running = Studio(tmp_path_factory.mktemp("studio"))
    try:
        yield running.start()
    finally:
        running.clean_up()


@pytest.fixture
def new_studio(tmp_path: Path) -> Iterator[Callable[..., Studio]]:
    """Makes studios on homes of their own, with environment variables as keywords."""
    made: list[Studio] = []

    def make(**environment: str) -> Studio:
        made.append(Studio(tmp_path / f"home{len(made)}", environment))
        return made[-1]

    yield make
    for one in made:
        one.clean_up()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium. CI installs one, so there its absence is a failure."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        message = "no chromium on PATH; install it to run the browser tests"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found
