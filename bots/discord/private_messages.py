"""Messages to one member: ephemeral, direct, or a mention in a channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import discord

from bots.discord.errors import PermanentFailure
from bots.discord.interaction_tokens import InteractionTokens
from bots.discord.message_reference import MessageReference
from bots.discord.message_view import MessageFile

NO_MENTIONS = discord.AllowedMentions.none()


@dataclass(frozen=True, slots=True)
class PrivateMessages:
    """Sends through one discord.py client."""

    client: discord.Client
    tokens: InteractionTokens

    async def send(
        self,
        reference: MessageReference,
        member: str,
        text: str,
        nonce: str,
        file: MessageFile | None = None,
    ) -> bool:
        """Send an ephemeral follow-up, or a direct message once the token has expired.

        Returns False where the member accepts no direct messages. Raises what discord.py raises
        where a retry could succeed.
        """
        try:
            if self.tokens.is_valid(reference):
                webhook = self.tokens.webhook(reference)
                await webhook.send(
                    text, ephemeral=True, allowed_mentions=NO_MENTIONS, **_upload(file)
                )
                return True
        except discord.HTTPException as error:
            if not self.tokens.reject(reference, error):
                raise
        try:
            channel = await self.client.create_dm(discord.Object(int(member)))
            await channel.send(text, nonce=nonce, allowed_mentions=NO_MENTIONS, **_upload(file))
        except (discord.Forbidden, discord.NotFound):
            return False
        return True

    async def open_channel(self, member: str) -> MessageReference:
        """A reference to the member's direct messages.

        Raises PermanentFailure where those are closed, or what discord.py raises where a retry
        could succeed.
        """
        try:
            channel = await self.client.create_dm(discord.Object(int(member)))
        except (discord.Forbidden, discord.NotFound):
            raise PermanentFailure("token-expired") from None
        return MessageReference(channel=channel.id, direct=True)

    async def mention(self, channel: int, member: str, text: str, nonce: str) -> None:
        """Mention the member in a channel. Raises discord.HTTPException."""
        only_them = discord.AllowedMentions(
            users=[discord.Object(int(member))], everyone=False, roles=False
        )
        await self.client.get_partial_messageable(channel).send(
            f"<@{member}> {text}", nonce=nonce, allowed_mentions=only_them
        )


def _upload(file: MessageFile | None) -> dict[str, Any]:
    return {} if file is None else {"file": file.upload()}
