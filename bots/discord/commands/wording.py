"""Names and descriptions of commands in each language, from the sentences' own files.

A command `/waitlist join` is described by the sentence `discord-command-waitlist-join`, an option
`count` by `discord-option-count`; they are named by the same with `-name` behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import discord
from discord import app_commands
from discord.app_commands import TranslationContextLocation as Where

from bots.core.sentences import speak

T = TypeVar("T")


def about(command: str) -> str:
    """The English description of a command (its words joined by blanks)."""
    return speak("en")(f"discord-command-{command.replace(' ', '-')}")


def options(*names: str) -> Callable[[T], T]:
    """Describe a command's options in English."""
    return app_commands.describe(**{name: speak("en")(f"discord-option-{name}") for name in names})


class Translator(app_commands.Translator):
    """Names and describes everything in the other languages; values of choices stay as they are."""

    async def translate(
        self,
        string: app_commands.locale_str,  # noqa: ARG002 - the place tells more than the text
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """The localised text, or None where Discord shall show the English one."""
        if locale is not discord.Locale.french:
            return None
        await asyncio.sleep(0)  # hundreds of strings in a row would hold up the gateway
        key = _key(context.location, context.data)
        say = speak("fr")
        return say(key) if key and say.knows(key) else None


def _key(where: Where, data: Any) -> str | None:
    if where is Where.parameter_name:
        return f"discord-option-{data.name}-name"
    if where is Where.parameter_description:
        return f"discord-option-{data.name}"
    if where in (Where.command_name, Where.group_name):
        return f"discord-command-{_words(data)}-name"
    if where in (Where.command_description, Where.group_description):
        return f"discord-command-{_words(data)}"
    return None


def _words(command: Any) -> str:
    return str(command.qualified_name).lower().replace(" ", "-")
