"""Houses for tests: see `tests.integration.house`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis

from tests.integration.house import House
from tests.stack import Servers

_numbers = itertools.count(1)


@pytest.fixture
def build_house(servers: Servers, tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Builds a house on a fresh database and a home of its own: `build_house(policy_text)`."""
    with ExitStack() as stack:

        def build(policy_text: str | None = None) -> House:
            number = next(_numbers)
            url = servers.valkey.url.replace("db=0", f"db={1 + number % 15}")
            with redis.Redis.from_url(url) as client:
                client.flushdb()
            database_url = stack.enter_context(servers.database())
            extra = {} if policy_text is None else {"policy_text": policy_text}
            house = House(tmp_path / f"home{number}", database_url, url, **extra)
            stack.callback(house.clean_up)
            return house

        yield build


@pytest.fixture
def house(build_house: Callable[..., House]) -> House:
    """A house with roomy limits and no process yet."""
    return build_house()
