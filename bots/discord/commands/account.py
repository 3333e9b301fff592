"""The commands for a member's own jobs, quota and data. Their answers are private."""

from __future__ import annotations

import discord
from discord import app_commands

from bots.core import commands
from bots.discord.commands.choices import Aspect, Autocomplete, Count, Language
from bots.discord.commands.localization import describe_options, description
from bots.discord.interaction_responder import InteractionResponder

Interaction = discord.Interaction


def add_to(tree: app_commands.CommandTree, responder: InteractionResponder) -> None:
    """Register the commands of this group."""
    autocomplete = Autocomplete(responder.command_handler.client)

    @tree.command(name="queue", description=description("queue"))
    async def queue(interaction: Interaction) -> None:
        await responder.answer(interaction, commands.Queue())

    @tree.command(name="cancel", description=description("cancel"))
    @describe_options("job")
    @app_commands.autocomplete(job=autocomplete.jobs)
    async def cancel(interaction: Interaction, job: str | None = None) -> None:
        await responder.answer(interaction, commands.Cancel(job))

    @tree.command(name="quota", description=description("quota"))
    async def quota(interaction: Interaction) -> None:
        await responder.answer(interaction, commands.Quota())

    @tree.command(name="history", description=description("history"))
    async def history(interaction: Interaction) -> None:
        await responder.answer(interaction, commands.History())

    @tree.command(name="settings", description=description("settings"))
    @describe_options("aspect", "count", "model", "language")
    @app_commands.autocomplete(model=autocomplete.models)
    async def settings(
        interaction: Interaction,
        aspect: Aspect | None = None,
        count: Count | None = None,
        model: str | None = None,
        language: Language | None = None,
    ) -> None:
        values = {"aspect": aspect, "count": count, "model": model, "language": language}
        changes = {name: value for name, value in values.items() if value is not None}
        await responder.answer(interaction, commands.Settings(changes))

    @tree.command(name="help", description=description("help"))
    async def help_(interaction: Interaction) -> None:
        await responder.answer(interaction, commands.Help())

    tree.add_command(_privacy(responder))
    tree.add_command(_waitlist(responder))


def _privacy(responder: InteractionResponder) -> app_commands.Group:
    privacy = app_commands.Group(name="privacy", description=description("privacy"))

    @privacy.command(name="export", description=description("privacy export"))
    async def export(interaction: Interaction) -> None:
        await responder.answer(interaction, commands.Privacy("export"))

    @privacy.command(name="delete", description=description("privacy delete"))
    async def delete(interaction: Interaction) -> None:
        await responder.answer(interaction, commands.Privacy("delete"))

    return privacy


def _waitlist(responder: InteractionResponder) -> app_commands.Group:
    waitlist = app_commands.Group(name="waitlist", description=description("waitlist"))

    @waitlist.command(name="join", description=description("waitlist join"))
    async def join(interaction: Interaction) -> None:
        await responder.answer(interaction, commands.Waitlist("join"))

    @waitlist.command(name="leave", description=description("waitlist leave"))
    async def leave(interaction: Interaction) -> None:
        await responder.answer(interaction, commands.Waitlist("leave"))

    @waitlist.command(name="status", description=description("waitlist status"))
    async def status(interaction: Interaction) -> None:
        await responder.answer(interaction, commands.Waitlist("status"))

    return waitlist
