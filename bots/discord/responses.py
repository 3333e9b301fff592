"""First responses to an interaction, given once however the connection behaves."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import discord
import structlog
from discord import ui

from bots.discord.layout import Sheet
from bots.discord.posts import LOST, NOBODY, pause_told

ALREADY_ACKNOWLEDGED = 40060
TRIES = 3
SOON = 2.0  # seconds; Discord waits three for an answer
log = structlog.get_logger(platform="discord")


@dataclass(slots=True)
class Shown:
    """What a reply looks like here."""

    text: str | None
    view: ui.View | ui.LayoutView | None
    sheets: list[Sheet]
    private: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether an interaction has an answer for all to see, and its message where that is known."""

    taken: bool
    message: int | None = None


async def first(interaction: discord.Interaction, shown: Shown) -> Standing:
    """Make it the first response; not taken where it came too late.

    A connection that breaks, or a server that fails, does not tell whether Discord took it: the
    next try does, and discord.py makes some of those itself.
    """
    for _ in range(TRIES):
        try:
            number = await send(interaction, shown)
            return Standing(True, number) if number else await _standing(interaction)
        except discord.HTTPException as error:
            if error.code == ALREADY_ACKNOWLEDGED:
                return await _standing(interaction)
            if not _soon_again(error):
                log.warning("an interaction was not answered", why=error.text, code=error.code)
                return Standing(False)
            await asyncio.sleep(pause_told(error))
        except LOST as error:
            log.info("an answer broke off", why=type(error).__name__)
    return Standing(False)


async def put_off(interaction: discord.Interaction) -> None:
    """Make "thinking", for the member's eyes alone, the first response."""
    for _ in range(TRIES):
        try:
            await interaction.response.defer(ephemeral=True, thinking=True)
        except discord.HTTPException as error:
            if error.code == ALREADY_ACKNOWLEDGED:
                return
            if not _soon_again(error):
                log.warning("an interaction was not put off", why=error.text, code=error.code)
                return
            await asyncio.sleep(pause_told(error))
        except LOST as error:
            log.info("a deferral broke off", why=type(error).__name__)
        else:
            return


async def send(interaction: discord.Interaction, shown: Shown) -> int | None:
    """Respond with it; the message's id where Discord tells it.

    Raises what discord.py and aiohttp raise.
    """
    files = [sheet.file() for sheet in shown.sheets]
    response = interaction.response
    if isinstance(shown.view, ui.LayoutView):
        sent = await response.send_message(
            view=shown.view, files=files, ephemeral=shown.private, allowed_mentions=NOBODY
        )
    elif shown.view is not None:
        sent = await response.send_message(
            shown.text,
            view=shown.view,
            files=files,
            ephemeral=shown.private,
            allowed_mentions=NOBODY,
        )
    else:
        sent = await response.send_message(
            shown.text, files=files, ephemeral=shown.private, allowed_mentions=NOBODY
        )
    if sent.message_id is None and isinstance(sent.resource, discord.InteractionMessage):
        return sent.resource.id
    return sent.message_id


async def _standing(interaction: discord.Interaction) -> Standing:
    """The answer that Discord has taken; another process's "thinking" is none yet."""
    try:
        message = await interaction.original_response()
    except (discord.DiscordException, *LOST) as error:
        log.warning("an answer was not found", why=str(error))
        return Standing(True)
    return Standing(False) if message.flags.loading else Standing(True, message.id)


def _soon_again(error: discord.HTTPException) -> bool:
    """Whether the same request may do within an interaction's three seconds."""
    return error.status == 429 and pause_told(error) <= SOON


async def replace_first(interaction: discord.Interaction, shown: Shown) -> int:
    """Put it in the place of the first response; the message's id. Raises as `send` does."""
    files = [sheet.file() for sheet in shown.sheets]
    edited = await interaction.edit_original_response(
        content=shown.text, view=shown.view, attachments=files, allowed_mentions=NOBODY
    )
    return edited.id
