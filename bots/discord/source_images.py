"""The picture that a message shows: one of Atelier's, or a file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from mimetypes import guess_type

import discord

from bots.core.commands import BadCommand, BadInput, Source, Upload
from bots.core.source_images import refused_files
from bots.discord import buttons
from bots.discord.file_download import FileDownloader, FileRefused
from tasks.client import Client
from tasks.jobs.members import Place

LINK = re.compile(r"https?://[^\s<>]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SourceImages:
    """Finds pictures in messages."""

    client: Client
    downloader: FileDownloader

    async def of(self, message: discord.Message, place: Place, bot: int) -> Source | None:
        """The picture of a message; `bot` is the bot's own user id."""
        if message.author.id == bot:
            if picture := buttons.picture_in(message):
                return picture
            found = await self.client.pictures.of_message(place, str(message.id))
            if found is not None:
                return found.id
        url = image_url(message)
        return self.downloader.upload(url) if url else None

    def attached(self, message: discord.Message) -> tuple[Upload, ...]:
        """Every file of a message, or the picture that it links to. Raises FileRefused.

        A file that is no picture, and more files than an order takes, are refused, not left out.
        """
        files = message.attachments
        if refused := refused_files([(file.filename, _mime(file)) for file in files]):
            raise FileRefused(refused)
        if files:
            return tuple(self.downloader.upload(file.url, file.filename) for file in files)
        url = image_url(message)
        return (self.downloader.upload(url),) if url else ()


def image_url(message: discord.Message) -> str | None:
    """The URL of a message's first picture: an attachment, a link, or another bot's embed.

    A link counts by its text: whether Discord has attached a preview depends on its cache. The
    downloader refuses links to other hosts than Discord's.
    """
    for attachment in message.attachments:
        if _mime(attachment).startswith("image/"):
            return attachment.url
    if link := LINK.search(message.content):
        return link[0]
    for embed in message.embeds:
        for picture in (embed.image, embed.thumbnail):
            if embed.type == "rich" and (picture.proxy_url or picture.url):
                return picture.proxy_url or picture.url
    return None


def several_pictures(message: discord.Message) -> BadCommand | None:
    """The refusal to choose among the pictures that a member sent in one message; None for one."""
    count = sum(_mime(attachment).startswith("image/") for attachment in message.attachments)
    return BadCommand(BadInput.SEVERAL_PICTURES, {"count": count}) if count > 1 else None


def _mime(attachment: discord.Attachment) -> str:
    """The MIME type, from the name where Discord sends none; empty where it is unknown."""
    return attachment.content_type or guess_type(attachment.filename)[0] or ""


def without_links(text: str) -> str:
    """The text without its links."""
    return LINK.sub(" ", text).strip()
