"""The choices of options: fixed ones, and those that autocomplete looks up."""

from __future__ import annotations

from typing import Literal

import discord
from discord import app_commands

from bots.core.cards import shorten
from bots.core.commands import MAX_COUNT, MAX_PROMPT
from bots.discord.roles import member_of
from imaging.request import MAX_SEED
from tasks.client import Client, Unavailable

Aspect = Literal["1:1", "3:2", "2:3", "4:5", "16:9", "9:16"]
Factor = Literal[2, 4]
TierWord = Literal["free", "plus", "team", "pro"]
TierOrNone = Literal["free", "plus", "team", "pro", "none"]
State = Literal["open", "waitlist", "closed", "auto"]
Language = Literal["en", "fr"]

Prompt = app_commands.Range[str, 1, MAX_PROMPT]
Count = app_commands.Range[int, 1, MAX_COUNT]
Seed = app_commands.Range[int, 0, MAX_SEED]
Strength = app_commands.Range[float, 0.0, 1.0]


class TextChannelTransformer(app_commands.Transformer):
    """Text channels as the command's payload describes them, cached or not."""

    @property
    def type(self) -> discord.AppCommandOptionType:
        """The option's type."""
        return discord.AppCommandOptionType.channel

    @property
    def channel_types(self) -> list[discord.ChannelType]:
        """What it autocomplete."""
        return [discord.ChannelType.text, discord.ChannelType.news]

    async def transform(
        self, _: discord.Interaction, value: app_commands.AppCommandChannel, /
    ) -> app_commands.AppCommandChannel:
        """The channel, unchanged."""
        return value


TextChannelOption = app_commands.Transform[app_commands.AppCommandChannel, TextChannelTransformer]

MAX_CHOICES = 25


class Autocomplete:
    """Choices that are looked up; empty while the database is unreachable."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def models(self, _: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        """Models that a worker serves."""
        try:
            names = await self._client.fleet.models()
        except Unavailable:
            return []
        found = [name for name in names if typed.lower() in name.lower()]
        return [app_commands.Choice(name=name[:100], value=name) for name in found[:MAX_CHOICES]]

    async def jobs(
        self, interaction: discord.Interaction, typed: str
    ) -> list[app_commands.Choice[str]]:
        """The member's own unfinished jobs."""
        try:
            jobs = await self._client.jobs.active(member_of(interaction))
        except Unavailable:
            return []
        named = [(job.short, f"{job.short} · {job.order.request.prompt}") for job in jobs]
        found = [(short, text) for short, text in named if typed.lower() in text.lower()]
        return [
            app_commands.Choice(name=shorten(text, 100), value=short)
            for short, text in found[:MAX_CHOICES]
        ]
