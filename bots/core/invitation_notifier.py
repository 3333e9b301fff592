"""Notifies members of the waitlist when they are invited."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import anyio
import structlog

from bots.core.locales import localizer_for
from tasks.client import Client, Invitation, Unavailable

Notify = Callable[[Invitation, str], Awaitable[None]]
"""Sends a message to an invited member alone; raises what the platform's client raises."""


@dataclass(slots=True)
class InvitationNotifier:
    """Polls for invitations of one platform and sends each to its member.

    Several bot processes may run this: each invitation is claimed by one of them. `pause` is the
    seconds between two polls, `retry_pause` those after a poll with a failed notification.
    """

    client: Client
    platform: str
    notify: Notify
    pause: float = 5.0
    retry_pause: float = 60.0

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            succeeded = True
            try:
                for invitation in await self.client.waitlist.claim_invitations(self.platform):
                    succeeded &= await self._send(invitation)
            except Unavailable as error:
                structlog.get_logger().warning(
                    "invitations-unavailable", platform=self.platform, error=str(error)
                )
            await anyio.sleep(self.pause if succeeded else self.retry_pause)

    async def _send(self, invitation: Invitation) -> bool:
        localize = localizer_for(invitation.member.locale)
        left = invitation.until - datetime.now(UTC)
        try:
            await self.notify(invitation, localize("waitlist-your-turn", left=left))
        except Exception as error:  # noqa: BLE001 - one member's fault must not delay the others
            structlog.get_logger().warning(
                "invitation-not-sent", platform=self.platform, error=type(error).__name__
            )
            await self.client.waitlist.release(invitation)
            return False
        await self.client.waitlist.mark_notified(invitation)
        return True
