"""Resolves the workspace of each request for bolt, and handles the end of an installation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.async_context import AsyncBoltContext

from bots.slack.workspaces import NotInstalled, Workspaces
from tasks.client import Client


class Authorize(AsyncAuthorize):
    """Resolves the token of the workspace that sent a request.

    Bolt's own implementation calls `auth.test` for every request; this one caches.
    """

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces

    async def __call__(
        self,
        *,
        context: AsyncBoltContext,  # noqa: ARG002 - bolt's signature
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None,  # noqa: ARG002
        actor_enterprise_id: str | None = None,  # noqa: ARG002
        actor_team_id: str | None = None,  # noqa: ARG002
        actor_user_id: str | None = None,  # noqa: ARG002
    ) -> AuthorizeResult | None:
        """The app's identity in this workspace, or None where it is not installed."""
        if team_id is None:
            return None
        try:
            workspace_client = await self._workspaces.workspace_client(team_id)
        except NotInstalled:
            return None
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            bot_user_id=workspace_client.bot_user,
            bot_id=workspace_client.bot_id,
            bot_token=workspace_client.web.token,
        )


def register(app: AsyncApp, workspaces: Workspaces, client: Client) -> None:
    """Delete the installation of a workspace that uninstalls the app or revokes its token.

    The workspace's data is erased after a grace period, unless it installs the app again.
    """

    async def forget_installation(body: Mapping[str, Any]) -> None:
        team = str(body["team_id"])
        await client.installs.delete("slack", team)
        await client.installs.record_departure("slack", team)
        workspaces.forget(team)

    async def on_tokens_revoked(body: Mapping[str, Any]) -> None:
        if body["event"].get("tokens", {}).get("bot"):
            await forget_installation(body)

    app.event("app_uninstalled")(forget_installation)
    app.event("tokens_revoked")(on_tokens_revoked)


def acknowledge_unhandled(app: AsyncApp) -> None:
    """Acknowledge the events and actions that no listener handles. Register this last.

    Unacknowledged, an event is delivered again, and an action shows the member a warning.
    """

    async def acknowledge(ack: Any) -> None:
        await ack()

    app.event(re.compile(""))(acknowledge)
    app.action(re.compile(""))(acknowledge)
