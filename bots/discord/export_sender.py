"""Sends the archives of a member's export, for that member's eyes alone.

The first archive belongs to the answer of a command; the others follow it one by one. An answer to
a message has no ephemeral form, so all of them go to the member's direct messages.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import discord
import structlog

from bots.core.commands import Invocation
from bots.core.locales import Localizer
from bots.core.reply import Reply
from bots.discord.errors import CONNECTION_ERRORS
from bots.discord.message_reference import MessageReference
from bots.discord.message_view import MessageFile
from bots.discord.private_messages import PrivateMessages
from tasks.client import Archive, Unavailable

ARCHIVE_BYTES = discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES
"""The most of one archive, also on servers that allow more: one is in memory at a time."""
log = structlog.get_logger(platform="discord")


async def open_export(
    reply: Reply, size_limit: int
) -> tuple[MessageFile, AsyncGenerator[Archive, None]] | None:
    """The first archive of a reply, and the iterator of the others; None without an export.

    Raises Unavailable.
    """
    if reply.export is None:
        return None
    archives = reply.export(min(size_limit, ARCHIVE_BYTES))
    return _file(await anext(archives)), archives


@dataclass(frozen=True, slots=True)
class ExportSender:
    """Sends archives as private messages."""

    private: PrivateMessages
    invocation: Invocation
    localize: Localizer

    async def send(
        self, archives: AsyncGenerator[Archive, None], reference: MessageReference, sent: int
    ) -> None:
        """Send the archives after the first `sent`; where one fails, tell the member so."""
        async with aclosing(archives):
            try:
                async for archive in archives:
                    name = "privacy-export-last" if archive.last else "privacy-export-part"
                    text = self.localize(name, number=archive.number)
                    if not await self._post(reference, text, archive):
                        return
                    sent = archive.number
            except (Unavailable, discord.HTTPException, *CONNECTION_ERRORS) as error:
                log.warning("export-interrupted", key=self.invocation.key, error=str(error))
                await self._tell(reference, sent)

    async def _post(self, reference: MessageReference, text: str, archive: Archive) -> bool:
        nonce = f"{self.invocation.key.rpartition(':')[2]}-{archive.number}"
        member = self.invocation.member.id
        if await self.private.send(reference, member, text, nonce, _file(archive)):
            return True
        log.info("direct-messages-closed", code="privacy-export")
        return False

    async def _tell(self, reference: MessageReference, sent: int) -> None:
        text = self.localize("privacy-export-stopped", number=sent)
        nonce = f"{self.invocation.key.rpartition(':')[2]}-end"
        try:
            await self.private.send(reference, self.invocation.member.id, text, nonce)
        except (discord.HTTPException, *CONNECTION_ERRORS) as error:
            log.warning("member-not-notified", key=self.invocation.key, error=str(error))


def _file(archive: Archive) -> MessageFile:
    return MessageFile(archive.name, archive.data)
