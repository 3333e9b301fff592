"""One whole studio for both chat platforms: bots and worker, as `atelier up` runs them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from tests.platforms.discord import LoopbackDiscord
from tests.platforms.discord.clock import PatientClock
from tests.platforms.discord.conftest import EVENING_POLICY
from tests.platforms.slack.conftest import TOKEN, TOWN_POLICY, new_town_slack
from tests.platforms.slack.server import LoopbackSlack
from tests.stack import Studio

POLICY = """
[tiers.plus]
quota = "9/3h"
doors = "open"
"""


@dataclass(frozen=True)
class House:
    """The studio, and the two platforms that it is on."""

    discord: LoopbackDiscord
    slack: LoopbackSlack
    studio: Studio


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """Shared by the session. The loopback Discord stands still while a test of Slack's runs."""
    home = tmp_path_factory.mktemp("platforms") / "home"
    home.mkdir()
    policy = home / "atelier.toml"
    policy.write_text(POLICY + EVENING_POLICY + TOWN_POLICY)
    slack = new_town_slack()
    async with LoopbackDiscord(PatientClock()) as discord:
        studio = Studio(
            home,
            {
                "ATELIER_CONFIG": str(policy),
                "ATELIER_DISCORD_TOKEN": discord.token,
                "ATELIER_DISCORD_API_URL": discord.api_url,
                "ATELIER_SLACK_API_URL": slack.api_url,
                "ATELIER_SLACK_BOT_TOKEN": TOKEN,
                "ATELIER_SLACK_APP_TOKEN": slack.app_token,
                "ATELIER_SLACK_CLIENT_ID": slack.oauth.client_id,
                "ATELIER_SLACK_CLIENT_SECRET": slack.oauth.client_secret,
            },
        )
        try:
            await asyncio.to_thread(studio.start)
            yield House(discord, slack, studio)
        finally:
            await asyncio.to_thread(studio.clean_up)
            slack.stop()
    assert discord.violations == []
    assert discord.invalid_requests == []
