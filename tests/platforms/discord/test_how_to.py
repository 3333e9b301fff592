"""The chat commands of docs/how-to/discord.md, typed word for word on the loopback Discord."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.platforms.discord.conftest import BotFixture
from tests.platforms.discord.world import EPHEMERAL
from tests.unit.test_how_tos import blocks

pytestmark = pytest.mark.asyncio(loop_scope="session")


def typed_lines() -> list[str]:
    return [
        line
        for block in blocks("")
        if block.guide.endswith("discord.md")
        for line in block.lines
        if line.startswith("/")
    ]


def command_and_options(line: str) -> tuple[str, dict[str, str]]:
    """A slash command as Discord's client splits it: its name, and its options by name."""
    name, *given = re.split(r"\s(\w+):\s?", line.removeprefix("/"))
    return name, dict(zip(given[::2], given[1::2], strict=True))


async def test_guide_leads_to_a_picture_and_to_tiers(bot: BotFixture) -> None:
    admin, lines = bot.person("admin", "admin"), typed_lines()
    assert len(lines) == 5
    roles: dict[str, int] = {}
    for line in lines:
        name, options = command_and_options(line)
        values: dict[str, Any] = dict(options)
        if "role" in options:
            title = options["role"].removeprefix("@")
            values["role"] = roles[title] = bot.discord.add_role(bot.guild, title)
        shown = (await admin.slash(name, **values)).shown
        if name == "imagine":
            (job,) = await bot.placed()
            assert job.order.request.prompt == options["prompt"]
            assert [button["label"] for button in shown.buttons] == ["Cancel"]
        else:
            assert shown.flags & EPHEMERAL
    assert set(roles) == {"Patrons", "Server Booster", "Team"}
    for title, tier in (("Patrons", "Plus"), ("Server Booster", "Plus"), ("Team", "Pro")):
        member = bot.discord.add_person(bot.guild, title.lower(), roles[title])
        assert tier in (await member.slash("quota")).shown.text
    assert all(str(role) in shown.text for role in roles.values())
