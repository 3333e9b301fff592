"""Messages that invite members from the waitlist."""

from __future__ import annotations

from bots.core.invitation_notifier import Notify
from bots.slack.blocks import message
from bots.slack.transport import Rejected
from bots.slack.workspaces import Workspaces
from tasks.client import Invitation


def invitation_sender(workspaces: Workspaces) -> Notify:
    """A function that sends an invitation as a direct message.

    Where direct messages are rejected, it posts an ephemeral message in the place from which the
    member joined the waitlist.
    """

    async def send(invitation: Invitation, text: str) -> None:
        member, place = invitation.member, invitation.place
        web = (await workspaces.workspace_client(member.workspace)).web
        try:
            await web.call("chat.postMessage", channel=member.id, **message(text))
        except Rejected:
            await web.call(
                "chat.postEphemeral",
                channel=place.channel,
                user=member.id,
                thread_ts=place.thread,
                **message(text),
            )

    return send
