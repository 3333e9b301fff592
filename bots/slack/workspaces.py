"""The workspaces of the app and their tokens: the configured one, or all that installed it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.rate_limit import RateLimiter
from bots.slack.transport import Web, web_client
from tasks.runtime.settings import Settings

FRESH_SECONDS = 30.0  # seconds a token is cached

FindInstall = Callable[[str], Awaitable[Mapping[str, Any] | None]]
"""Finds the stored installation of a workspace, or None."""


class NotInstalled(Exception):
    """The app is not installed in this workspace."""


@dataclass(frozen=True, slots=True)
class WorkspaceClient:
    """The app in one workspace: its Web API, and its user and bot ids there."""

    web: Web
    bot_user: str
    bot_id: str


class Workspaces(Protocol):
    """Finds the client of a workspace."""

    async def workspace_client(self, team: str) -> WorkspaceClient:
        """The client. Raises NotInstalled, or SlackError where Slack does not answer."""

    def forget(self, team: str) -> None:
        """Drop the cached token: it was changed or revoked."""


class Transport:
    """One connection pool to Slack, and the rate limiter of this process."""

    def __init__(self, url: str, share: float = 0.5) -> None:
        self.url = url
        self.limiter = RateLimiter(share)
        self._session: aiohttp.ClientSession | None = None

    def client(self, token: str | None = None) -> AsyncWebClient:
        """The SDK's client on the shared pool."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20.0))
        return web_client(self.url, token, self._session)

    def web(self, token: str, team: str) -> Web:
        """The rate-limited Web API with a token."""
        return Web(self.client(token), team, self.limiter)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


@dataclass(slots=True)
class SingleWorkspace:
    """The workspace of the configured bot token; `others` are those that installed the app."""

    transport: Transport
    token: str
    others: InstalledWorkspaces | None = None
    _own_client: WorkspaceClient | None = None

    async def workspace_client(self, team: str) -> WorkspaceClient:
        """The client of the token's own workspace, or of another that installed the app."""
        workspace_client = await self._own()
        if team == workspace_client.web.team:
            return workspace_client
        if self.others is None:
            raise NotInstalled(team)
        return await self.others.workspace_client(team)

    def forget(self, team: str) -> None:
        """Drop the cached token: it was changed or revoked."""
        if self.others is not None:
            self.others.forget(team)

    async def _own(self) -> WorkspaceClient:
        """The client of the token's workspace; asks Slack once which one that is."""
        if self._own_client is None:
            identity = await self.transport.web(self.token, "").call("auth.test")
            web = self.transport.web(self.token, str(identity["team_id"]))
            self._own_client = WorkspaceClient(
                web, str(identity["user_id"]), str(identity.get("bot_id", ""))
            )
        return self._own_client


@dataclass(slots=True)
class InstalledWorkspaces:
    """Every workspace that installed the app; tokens come from the database."""

    transport: Transport
    find: FindInstall
    clock: Callable[[], float] = time.monotonic
    _clients: dict[str, tuple[float, WorkspaceClient]] = field(default_factory=dict)

    async def workspace_client(self, team: str) -> WorkspaceClient:
        """The client with the stored token."""
        cached = self._clients.get(team)
        if cached is not None and cached[0] > self.clock() - FRESH_SECONDS:
            return cached[1]
        install = await self.find(team)
        if install is None:
            self._clients.pop(team, None)
            raise NotInstalled(team)
        web = self.transport.web(str(install["bot_token"]), team)
        workspace_client = WorkspaceClient(
            web, str(install["bot_user_id"]), str(install.get("bot_id") or "")
        )
        self._clients[team] = (self.clock(), workspace_client)
        return workspace_client

    def forget(self, team: str) -> None:
        """Drop the cached token: it was changed or revoked."""
        self._clients.pop(team, None)


def workspaces_from(
    settings: Settings, transport: Transport, find: FindInstall
) -> Workspaces | None:
    """The configured workspaces: by token, by installation, or both; None without either."""
    installed = InstalledWorkspaces(transport, find) if settings.slack_client_id else None
    if settings.slack_bot_token is None:
        return installed
    return SingleWorkspace(transport, settings.slack_bot_token.get_secret_value(), installed)
