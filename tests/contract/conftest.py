"""One running platform bot per module, shared by the contract tests."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.contract.harness import Stage
from tests.stack import Servers

PLATFORMS = ("discord", "slack", "web")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=PLATFORMS)
async def stage(
    request: pytest.FixtureRequest, servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """A running bot of the platform."""
    module = importlib.import_module(f"tests.platforms.{request.param}.harness")
    async with module.open_stage(servers, tmp_path_factory.mktemp(request.param)) as opened:
        yield opened
