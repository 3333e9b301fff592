"""Deployments for tests: see `tests.integration.stack`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
from sqlalchemy import Connection

from tasks.store.database import Database
from tests.integration.stack import GENEROUS, Deployment
from tests.stack import Servers

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def shared_database(servers: Servers) -> Iterator[Database]:
    """One database for all tests that commit nothing."""
    with servers.database() as url:
        database = Database(url)
        yield database
        database.close()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh, migrated database, for tests that commit."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def connection(shared_database: Database) -> Iterator[Connection]:
    """A transaction on a migrated, empty database; rolled back at the end."""
    with shared_database.engine.connect() as opened:
        yield opened
        opened.rollback()


@pytest.fixture
def build_deployment(servers: Servers, tmp_path: Path) -> Iterator[Callable[..., Deployment]]:
    """Builds a deployment with its own database and home: `build_deployment(policy_text)`."""
    with ExitStack() as stack:

        def build(policy_text: str | None = None) -> Deployment:
            number = next(_numbers)
            url = servers.valkey.url.replace("db=0", f"db={1 + number % 15}")
            with redis.Redis.from_url(url) as client:
                client.flushdb()
            database_url = stack.enter_context(servers.database())
            home = tmp_path / f"home{number}"
            deployment = Deployment(
                home, database_url, url, GENEROUS if policy_text is None else policy_text
            )
            stack.callback(deployment.clean_up)
            return deployment

        yield build


@pytest.fixture
def deployment(build_deployment: Callable[..., Deployment]) -> Deployment:
    """A deployment with generous limits and no process."""
    return build_deployment()
