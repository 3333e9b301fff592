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
from tests.platforms.slack.conftest import STACK_POLICY, TOKEN, new_stack_slack
from tests.platforms.slack.server import LoopbackSlack
from tests.servers.comfyui_server import ComfyUIServer
from tests.servers.models import text_to_image, write
from tests.servers.openai_server import OpenAIServer
from tests.stack import AtelierProcess

POLICY = """
[tiers.plus]
quota = "9/3h"
doors = "open"
"""


MODELS = """
[models.comfy]
kind = "comfyui"
url = "{comfyui}"
workflow = "imagine.json"
side = 64
multiple = 8
steps = 4
checker = "off"

[models.big]
kind = "openai"
url = "{openai}/v1"
model = "big-model"
key_env = "BIG_KEY"
takes = ["size", "seed"]
side = 64
multiple = 8
checker = "off"
"""
KEY = "sk-of-the-tests"


@dataclass(frozen=True)
class Platforms:
    """The studio, the two platforms that it is on, and two servers that draw models of it."""

    discord: LoopbackDiscord
    slack: LoopbackSlack
    atelier: AtelierProcess
    comfyui: ComfyUIServer
    openai: OpenAIServer


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platforms]:
    """Shared by the session. The loopback Discord stands still while a test of Slack's runs."""
    home = tmp_path_factory.mktemp("platforms") / "home"
    home.mkdir()
    policy = home / "atelier.toml"
    write(home, "imagine", text_to_image())
    slack = new_stack_slack()
    with ComfyUIServer() as comfyui, OpenAIServer(key=KEY) as openai:
        models = MODELS.format(comfyui=comfyui.url, openai=openai.url)
        policy.write_text(POLICY + EVENING_POLICY + STACK_POLICY + models)
        async with LoopbackDiscord(PatientClock()) as discord:
            atelier = AtelierProcess(
                home,
                {
                    "ATELIER_CONFIG": str(policy),
                    "BIG_KEY": KEY,
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
                await asyncio.to_thread(atelier.start)
                yield Platforms(discord, slack, atelier, comfyui, openai)
            finally:
                await asyncio.to_thread(atelier.clean_up)
                slack.stop()
    assert discord.violations == []
    assert discord.invalid_requests == []
