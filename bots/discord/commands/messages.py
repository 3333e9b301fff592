"""Message commands: what the menu of any message with a picture offers."""

from __future__ import annotations

import discord
from discord import app_commands

from bots.core.command import BadCommand, BadInput, Command, Source, Upscale, Vary
from bots.discord.client import own_id
from bots.discord.presses import Presses
from bots.discord.reception import Reception
from bots.discord.sources import Sources
from bots.discord.translate import place_of

Interaction = discord.Interaction
Message = discord.Message


def add_to(
    tree: app_commands.CommandTree, reception: Reception, presses: Presses, sources: Sources
) -> None:
    """Register the three message commands."""

    async def source_of(interaction: Interaction, message: Message) -> Source | None:
        place = place_of(interaction.channel, interaction.guild_id)
        return await sources.of(message, place, own_id(interaction.client))

    @tree.context_menu(name="Edit picture")
    async def edit(interaction: Interaction, message: Message) -> None:
        await presses.ask_for_edit(interaction, message, own_id(interaction.client))

    @tree.context_menu(name="Vary picture")
    async def vary(interaction: Interaction, message: Message) -> None:
        async def command() -> Command | BadCommand:
            source = await source_of(interaction, message)
            return Vary(source) if source else BadCommand(BadInput.NEEDS_PICTURE)

        await reception.answer(interaction, command())

    @tree.context_menu(name="Upscale picture")
    async def upscale(interaction: Interaction, message: Message) -> None:
        async def command() -> Command | BadCommand:
            source = await source_of(interaction, message)
            return Upscale(source) if source else BadCommand(BadInput.NEEDS_PICTURE)

        await reception.answer(interaction, command())
