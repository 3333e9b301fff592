"""The initial response to an interaction: sent once, whatever the connection does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import discord
import structlog
from discord import ui

from bots.discord.errors import (
    ALREADY_ACKNOWLEDGED,
    CONNECTION_ERRORS,
    UNKNOWN_INTERACTION,
    retry_after,
)
from bots.discord.message_view import RenderedReply
from bots.discord.private_messages import NO_MENTIONS

ATTEMPTS = 3
LONGEST_RATE_LIMIT = 2.0  # seconds; Discord waits three for a response
log = structlog.get_logger(platform="discord")


@dataclass(frozen=True, slots=True)
class InitialResponse:
    """Whether the interaction has a visible response, and its message's id where that is known.

    `rejected` means that Discord refused the contents and that another response is still possible.
    """

    accepted: bool
    message: int | None = None
    rejected: bool = False


async def send(interaction: discord.Interaction, rendered: RenderedReply) -> InitialResponse:
    """Send the reply as the initial response; not accepted if it was too late.

    After a broken connection or a server error it is unknown whether Discord accepted the response.
    The next attempt tells; discord.py makes some of those itself.
    """
    for _ in range(ATTEMPTS):
        try:
            message = await _send_once(interaction, rendered)
            return InitialResponse(True, message) if message else await _existing(interaction)
        except discord.HTTPException as error:
            if error.code == ALREADY_ACKNOWLEDGED:
                return await _existing(interaction)
            if not _can_retry(error):
                log.warning("interaction-response-rejected", error=error.text, code=error.code)
                return InitialResponse(False, rejected=error.code != UNKNOWN_INTERACTION)
            await asyncio.sleep(retry_after(error))
        except CONNECTION_ERRORS as error:
            log.info("interaction-response-interrupted", error=type(error).__name__)
    return InitialResponse(False)


async def defer(interaction: discord.Interaction) -> None:
    """Make a private "thinking" the initial response."""
    for _ in range(ATTEMPTS):
        try:
            await interaction.response.defer(ephemeral=True, thinking=True)
        except discord.HTTPException as error:
            if error.code == ALREADY_ACKNOWLEDGED:
                return
            if not _can_retry(error):
                log.warning("interaction-deferral-rejected", error=error.text, code=error.code)
                return
            await asyncio.sleep(retry_after(error))
        except CONNECTION_ERRORS as error:
            log.info("interaction-deferral-interrupted", error=type(error).__name__)
        else:
            return


async def replace(interaction: discord.Interaction, rendered: RenderedReply) -> int:
    """Replace the initial response; returns its message's id.

    Raises what discord.py and aiohttp raise.
    """
    edited = await interaction.edit_original_response(
        content=rendered.text,
        view=rendered.view,
        attachments=[file.upload() for file in rendered.files],
        allowed_mentions=NO_MENTIONS,
    )
    return edited.id


async def send_text(interaction: discord.Interaction, text: str) -> None:
    """A private text, as the initial response or after it. Raises what discord.py raises."""
    if interaction.response.is_done():
        await interaction.followup.send(text, ephemeral=True, allowed_mentions=NO_MENTIONS)
    else:
        await interaction.response.send_message(text, ephemeral=True, allowed_mentions=NO_MENTIONS)


async def _send_once(interaction: discord.Interaction, rendered: RenderedReply) -> int | None:
    uploads = [file.upload() for file in rendered.files]
    response = interaction.response
    if isinstance(rendered.view, ui.LayoutView):
        sent = await response.send_message(
            view=rendered.view,
            files=uploads,
            ephemeral=rendered.private,
            allowed_mentions=NO_MENTIONS,
        )
    else:
        sent = await response.send_message(
            rendered.text,
            view=discord.utils.MISSING if rendered.view is None else rendered.view,
            files=uploads,
            ephemeral=rendered.private,
            allowed_mentions=NO_MENTIONS,
        )
    if sent.message_id is None and isinstance(sent.resource, discord.InteractionMessage):
        return sent.resource.id
    return sent.message_id


async def _existing(interaction: discord.Interaction) -> InitialResponse:
    """The response that Discord has accepted; another process's "thinking" does not count."""
    try:
        message = await interaction.original_response()
    except (discord.DiscordException, *CONNECTION_ERRORS) as error:
        log.warning("initial-response-not-found", error=str(error))
        return InitialResponse(True)
    if message.flags.loading:
        return InitialResponse(False)
    return InitialResponse(True, message.id)


def _can_retry(error: discord.HTTPException) -> bool:
    """Whether the same request can succeed within the interaction's three seconds."""
    return error.status == 429 and retry_after(error) <= LONGEST_RATE_LIMIT
