"""The Discord bot's entry point: composes its parts and serves until cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import aiohttp
import anyio.to_thread
import discord
import stamina
import structlog

from bots.core.command_handler import build_command_handler
from bots.core.invitation_notifier import InvitationNotifier, Notify
from bots.core.locales import LOCALES, localizer_for
from bots.core.position_updater import MessageGone, PositionUpdater
from bots.core.reply import Card
from bots.core.report_notifier import ReportNotifier
from bots.discord import message_view
from bots.discord.attachments import PictureFiles
from bots.discord.commands import registry
from bots.discord.components import ComponentHandler
from bots.discord.endpoints import file_origins, use_endpoints
from bots.discord.errors import PermanentFailure
from bots.discord.file_download import FileDownloader
from bots.discord.gateway_client import GatewayClient, ShardRange, bot_user_id
from bots.discord.interaction_responder import InteractionResponder
from bots.discord.mentions import MentionHandler
from bots.discord.message_reference import MessageReference
from bots.discord.messages import MessageClient
from bots.discord.report_publisher import DiscordReportPublisher
from bots.discord.source_images import SourceImages
from tasks.client import Client, Invitation, Unavailable, connect
from tasks.runtime.settings import Settings

SIZE_LIMIT = discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES
log = structlog.get_logger(platform="discord")


@dataclass(frozen=True, slots=True)
class PollIntervals:
    """Seconds between two rounds over queue positions, and over new invitations and reports."""

    line: float = 3.0
    invitations: float = 5.0


async def serve(
    settings: Settings, ready: Callable[[], None], intervals: PollIntervals = PollIntervals()
) -> None:
    """Run the bot; calls `ready` once, when the gateway and the commands are ready.

    Raises discord.LoginFailure if the token is missing or rejected.
    """
    use_endpoints(settings.discord_api_url, settings.discord_gateway_url)
    async with contextlib.AsyncExitStack() as stack:
        client = await stack.enter_async_context(_connected(settings))
        session = await stack.enter_async_context(
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        )
        shards = ShardRange.parse(settings.discord_shards)
        gateway = GatewayClient(shards, settings.discord_gateway_url)
        await stack.enter_async_context(gateway)
        await _run(_Resources(settings, client, session, gateway), ready, intervals)


@dataclass(frozen=True, slots=True)
class _Resources:
    """What `serve` opens and closes."""

    settings: Settings
    client: Client
    session: aiohttp.ClientSession
    gateway: GatewayClient


async def _run(resources: _Resources, ready: Callable[[], None], intervals: PollIntervals) -> None:
    for locale in LOCALES:  # parsing them would block the event loop
        await anyio.to_thread.run_sync(localizer_for, locale)
    client, gateway = resources.client, resources.gateway
    messages = MessageClient(gateway)
    positions = PositionUpdater(
        client, "discord", _edit_placeholder(messages), round_pause=intervals.line
    )
    invitations = InvitationNotifier(
        client, "discord", _send_invitation(messages), pause=intervals.invitations
    )
    responder = _responder(resources, messages, positions)
    reports = ReportNotifier(
        client,
        "discord",
        DiscordReportPublisher(messages, responder.picture_files),
        pause=intervals.invitations,
    )
    components = ComponentHandler(responder)
    mentions = MentionHandler(responder, SourceImages(client, responder.downloader))
    tree = await registry.build(gateway, responder, components)
    gateway.add_dynamic_items(components.dynamic_item())
    gateway.modal_handler = components.handle_modal
    gateway.membership_handler = partial(_record_membership, client)
    gateway.message_handler = lambda message: mentions.handle(message, bot_user_id(gateway))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(gateway.run_until_cancelled(_token(resources.settings)))
        tasks.create_task(positions.run())
        tasks.create_task(invitations.run())
        tasks.create_task(reports.run())
        tasks.create_task(_register_commands(resources, tree, ready))


async def _record_membership(client: Client, guild: str, is_member: bool) -> None:
    """Record that a server added or removed the bot, also after an outage of the database."""
    record = client.installs.record_return if is_member else client.installs.record_departure
    async for attempt in stamina.retry_context(on=Unavailable, attempts=None, timeout=3600.0):
        with attempt:
            await record("discord", guild)


def _responder(
    resources: _Resources, messages: MessageClient, positions: PositionUpdater
) -> InteractionResponder:
    command_handler = build_command_handler(resources.client, resources.settings.model)
    origins = file_origins(resources.settings.discord_api_url)
    upload_bytes = resources.client.pictures.upload_bytes
    return InteractionResponder(
        command_handler=command_handler,
        downloader=FileDownloader(resources.session, origins, upload_bytes),
        message_client=messages,
        picture_files=PictureFiles(resources.client, SIZE_LIMIT),
        positions=positions,
    )


async def _register_commands(
    resources: _Resources, tree: registry.Tree, ready: Callable[[], None]
) -> None:
    """Register the commands once the gateway is connected, then report readiness."""
    await resources.gateway.connected.wait()
    settings = resources.settings
    where = f"{settings.discord_api_url} {resources.gateway.application_id}"
    await registry.register_with_retries(tree, settings.home / "discord-commands.sha256", where)
    _return_memory()
    log.info("discord-ready", guilds=len(resources.gateway.guilds))
    ready()


def _return_memory() -> None:
    """Return to the system the memory that parsing hundreds of servers took (glibc only).

    The servers stay in memory; freezing them keeps them out of later garbage collections.
    """
    gc.collect()
    gc.freeze()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _edit_placeholder(messages: MessageClient) -> Callable[[Card], Awaitable[None]]:
    """Shows a queue position by editing the placeholder; its files stay."""

    async def edit(card: Card) -> None:
        try:
            view = message_view.card_view(card)
            await messages.edit(MessageReference.of(card.job), view, None)
        except PermanentFailure as failure:
            raise MessageGone(failure.code) from None

    return edit


def _send_invitation(messages: MessageClient) -> Notify:
    """Notifies an invited member by direct message, or in the channel where they joined."""

    async def send(invitation: Invitation, text: str) -> None:
        member = invitation.member.id
        nonce = f"turn{member}{int(invitation.until.timestamp())}"[-25:]
        if not await messages.private.send(MessageReference(0), member, text, nonce):
            place = invitation.place
            await messages.private.mention(int(place.thread or place.channel), member, text, nonce)

    return send


def _token(settings: Settings) -> str:
    if settings.discord_token is None:
        raise discord.LoginFailure("ATELIER_DISCORD_TOKEN is not set.")
    return settings.discord_token.get_secret_value()


@contextlib.asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[Client]:
    client = await connect(settings)
    try:
        yield client
    finally:
        await client.close()
