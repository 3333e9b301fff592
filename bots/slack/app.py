"""The entry point of the Slack bot: builds the app and serves it over Socket Mode or HTTP."""

from __future__ import annotations

import functools
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
from slack_bolt.async_app import AsyncApp
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow

from bots.core.command_handler import CommandHandler, build_command_handler
from bots.core.invitation_notifier import InvitationNotifier
from bots.core.locales import localizer_for
from bots.core.position_updater import PositionUpdater
from bots.core.report_notifier import ReportNotifier
from bots.slack import authorization, commands, home, interactions, modals
from bots.slack.dedupe import Deduplicator
from bots.slack.http_routes import http_app
from bots.slack.http_server import serve_http
from bots.slack.invitations import invitation_sender
from bots.slack.job_messages import position_editor
from bots.slack.listener_context import ListenerContext
from bots.slack.oauth import InstallationStore, oauth_flow, renew_tokens_forever
from bots.slack.placeholder_poster import PlaceholderPoster
from bots.slack.replies import ReplyPoster
from bots.slack.report_publisher import SlackReportPublisher
from bots.slack.roles import MemberDirectory
from bots.slack.socket_mode import receive_over_socket
from bots.slack.workspaces import Transport, Workspaces, workspaces_from
from tasks.client import connect
from tasks.runtime.settings import Settings

RATE_SHARE = 0.3  # of each rate limit; the workers have the rest
POSITION_EDIT_PAUSE = 1.5  # seconds between two edits of places in line


@dataclass(frozen=True, slots=True)
class SlackApp:
    """The bolt app and the services behind it."""

    app: AsyncApp
    listener_context: ListenerContext
    position_updater: PositionUpdater
    transport: Transport
    workspaces: Workspaces

    async def close(self) -> None:
        """Finish running work and close the connections."""
        await self.listener_context.deduplicator.close()
        await self.transport.close()


def build(settings: Settings, handler: CommandHandler) -> SlackApp:
    """Build the app. Call it inside the event loop that will run it."""
    transport = Transport(settings.slack_api_url, RATE_SHARE)
    find = functools.partial(handler.client.installs.find, "slack")
    workspaces = workspaces_from(settings, transport, find)
    if workspaces is None:
        raise ValueError("Slack needs ATELIER_SLACK_BOT_TOKEN or ATELIER_SLACK_CLIENT_ID")
    position_updater = PositionUpdater(
        handler.client,
        "slack",
        position_editor(workspaces, localizer_for),
        pause=POSITION_EDIT_PAUSE,
    )
    listener_context = ListenerContext(
        handler=handler,
        workspaces=workspaces,
        directory=MemberDirectory(),
        poster=ReplyPoster(handler.client, PlaceholderPoster(handler.client, position_updater)),
        deduplicator=Deduplicator(),
        api_url=settings.slack_api_url,
    )
    secret = settings.slack_signing_secret
    app = AsyncApp(
        name="atelier",
        logger=bolt_logger(),
        client=transport.client(),
        # Bolt accepts None for "not installed"; its type omits it.
        authorize=authorization.Authorize(workspaces),  # type: ignore[arg-type]
        signing_secret=secret.get_secret_value() if secret else "",
    )
    commands.register(app, listener_context)
    interactions.register(app, listener_context)
    modals.register(app, listener_context)
    home.register(app, listener_context)
    authorization.register(app, workspaces, handler.client)
    authorization.acknowledge_unhandled(app)
    return SlackApp(app, listener_context, position_updater, transport, workspaces)


async def serve(settings: Settings, ready: Callable[[], None]) -> None:
    """Serve until cancelled, over Socket Mode with an app token, otherwise over HTTP.

    Calls `ready` once Slack can reach the app. Raises ValueError for incomplete settings, and
    PortUnavailable where the address of the HTTP routes cannot be bound.
    """
    async with _command_handler(settings) as handler:
        slack = build(settings, handler)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_run_background, slack, settings)
                await _receive(slack, settings, ready)
                tasks.cancel_scope.cancel()
        finally:
            with anyio.CancelScope(shield=True):
                await slack.close()


async def _receive(slack: SlackApp, settings: Settings, ready: Callable[[], None]) -> None:
    """Receive Slack's events until cancelled."""
    if settings.slack_app_token is not None:
        token = settings.slack_app_token.get_secret_value()
        await receive_over_socket(slack.app, token, slack.transport.client(), ready)
        return
    if settings.slack_signing_secret is None:
        raise ValueError("Slack needs ATELIER_SLACK_APP_TOKEN or ATELIER_SLACK_SIGNING_SECRET")
    secret = settings.slack_signing_secret.get_secret_value()
    routes = http_app(slack.app, secret, _install_flow(slack, settings))
    await serve_http(routes, settings.slack_http_host, settings.slack_http_port, ready)


@asynccontextmanager
async def _command_handler(settings: Settings) -> AsyncIterator[CommandHandler]:
    client = await connect(settings)
    try:
        yield build_command_handler(client, settings.model)
    finally:
        await client.close()


async def _run_background(slack: SlackApp, settings: Settings) -> None:
    """Run the background tasks: places in line, invitations, reports, token renewal."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(slack.position_updater.run)
        send = invitation_sender(slack.workspaces)
        tasks.start_soon(InvitationNotifier(slack.listener_context.client, "slack", send).run)
        publisher = SlackReportPublisher(slack.workspaces)
        tasks.start_soon(ReportNotifier(slack.listener_context.client, "slack", publisher).run)
        credentials = _credentials(settings)
        if credentials is not None:
            client = slack.listener_context.client
            installs = InstallationStore(client, slack.workspaces)
            tasks.start_soon(renew_tokens_forever, client, installs, slack.transport, *credentials)


def bolt_logger() -> logging.Logger:
    """Bolt's base logger, for errors only: its warnings contain the bodies of requests."""
    logger = logging.getLogger("slack_bolt")
    logger.setLevel(logging.ERROR)
    return logger


def _install_flow(slack: SlackApp, settings: Settings) -> AsyncOAuthFlow | None:
    credentials = _credentials(settings)
    if credentials is None:
        return None
    installs = InstallationStore(slack.listener_context.client, slack.workspaces)
    return oauth_flow(slack.transport, *credentials, installs)


def _credentials(settings: Settings) -> tuple[str, str] | None:
    """The client id and secret of the app, or None."""
    id_, secret = settings.slack_client_id, settings.slack_client_secret
    return (id_, secret.get_secret_value()) if id_ and secret else None
