"""Who asks: Discord's members as ours, with the roles of this very moment."""

from __future__ import annotations

from collections.abc import Iterable

import discord

from tasks.members import Member

NO_GUILD = "@me"


def member_of(interaction: discord.Interaction) -> Member:
    """The member behind an interaction; roles and premium SKUs are those it carries itself."""
    guild = interaction.guild_id
    rights = interaction.permissions
    return Member(
        platform="discord",
        workspace=str(guild) if guild else NO_GUILD,
        id=str(interaction.user.id),
        name=interaction.user.display_name,
        roles=_roles(interaction.user, guild) | _skus(interaction),
        locale=language(interaction.locale.value),
        administrator=bool(guild) and (rights.manage_guild or rights.administrator),
    )


def writer_of(message: discord.Message, number: int | None) -> Member:
    """The member who wrote a message in the server `number`.

    A message does not tell the writer's language or rights.
    """
    guild = message.guild
    return Member(
        platform="discord",
        workspace=str(number) if number else NO_GUILD,
        id=str(message.author.id),
        name=message.author.display_name,
        roles=_roles(message.author, number),
        locale=language(str(guild.preferred_locale) if guild else "en"),
    )


def moderates(interaction: discord.Interaction) -> bool:
    """Whether the member may delete and cancel what others made in this channel."""
    rights = interaction.permissions
    return rights.manage_messages or rights.manage_guild or rights.administrator


def language(locale: str) -> str:
    """Discord's locale ("fr", "en-GB") as one of ours."""
    return "fr" if locale.partition("-")[0] == "fr" else "en"


def _roles(user: discord.User | discord.Member, guild: int | None) -> frozenset[str]:
    """Role ids as the payload names them; the guild's own id is the role of everyone."""
    if not isinstance(user, discord.Member):
        return frozenset()
    # `Member.roles` leaves out roles that are not cached yet: one given a second ago must count.
    carried: Iterable[int] = user._roles
    return frozenset(str(role) for role in (*carried, guild) if role)


def _skus(interaction: discord.Interaction) -> frozenset[str]:
    """Premium subscriptions of the member or the server, as role ids `sku:ID`."""
    live = (e for e in interaction.entitlements if not e.deleted and not e.is_expired())
    return frozenset(
        f"sku:{sku}" for sku in (*(e.sku_id for e in live), *interaction.entitlement_sku_ids)
    )
