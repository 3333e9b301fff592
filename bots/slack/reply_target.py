"""Where a reply goes on Slack."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bots.slack.transport import Web
from bots.slack.workspaces import WorkspaceClient

Respond = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Answers an interaction at its `response_url`; raises SlackError."""


@dataclass(frozen=True, slots=True)
class ReplyTarget:
    """Where a reply goes.

    `thread` is None for a slash command. `respond` is set for interactions, and works even where
    the app is not in the channel.
    """

    workspace_client: WorkspaceClient
    channel: str
    user: str
    thread: str | None
    respond: Respond | None = None

    @property
    def web(self) -> Web:
        """The Web API of the workspace."""
        return self.workspace_client.web

    @property
    def direct(self) -> bool:
        """Whether the channel is the member's direct messages with the app."""
        return self.channel.startswith(("D", "U", "W"))

    @property
    def reply_to(self) -> dict[str, Any]:
        """What a job stores so that the publisher finds this place again."""
        return {"channel": self.channel, "thread": self.thread, "user": self.user}
