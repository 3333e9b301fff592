"""Fixtures that all suites share: real servers and a real `atelier up`, started once a session.

- `servers`: Postgres and Valkey (see `tests.stack.Servers`), for tests without a worker.
- `database_url`: a fresh, migrated database in those servers, for one test.
- `atelier`: a whole `atelier up` (see `tests.stack.AtelierProcess`), shared by the session. Tests
  that kill processes use `new_atelier` instead.
- `new_atelier`: creates one for a single test: `new_atelier(ATELIER_DISCORD_TOKEN="…").start()`.
- `chromium`: the path of a Chromium; without one the test skips, but in CI it fails.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import Phase, settings

from tests.stack import SHARED_SERVERS, AtelierProcess, Servers, running_servers, servers_at

# Torch's threads wait for each other in loops. Where other processes need the cores too, as in
# tests, that makes a render many times slower. Read when torch is imported; children inherit it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# For `make mutants`: the same examples on each run, and no search for a shorter one.
settings.register_profile(
    "mutation",
    deadline=None,
    max_examples=10,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
)


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Undo `logs.configure`: one-shot commands call it to hide everything but errors."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Postgres and Valkey, for the whole session; those of `SHARED_SERVERS` where it is set."""
    if home := os.environ.get(SHARED_SERVERS):
        yield servers_at(Path(home))
        return
    with running_servers(tmp_path_factory.mktemp("servers")) as running:
        yield running


@pytest.fixture
def database_url(servers: Servers) -> Iterator[str]:
    """A fresh, migrated database."""
    with servers.database() as url:
        yield url


@pytest.fixture(scope="session")
def atelier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtelierProcess]:
    """A running `atelier up`, for the whole session."""
    running = AtelierProcess(tmp_path_factory.mktemp("studio"))
    try:
        yield running.start()
    finally:
        running.clean_up()


@pytest.fixture
def new_atelier(tmp_path: Path) -> Iterator[Callable[..., AtelierProcess]]:
    """Creates `atelier up` processes with their own homes; keywords are environment variables."""
    made: list[AtelierProcess] = []

    def make(**environment: str) -> AtelierProcess:
        made.append(AtelierProcess(tmp_path / f"home{len(made)}", environment))
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
