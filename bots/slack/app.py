"""Slack's entry points: `serve` for Socket Mode, `mounted` for HTTP inside the web process."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import structlog
from pydantic import SecretStr
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from starlette.routing import Route

from bots.core.invitations import InvitationKeeper
from bots.core.line import LineKeeper
from bots.core.sentences import speak
from bots.core.studio import Studio
from bots.slack import authorization, commands, home, interactions, modals
from bots.slack.http import routes
from bots.slack.installing import RecordedInstalls, flow, keep_fresh
from bots.slack.once import Once
from bots.slack.posting import Poster, inviter, line_shower
from bots.slack.roles import Directory
from bots.slack.room import Room
from bots.slack.workspaces import Wire, Workspaces, workspaces_of
from imaging.profiles import Profile, profile_for
from tasks.client import connect
from tasks.settings import Settings

SHARE = 0.3  # of each rate tier; the rest is the workers'
PING = 5.0  # seconds; a dead socket is noticed after about two of them
LINE_PAUSE = 1.5  # seconds between two edits of places in line
STUCK = 30.0  # seconds without a connection after which a new address is asked for


@dataclass(frozen=True, slots=True)
class Slack:
    """The bolt app and what stands behind it."""

    app: AsyncApp
    room: Room
    keeper: LineKeeper
    wire: Wire
    workspaces: Workspaces

    async def close(self) -> None:
        """Bring what runs to an end and let go of connections."""
        await self.room.once.close()
        await self.wire.close()


def build(settings: Settings, studio: Studio) -> Slack:
    """Put the app together. Call it inside the event loop that it will live in."""
    wire = Wire(settings.slack_api_url, SHARE)
    find = functools.partial(studio.client.find_install, "slack")
    workspaces = workspaces_of(settings, wire, find)
    if workspaces is None:
        raise ValueError("Slack needs ATELIER_SLACK_BOT_TOKEN or ATELIER_SLACK_CLIENT_ID")
    keeper = LineKeeper(studio.client, "slack", line_shower(workspaces, speak), pause=LINE_PAUSE)
    room = Room(
        studio=studio,
        workspaces=workspaces,
        directory=Directory(),
        poster=Poster(studio.client, keeper),
        once=Once(),
        api_url=settings.slack_api_url,
    )
    secret = settings.slack_signing_secret
    app = AsyncApp(
        name="atelier",
        client=wire.client(),
        # Bolt takes None for "not installed here"; its type forgot it.
        authorize=authorization.Authorize(workspaces),  # type: ignore[arg-type]
        signing_secret=secret.get_secret_value() if secret else "",
    )
    commands.register(app, room)
    interactions.register(app, room)
    modals.register(app, room)
    home.register(app, room)
    authorization.register(app, workspaces, studio.client)
    authorization.acknowledge_the_rest(app)
    return Slack(app, room, keeper, wire, workspaces)


async def serve(settings: Settings, ready: Callable[[], None]) -> None:
    """Serve over Socket Mode until cancelled; `ready` is called once the socket is open."""
    if settings.slack_app_token is None:
        raise ValueError("Socket Mode needs ATELIER_SLACK_APP_TOKEN")
    async with _studio(settings) as studio:
        await _over_socket(build(settings, studio), settings, settings.slack_app_token, ready)


async def _over_socket(
    slack: Slack, settings: Settings, token: SecretStr, ready: Callable[[], None]
) -> None:
    handler = AsyncSocketModeHandler(
        slack.app,
        token.get_secret_value(),
        web_client=slack.wire.client(),
        ping_interval=PING,
    )
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_watch, handler)
            tasks.start_soon(_upkeep, slack, settings)
            await handler.connect_async()  # type: ignore[no-untyped-call]
            ready()
    finally:
        with anyio.CancelScope(shield=True):
            await handler.close_async()  # type: ignore[no-untyped-call]
            await slack.close()


@asynccontextmanager
async def mounted(settings: Settings) -> AsyncIterator[list[Route]]:
    """Routes for the web process, served and kept up inside the `with`."""
    async with _studio(settings) as studio:
        slack = build(settings, studio)
        try:
            async with asyncio.TaskGroup() as tasks:
                upkeep = tasks.create_task(_upkeep(slack, settings))
                yield routes(slack.app, _install_flow(slack, settings))
                upkeep.cancel()
        finally:
            await slack.close()


@asynccontextmanager
async def _studio(settings: Settings) -> AsyncIterator[Studio]:
    client = await connect(settings)
    default = profile_for(settings.model)

    def profile(name: str) -> Profile:
        return default if name == default.name else profile_for(name)

    try:
        yield Studio(client, profile, default.name)
    finally:
        await client.close()


async def _upkeep(slack: Slack, settings: Settings) -> None:
    """What goes on beside answering: places in line, and tokens that must not expire."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(slack.keeper.run)
        tell = inviter(slack.workspaces)
        tasks.start_soon(InvitationKeeper(slack.room.client, "slack", tell).run)
        credentials = _credentials(settings)
        if credentials is not None:
            client = slack.room.client
            installs = RecordedInstalls(client, slack.workspaces)
            tasks.start_soon(keep_fresh, client, installs, slack.wire, *credentials)


async def _watch(handler: AsyncSocketModeHandler) -> None:
    """Free the stock client where it goes on trying an address that Slack no longer takes."""
    client, away = handler.client, 0.0
    while True:
        await anyio.sleep(PING)
        away = 0.0 if await client.is_connected() else away + PING
        if away >= STUCK:
            structlog.get_logger().warning("asking Slack for a new socket address")
            client.wss_uri = None
            away = 0.0


def _install_flow(slack: Slack, settings: Settings) -> AsyncOAuthFlow | None:
    credentials = _credentials(settings)
    if credentials is None:
        return None
    installs = RecordedInstalls(slack.room.client, slack.workspaces)
    return flow(slack.wire, *credentials, installs)


def _credentials(settings: Settings) -> tuple[str, str] | None:
    """The app's id and secret, with which workspaces install it."""
    id_, secret = settings.slack_client_id, settings.slack_client_secret
    return (id_, secret.get_secret_value()) if id_ and secret else None
