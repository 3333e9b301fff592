"""The picture that a message shows: one of ours, or a file."""

from __future__ import annotations

from dataclasses import dataclass
from mimetypes import guess_type

import discord

from bots.core.command import Source, Upload
from bots.discord import buttons
from bots.discord.files import Files
from tasks.client import Client
from tasks.members import Place


@dataclass(frozen=True, slots=True)
class Sources:
    """Finds pictures in messages."""

    client: Client
    files: Files

    async def of(self, message: discord.Message, place: Place, me: int) -> Source | None:
        """The picture of a message; `me` is the bot's own id. Raises FileRefused."""
        if message.author.id == me:
            if picture := buttons.picture_in(message):
                return picture
            found = await self.client.picture_of_message(place, str(message.id))
            if found is not None:
                return found.id
        address = picture_address(message)
        return await self.fetched(address) if address else None

    async def fetched(self, address: str) -> Upload:
        """A file as a source. Raises FileRefused."""
        return Upload(await self.files.fetch(address))


def picture_address(message: discord.Message) -> str | None:
    """Where the first picture of a message is kept: a file of its own, or one that it embeds."""
    for attached in message.attachments:
        kind = attached.content_type or guess_type(attached.filename)[0]  # not always told
        if (kind or "").startswith("image/"):
            return attached.url
    for embed in message.embeds:
        for picture in (embed.image, embed.thumbnail):
            if picture.proxy_url or picture.url:
                return picture.proxy_url or picture.url
    return None
