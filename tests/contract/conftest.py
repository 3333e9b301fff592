"""One stage a platform, shared by the contract's tests."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.contract.stage import Stage
from tests.stack import Servers

PLATFORMS = [
    name
    for name in ("discord", "slack", "web")
    if importlib.util.find_spec(f"tests.platforms.{name}")
    and importlib.util.find_spec(f"tests.platforms.{name}.stage")
]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=PLATFORMS)
async def stage(
    request: pytest.FixtureRequest, servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """A platform's room."""
    module = importlib.import_module(f"tests.platforms.{request.param}.stage")
    async with module.open_stage(servers, tmp_path_factory.mktemp(request.param)) as opened:
        yield opened
