"""`/studio …`: what administrators do. Discord shows it to members who may manage the server."""

from __future__ import annotations

from typing import Literal

import discord
from discord import app_commands

from bots.core import command as commands
from bots.discord.commands.offers import Language, State, TextRoom, TierOrNone, TierWord
from bots.discord.commands.wording import about, options
from bots.discord.reception import Reception
from tasks.tiers import DoorState, Tier

Interaction = discord.Interaction
Nsfw = Literal["refuse", "spoiler", "allow"]
Visibility = Literal["public", "private"]


def add_to(tree: app_commands.CommandTree, reception: Reception) -> None:
    """Register the group."""
    studio = app_commands.Group(
        name="studio",
        description=about("studio"),
        default_permissions=discord.Permissions(manage_guild=True),
        allowed_contexts=app_commands.AppCommandContext(guild=True),
        allowed_installs=app_commands.AppInstallationType(guild=True),
    )
    _tiers(studio, reception)
    _people(studio, reception)
    _server(studio, reception)
    tree.add_command(studio)


def _tiers(studio: app_commands.Group, reception: Reception) -> None:
    @studio.command(name="role", description=about("studio role"))
    @options("role", "tier")
    async def role(interaction: Interaction, role: discord.Role, tier: TierOrNone) -> None:
        given = None if tier == "none" else Tier(tier)
        await reception.answer(interaction, commands.StudioRole(str(role.id), given))

    @studio.command(name="roles", description=about("studio roles"))
    async def roles(interaction: Interaction) -> None:
        await reception.answer(interaction, commands.StudioRoles())

    @studio.command(name="doors", description=about("studio doors"))
    @options("tier", "state")
    async def doors(
        interaction: Interaction, tier: TierWord | None = None, state: State | None = None
    ) -> None:
        wanted = commands.StudioDoors(
            Tier(tier) if tier else None, DoorState(state) if state else None
        )
        await reception.answer(interaction, wanted)

    @studio.command(name="capacity", description=about("studio capacity"))
    async def capacity(interaction: Interaction) -> None:
        await reception.answer(interaction, commands.StudioCapacity())


def _people(studio: app_commands.Group, reception: Reception) -> None:
    @studio.command(name="block", description=about("studio block"))
    @options("member", "blocked")
    async def block(interaction: Interaction, member: discord.User, blocked: bool = True) -> None:
        await reception.answer(interaction, commands.StudioBlock(str(member.id), blocked))

    @studio.command(name="grant", description=about("studio grant"))
    @options("member", "credits", "why")
    async def grant(
        interaction: Interaction,
        member: discord.User,
        credits: app_commands.Range[float, -100_000.0, 100_000.0],
        why: str = "",
    ) -> None:
        await reception.answer(interaction, commands.StudioGrant(str(member.id), credits, why))

    @studio.command(name="audit", description=about("studio audit"))
    async def audit(interaction: Interaction) -> None:
        await reception.answer(interaction, commands.StudioAudit())


def _server(studio: app_commands.Group, reception: Reception) -> None:
    @studio.command(name="words", description=about("studio words"))
    @options("words", "trial")
    async def words(
        interaction: Interaction, words: str | None = None, trial: str | None = None
    ) -> None:
        listed = None
        if words is not None:
            listed = () if words.strip() == "-" else tuple(words.replace(",", " ").split())
        await reception.answer(interaction, commands.StudioWords(listed, trial))

    @studio.command(name="settings", description=about("studio settings"))
    @options("default_tier", "language", "channel", "nsfw", "largest_megapixels", "visibility")
    async def settings(
        interaction: Interaction,
        default_tier: TierWord | None = None,
        language: Language | None = None,
        channel: TextRoom | None = None,
        nsfw: Nsfw | None = None,
        largest_megapixels: app_commands.Range[float, 0.1, 100.0] | None = None,
        visibility: Visibility | None = None,
    ) -> None:
        told = {
            "default_tier": default_tier,
            "language": language,
            "nsfw": nsfw,
            "largest_megapixels": largest_megapixels,
            "visibility": visibility,
        }
        changes = {name: value for name, value in told.items() if value is not None}

        async def command() -> commands.Command:
            if channel is None:
                return commands.StudioSettings(changes)
            client, server = reception.studio.client, str(interaction.guild_id)
            listed = (await client.workspace_settings("discord", server)).channels
            kept = listed ^ {str(channel.id)}  # one that is listed comes off the list
            return commands.StudioSettings({**changes, "channels": ",".join(sorted(kept))})

        await reception.answer(interaction, command())
