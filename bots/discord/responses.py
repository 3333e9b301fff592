"""First responses to an interaction, given once however the connection behaves."""

from __future__ import annotations

from dataclasses import dataclass

import aiohttp
import discord
import structlog
from discord import ui

from bots.discord.layout import Sheet
from bots.discord.posts import NOBODY

ALREADY_ACKNOWLEDGED = 40060
TRIES = 3
LOST = (aiohttp.ClientError, OSError, TimeoutError)
log = structlog.get_logger(platform="discord")


@dataclass(slots=True)
class Shown:
    """What a reply looks like here."""

    text: str | None
    view: ui.View | ui.LayoutView | None
    sheets: list[Sheet]
    private: bool


async def first(interaction: discord.Interaction, shown: Shown) -> int | None:
    """Make it the first response; the message's id, or None where it came too late.

    A connection that breaks does not tell whether Discord took it: the second try does.
    """
    for trial in range(TRIES):
        try:
            return await send(interaction, shown)
        except discord.HTTPException as error:
            if error.code == ALREADY_ACKNOWLEDGED and trial:
                return (await interaction.original_response()).id
            log.warning("an interaction was not answered", why=error.text, code=error.code)
            return None
        except LOST as error:
            log.info("an answer broke off", why=type(error).__name__)
    return None


async def put_off(interaction: discord.Interaction) -> None:
    """Make "thinking", for the member's eyes alone, the first response."""
    for trial in range(TRIES):
        try:
            await interaction.response.defer(ephemeral=True, thinking=True)
        except discord.HTTPException as error:
            if not (error.code == ALREADY_ACKNOWLEDGED and trial):
                log.warning("an interaction was not put off", why=error.text, code=error.code)
            return
        except LOST as error:
            log.info("a deferral broke off", why=type(error).__name__)
        else:
            return


async def send(interaction: discord.Interaction, shown: Shown) -> int | None:
    """Respond with it; the message's id. Raises what discord.py and aiohttp raise."""
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
    return sent.message_id


async def replace_first(interaction: discord.Interaction, shown: Shown) -> int:
    """Put it in the place of the first response; the message's id. Raises as `send` does."""
    files = [sheet.file() for sheet in shown.sheets]
    edited = await interaction.edit_original_response(
        content=shown.text, view=shown.view, attachments=files, allowed_mentions=NOBODY
    )
    return edited.id
