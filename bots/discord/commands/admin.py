"""`/studio …` for administrators: Discord shows it to members who may manage the server."""

from __future__ import annotations

from typing import Literal

import discord
from discord import app_commands

from bots.core import commands
from bots.discord.commands.choices import Language, State, TextChannelOption, TierOrNone, TierWord
from bots.discord.commands.localization import describe_options, description
from bots.discord.interaction_responder import InteractionResponder
from tasks.jobs.tiers import DoorState, Tier

Interaction = discord.Interaction
Nsfw = Literal["refuse", "spoiler", "allow"]
Visibility = Literal["public", "private"]


def add_to(tree: app_commands.CommandTree, responder: InteractionResponder) -> None:
    """Register the group."""
    studio = app_commands.Group(
        name="studio",
        description=description("studio"),
        default_permissions=discord.Permissions(manage_guild=True),
        allowed_contexts=app_commands.AppCommandContext(guild=True),
        allowed_installs=app_commands.AppInstallationType(guild=True),
    )
    _tiers(studio, responder)
    _people(studio, responder)
    _server(studio, responder)
    tree.add_command(studio)


def _tiers(studio: app_commands.Group, responder: InteractionResponder) -> None:
    @studio.command(name="role", description=description("studio role"))
    @describe_options("role", "tier")
    async def role(interaction: Interaction, role: discord.Role, tier: TierOrNone) -> None:
        wanted = None if tier == "none" else Tier(tier)
        await responder.answer(interaction, commands.StudioRole(str(role.id), wanted))

    @studio.command(name="roles", description=description("studio roles"))
    async def roles(interaction: Interaction) -> None:
        await responder.answer(interaction, commands.StudioRoles())

    @studio.command(name="doors", description=description("studio doors"))
    @describe_options("tier", "state")
    async def doors(
        interaction: Interaction, tier: TierWord | None = None, state: State | None = None
    ) -> None:
        command = commands.StudioDoors(
            Tier(tier) if tier else None, DoorState(state) if state else None
        )
        await responder.answer(interaction, command)

    @studio.command(name="capacity", description=description("studio capacity"))
    async def capacity(interaction: Interaction) -> None:
        await responder.answer(interaction, commands.StudioCapacity())


def _people(studio: app_commands.Group, responder: InteractionResponder) -> None:
    @studio.command(name="block", description=description("studio block"))
    @describe_options("member", "blocked")
    async def block(interaction: Interaction, member: discord.User, blocked: bool = True) -> None:
        await responder.answer(interaction, commands.StudioBlock(str(member.id), blocked))

    @studio.command(name="grant", description=description("studio grant"))
    @describe_options("member", "credits", "why")
    async def grant(
        interaction: Interaction,
        member: discord.User,
        credits: app_commands.Range[float, -100_000.0, 100_000.0],
        why: str = "",
    ) -> None:
        await responder.answer(interaction, commands.StudioGrant(str(member.id), credits, why))

    @studio.command(name="audit", description=description("studio audit"))
    async def audit(interaction: Interaction) -> None:
        await responder.answer(interaction, commands.StudioAudit())

    @studio.command(name="reports", description=description("studio reports"))
    async def reports(interaction: Interaction) -> None:
        await responder.answer(interaction, commands.StudioReports())


def _server(studio: app_commands.Group, responder: InteractionResponder) -> None:
    @studio.command(name="words", description=description("studio words"))
    @describe_options("words", "trial")
    async def words(
        interaction: Interaction, words: str | None = None, trial: str | None = None
    ) -> None:
        listed = None
        if words is not None:
            listed = () if words.strip() == "-" else tuple(words.replace(",", " ").split())
        await responder.answer(interaction, commands.StudioWords(listed, trial))

    @studio.command(name="settings", description=description("studio settings"))
    @describe_options(
        "default_tier",
        "language",
        "channel",
        "nsfw",
        "largest_megapixels",
        "visibility",
        "reports_channel",
    )
    async def settings(
        interaction: Interaction,
        default_tier: TierWord | None = None,
        language: Language | None = None,
        channel: TextChannelOption | None = None,
        nsfw: Nsfw | None = None,
        largest_megapixels: app_commands.Range[float, 0.1, 100.0] | None = None,
        visibility: Visibility | None = None,
        reports_channel: TextChannelOption | None = None,
    ) -> None:
        values = {
            "default_tier": default_tier,
            "language": language,
            "nsfw": nsfw,
            "largest_megapixels": largest_megapixels,
            "visibility": visibility,
            "reports_channel": reports_channel and str(reports_channel.id),
        }
        changes = {name: value for name, value in values.items() if value is not None}

        async def command() -> commands.Command:
            if channel is None:
                return commands.StudioSettings(changes)
            client, server = responder.command_handler.client, str(interaction.guild_id)
            listed = (await client.admin.workspace_settings("discord", server)).channels
            toggled = listed ^ {str(channel.id)}
            return commands.StudioSettings({**changes, "channels": ",".join(sorted(toggled))})

        await responder.answer(interaction, command())
