"""Names and descriptions of commands in each language, from the locales.

The command `/waitlist join` is described by the message `discord-command-waitlist-join`, the option
`count` by `discord-option-count`; their names are the same ids with `-name` appended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import discord
from discord import app_commands
from discord.app_commands import TranslationContextLocation as Location

from bots.core.locales import localizer_for

T = TypeVar("T")


def description(command: str) -> str:
    """The English description of a command, such as "waitlist join"."""
    return localizer_for("en")(f"discord-command-{command.replace(' ', '-')}")


def describe_options(*names: str) -> Callable[[T], T]:
    """Decorate a command with the English descriptions of its options."""
    return app_commands.describe(
        **{name: localizer_for("en")(f"discord-option-{name}") for name in names}
    )


class Translator(app_commands.Translator):
    """Translates names and descriptions; the values of choices stay the same."""

    async def translate(
        self,
        string: app_commands.locale_str,  # noqa: ARG002 - the context identifies the message
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """The translated text, or None where Discord is to show the English one."""
        if locale is not discord.Locale.french:
            return None
        await asyncio.sleep(0)  # hundreds of strings in a row would block the gateway
        key = _key(context.location, context.data)
        localize = localizer_for("fr")
        return localize(key) if key and localize.has_message(key) else None


def _key(location: Location, data: Any) -> str | None:
    if location is Location.parameter_name:
        return f"discord-option-{data.name}-name"
    if location is Location.parameter_description:
        return f"discord-option-{data.name}"
    if location in (Location.command_name, Location.group_name):
        return f"discord-command-{_id(data)}-name"
    if location in (Location.command_description, Location.group_description):
        return f"discord-command-{_id(data)}"
    return None


def _id(command: Any) -> str:
    return str(command.qualified_name).lower().replace(" ", "-")
