"""Houses for tests: see `tests.integration.house`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from tests.integration.house import House
from tests.stack import Servers

_numbers = itertools.count(1)


@pytest.fixture
def build_house(
    servers: Servers, database_url: str, tmp_path: Path
) -> Iterator[Callable[..., House]]:
    """Builds a house on a fresh database: `build_house(policy_text)`."""
    built: list[House] = []
    url = servers.valkey.url.replace("db=0", f"db={1 + next(_numbers) % 15}")

    def build(policy_text: str | None = None) -> House:
        with redis.Redis.from_url(url) as client:
            client.flushdb()
        extra = {} if policy_text is None else {"policy_text": policy_text}
        built.append(House(tmp_path / "home", database_url, url, **extra))
        return built[-1]

    yield build
    for house in built:
        house.clean_up()


@pytest.fixture
def house(build_house: Callable[..., House]) -> House:
    """A house with roomy limits and no process yet."""
    return build_house()
