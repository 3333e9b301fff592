"""Telling members of the waitlist that it is their turn, as they were promised."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import anyio
import structlog

from bots.core.sentences import speak
from tasks.client import Client, Invitation, Unavailable

Tell = Callable[[Invitation, str], Awaitable[None]]
"""Says a sentence to an invited member alone; raises what the platform's client raises."""


@dataclass(slots=True)
class InvitationKeeper:
    """Looks for invitations of one platform that nobody was told of, and has them told.

    Several bot processes may look: each invitation is claimed by one of them. `pause` is the
    seconds between two looks, and `retry_pause` those after one that could not be told.
    """

    client: Client
    platform: str
    tell: Tell
    pause: float = 5.0
    retry_pause: float = 60.0

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            told = True
            try:
                for invitation in await self.client.claim_invitations(self.platform):
                    told &= await self._tell(invitation)
            except Unavailable as error:
                structlog.get_logger().warning("invitations are told later", why=str(error))
            await anyio.sleep(self.pause if told else self.retry_pause)

    async def _tell(self, invitation: Invitation) -> bool:
        say = speak(invitation.member.locale)
        left = invitation.until - datetime.now(UTC)
        try:
            await self.tell(invitation, say("waitlist-your-turn", left=left))
        except Exception as error:  # noqa: BLE001 - one member's fault must not cost the next their turn
            structlog.get_logger().warning(
                "an invitation could not be told", platform=self.platform, why=type(error).__name__
            )
            await self.client.untell(invitation)
            return False
        await self.client.told(invitation)
        return True
