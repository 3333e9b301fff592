"""Message commands: what the menu of any message with a picture autocomplete."""

from __future__ import annotations

import discord
from discord import app_commands

from bots.core.commands import BadCommand, BadInput, Command, Source, Upscale, Vary
from bots.discord.components import ComponentHandler
from bots.discord.gateway_client import bot_user_id
from bots.discord.interaction_responder import InteractionResponder
from bots.discord.source_images import SourceImages, several_pictures
from bots.discord.translate import place_of

Interaction = discord.Interaction
Message = discord.Message


def add_to(
    tree: app_commands.CommandTree,
    responder: InteractionResponder,
    components: ComponentHandler,
    sources: SourceImages,
) -> None:
    """Register the three message commands."""

    async def source_of(interaction: Interaction, message: Message) -> Source | BadCommand:
        place = place_of(interaction.channel, interaction.guild_id)
        bot = bot_user_id(interaction.client)
        if message.author.id != bot and (several := several_pictures(message)):
            return several
        return await sources.of(message, place, bot) or BadCommand(BadInput.NEEDS_PICTURE)

    @tree.context_menu(name="Edit picture")
    async def edit(interaction: Interaction, message: Message) -> None:
        await components.open_edit_modal(interaction, message, bot_user_id(interaction.client))

    @tree.context_menu(name="Vary picture")
    async def vary(interaction: Interaction, message: Message) -> None:
        async def command() -> Command | BadCommand:
            source = await source_of(interaction, message)
            return source if isinstance(source, BadCommand) else Vary(source)

        await responder.answer(interaction, command())

    @tree.context_menu(name="Upscale picture")
    async def upscale(interaction: Interaction, message: Message) -> None:
        async def command() -> Command | BadCommand:
            source = await source_of(interaction, message)
            return source if isinstance(source, BadCommand) else Upscale(source)

        await responder.answer(interaction, command())
