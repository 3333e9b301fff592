"""The commands about a member's own pictures, quota and data. Their answers are private."""

from __future__ import annotations

import discord
from discord import app_commands

from bots.core import command as commands
from bots.discord.commands.offers import Aspect, Count, Language, Offers
from bots.discord.commands.wording import about, options
from bots.discord.reception import Reception

Interaction = discord.Interaction


def add_to(tree: app_commands.CommandTree, reception: Reception) -> None:
    """Register the commands of this group."""
    offers = Offers(reception.studio.client)

    @tree.command(name="queue", description=about("queue"))
    async def queue(interaction: Interaction) -> None:
        await reception.answer(interaction, commands.Queue())

    @tree.command(name="cancel", description=about("cancel"))
    @options("job")
    @app_commands.autocomplete(job=offers.jobs)
    async def cancel(interaction: Interaction, job: str | None = None) -> None:
        await reception.answer(interaction, commands.Cancel(job))

    @tree.command(name="quota", description=about("quota"))
    async def quota(interaction: Interaction) -> None:
        await reception.answer(interaction, commands.Quota())

    @tree.command(name="history", description=about("history"))
    async def history(interaction: Interaction) -> None:
        await reception.answer(interaction, commands.History())

    @tree.command(name="settings", description=about("settings"))
    @options("aspect", "count", "model", "language")
    @app_commands.autocomplete(model=offers.models)
    async def settings(
        interaction: Interaction,
        aspect: Aspect | None = None,
        count: Count | None = None,
        model: str | None = None,
        language: Language | None = None,
    ) -> None:
        told = {"aspect": aspect, "count": count, "model": model, "language": language}
        changes = {name: value for name, value in told.items() if value is not None}
        await reception.answer(interaction, commands.Settings(changes))

    @tree.command(name="help", description=about("help"))
    async def help_(interaction: Interaction) -> None:
        await reception.answer(interaction, commands.Help())

    tree.add_command(_privacy(reception))
    tree.add_command(_waitlist(reception))


def _privacy(reception: Reception) -> app_commands.Group:
    privacy = app_commands.Group(name="privacy", description=about("privacy"))

    @privacy.command(name="export", description=about("privacy export"))
    async def export(interaction: Interaction) -> None:
        await reception.answer(interaction, commands.Privacy("export"))

    @privacy.command(name="delete", description=about("privacy delete"))
    async def delete(interaction: Interaction) -> None:
        await reception.answer(interaction, commands.Privacy("delete"))

    return privacy


def _waitlist(reception: Reception) -> app_commands.Group:
    waitlist = app_commands.Group(name="waitlist", description=about("waitlist"))

    @waitlist.command(name="join", description=about("waitlist join"))
    async def join(interaction: Interaction) -> None:
        await reception.answer(interaction, commands.Waitlist("join"))

    @waitlist.command(name="leave", description=about("waitlist leave"))
    async def leave(interaction: Interaction) -> None:
        await reception.answer(interaction, commands.Waitlist("leave"))

    @waitlist.command(name="status", description=about("waitlist status"))
    async def status(interaction: Interaction) -> None:
        await reception.answer(interaction, commands.Waitlist("status"))

    return waitlist
