"""Discord's members as Atelier's, with their current roles."""

from __future__ import annotations

from collections.abc import Iterable

import discord

from tasks.jobs.members import Member

NO_GUILD = "@me"


def member_of(interaction: discord.Interaction) -> Member:
    """The member of an interaction, with the roles and premium SKUs that it carries."""
    guild = interaction.guild_id
    permissions = interaction.permissions
    return Member(
        platform="discord",
        workspace=str(guild) if guild else NO_GUILD,
        id=str(interaction.user.id),
        name=interaction.user.display_name,
        roles=_roles(interaction.user, guild) | _skus(interaction),
        locale=language(interaction.locale.value),
        administrator=bool(guild) and (permissions.manage_guild or permissions.administrator),
    )


def writer_of(message: discord.Message, guild_id: int | None) -> Member:
    """The author of a message in the server `guild_id`.

    A message has neither the author's language nor their permissions.
    """
    guild = message.guild
    return Member(
        platform="discord",
        workspace=str(guild_id) if guild_id else NO_GUILD,
        id=str(message.author.id),
        name=message.author.display_name,
        roles=_roles(message.author, guild_id),
        locale=language(str(guild.preferred_locale) if guild else "en"),
    )


def language(locale: str) -> str:
    """Discord's locale ("fr", "en-GB") as one of Atelier's."""
    return "fr" if locale.partition("-")[0] == "fr" else "en"


def _roles(user: discord.User | discord.Member, guild: int | None) -> frozenset[str]:
    """Role ids of the payload, with the server's own id, which is the @everyone role."""
    if not isinstance(user, discord.Member):
        return frozenset()
    # `Member.roles` omits roles that are not cached, such as one granted a second ago.
    role_ids: Iterable[int] = user._roles
    return frozenset(str(role) for role in (*role_ids, guild) if role)


def _skus(interaction: discord.Interaction) -> frozenset[str]:
    """Active subscriptions of the member or the server, as role ids `sku:ID`."""
    active = (e for e in interaction.entitlements if not e.deleted and not e.is_expired())
    skus = (*(entitlement.sku_id for entitlement in active), *interaction.entitlement_sku_ids)
    return frozenset(f"sku:{sku}" for sku in skus)
