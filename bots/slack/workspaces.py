"""Which workspaces the app speaks to and with which token: one that was set, or all installed."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.pace import Pace
from bots.slack.web import Web, web_client
from tasks.settings import Settings

FRESH = 30.0  # seconds for which a token that was read is used without reading it again

FindInstall = Callable[[str], Awaitable[Mapping[str, Any] | None]]
"""Gives a workspace's installation as it was saved, or None."""


class NotInstalled(Exception):
    """The app is not installed in this workspace (any more)."""


@dataclass(frozen=True, slots=True)
class Seat:
    """The app in one workspace: how to call, and which user and bot it is there."""

    web: Web
    bot_user: str
    bot_id: str


class Workspaces(Protocol):
    """Finds the app's seat in a workspace."""

    async def seat(self, team: str) -> Seat:
        """The seat. Raises NotInstalled, or a SlackFault where Slack cannot be asked."""

    def forget(self, team: str) -> None:
        """The token was changed or taken back: read it again."""


class Wire:
    """One connection pool to one Slack, and the pace of this process."""

    def __init__(self, url: str, share: float = 0.5) -> None:
        self.url = url
        self.pace = Pace(share)
        self._session: aiohttp.ClientSession | None = None

    def client(self, token: str | None = None) -> AsyncWebClient:
        """The stock client, on the shared pool."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20.0))
        return web_client(self.url, token, self._session)

    def web(self, token: str, team: str) -> Web:
        """Paced calls with a token."""
        return Web(self.client(token), team, self.pace)

    async def close(self) -> None:
        """Let go of connections."""
        if self._session is not None:
            await self._session.close()


@dataclass(slots=True)
class OneWorkspace:
    """The workspace whose bot token was set; `others` are those that installed the app."""

    wire: Wire
    token: str
    others: ManyWorkspaces | None = None
    _seat: Seat | None = None

    async def seat(self, team: str) -> Seat:
        """The seat in the token's own workspace, or in another that installed the app."""
        seat = await self._own()
        if team == seat.web.team:
            return seat
        if self.others is None:
            raise NotInstalled(team)
        return await self.others.seat(team)

    def forget(self, team: str) -> None:
        """The token was changed or taken back: read it again."""
        if self.others is not None:
            self.others.forget(team)

    async def _own(self) -> Seat:
        """The seat of the token's workspace; asks Slack once which one that is."""
        if self._seat is None:
            seen = await self.wire.web(self.token, "").call("auth.test")
            web = self.wire.web(self.token, str(seen["team_id"]))
            self._seat = Seat(web, str(seen["user_id"]), str(seen.get("bot_id", "")))
        return self._seat


@dataclass(slots=True)
class ManyWorkspaces:
    """Every workspace that installed the app; tokens come from the record."""

    wire: Wire
    find: FindInstall
    clock: Callable[[], float] = time.monotonic
    _seats: dict[str, tuple[float, Seat]] = field(default_factory=dict)

    async def seat(self, team: str) -> Seat:
        """The seat, with the token as it is in the record now."""
        known = self._seats.get(team)
        if known is not None and known[0] > self.clock() - FRESH:
            return known[1]
        install = await self.find(team)
        if install is None:
            self._seats.pop(team, None)
            raise NotInstalled(team)
        web = self.wire.web(str(install["bot_token"]), team)
        seat = Seat(web, str(install["bot_user_id"]), str(install.get("bot_id") or ""))
        self._seats[team] = (self.clock(), seat)
        return seat

    def forget(self, team: str) -> None:
        """The token was changed or taken back: read it again."""
        self._seats.pop(team, None)


def workspaces_of(settings: Settings, wire: Wire, find: FindInstall) -> Workspaces | None:
    """The workspaces of these settings: by a token, by installation, or both; None for none."""
    many = ManyWorkspaces(wire, find) if settings.slack_client_id else None
    if settings.slack_bot_token is None:
        return many
    return OneWorkspace(wire, settings.slack_bot_token.get_secret_value(), many)
