"""Which workspace a request of Slack's belongs to, for bolt; and the end of an installation."""

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
    """Bolt's question "may this workspace speak to us, and with which token do we answer?".

    Bolt's own answer asks `auth.test` for every single request; ours is remembered.
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
        """The seat in this workspace, or None where the app is not installed there."""
        if team_id is None:
            return None
        try:
            seat = await self._workspaces.seat(team_id)
        except NotInstalled:
            return None
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            bot_user_id=seat.bot_user,
            bot_id=seat.bot_id,
            bot_token=seat.web.token,
        )


def register(app: AsyncApp, workspaces: Workspaces, client: Client) -> None:
    """Forget the tokens of workspaces that took the app away."""

    async def ended(body: Mapping[str, Any]) -> None:
        team = str(body["team_id"])
        await client.delete_install("slack", team)
        workspaces.forget(team)

    async def revoked(body: Mapping[str, Any]) -> None:
        if body["event"].get("tokens", {}).get("bot"):
            await ended(body)

    app.event("app_uninstalled")(ended)
    app.event("tokens_revoked")(revoked)


def acknowledge_the_rest(app: AsyncApp) -> None:
    """Take note of events and presses that are none of ours, after all listeners that there are:
    Slack would deliver an event again and again, and warn the member about a press."""

    async def noted(ack: Any) -> None:
        await ack()

    app.event(re.compile(""))(noted)
    app.action(re.compile(""))(noted)
