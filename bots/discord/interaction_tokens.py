"""Interaction tokens: how long each can be used, and the webhook that writes with it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import cast

import discord
from cachetools import LRUCache

from bots.discord.errors import is_token_rejected
from bots.discord.message_reference import MessageReference

TOKEN_SECONDS = 15 * 60 - 20  # Discord's 15 minutes, less the time that a request may take
REJECTED_TOKENS = 1000


class InteractionTokens:
    """The tokens of one client; `now` returns seconds since 1970."""

    def __init__(self, client: discord.Client, now: Callable[[], float] = time.time) -> None:
        self._client = client
        self._now = now
        self._rejected: LRUCache[str, None] = LRUCache(REJECTED_TOKENS)

    def is_valid(self, reference: MessageReference) -> bool:
        """Whether the reference has a token that is not expired and was not rejected."""
        young = self._now() - reference.token_at < TOKEN_SECONDS
        return reference.token is not None and reference.token not in self._rejected and young

    def webhook(self, reference: MessageReference) -> discord.Webhook:
        """The webhook that writes with the reference's token."""
        webhook = discord.Webhook.partial(
            cast(int, reference.application), cast(str, reference.token), client=self._client
        )
        webhook.type = discord.WebhookType.application  # only this type sends ephemeral messages
        return webhook

    def reject(self, reference: MessageReference, error: discord.HTTPException) -> bool:
        """Stop using the token if the error means that it is dead; whether it does."""
        if not is_token_rejected(error):
            return False
        self._rejected[cast(str, reference.token)] = None
        return True
