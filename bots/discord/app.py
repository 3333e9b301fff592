"""The Discord bot's entry point: puts its parts together and serves until cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import aiohttp
import anyio.to_thread
import discord
import structlog

from bots.core.invitations import InvitationKeeper, Tell
from bots.core.line import LineKeeper, OutOfSight
from bots.core.reply import Card
from bots.core.sentences import LOCALES, speak
from bots.core.studio import Studio
from bots.discord import layout
from bots.discord.address import file_origins, point_at
from bots.discord.client import Bot, Shards, own_id
from bots.discord.commands import registry
from bots.discord.files import Files
from bots.discord.mentions import Mentions
from bots.discord.pictures import Pictures
from bots.discord.posts import Gone, Posts, Spot
from bots.discord.presses import Presses
from bots.discord.reception import Reception
from bots.discord.sources import Sources
from imaging.profiles import profile_for
from tasks.client import Client, Invitation, connect
from tasks.settings import Settings

SIZE = discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES
REGISTER_TRIES = 5
log = structlog.get_logger(platform="discord")


@dataclass(frozen=True, slots=True)
class Rounds:
    """Seconds between two looks at the places in line, and at invitations to be told."""

    line: float = 3.0
    invitations: float = 5.0


async def serve(settings: Settings, ready: Callable[[], None], rounds: Rounds = Rounds()) -> None:
    """Run the bot; `ready` is called once, when it hears Discord and its commands are there.

    Raises discord.LoginFailure where the token is not accepted.
    """
    point_at(settings.discord_api_url, settings.discord_gateway_url)
    async with contextlib.AsyncExitStack() as stack:
        client = await stack.enter_async_context(_connected(settings))
        session = await stack.enter_async_context(
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        )
        bot = await stack.enter_async_context(Bot(_shards(settings), settings.discord_gateway_url))
        await _run(_Parts(settings, client, session, bot), ready, rounds)


@dataclass(slots=True)
class _Parts:
    """What the entry point opened."""

    settings: Settings
    client: Client
    session: aiohttp.ClientSession
    bot: Bot


async def _run(parts: _Parts, ready: Callable[[], None], rounds: Rounds) -> None:
    for locale in LOCALES:  # reading them would hold up the loop
        await anyio.to_thread.run_sync(speak, locale)
    bot = parts.bot
    posts = Posts(bot)
    line = LineKeeper(parts.client, "discord", _show(posts), round_pause=rounds.line)
    invitations = InvitationKeeper(
        parts.client, "discord", _invite(posts), pause=rounds.invitations
    )
    reception = _reception(parts, line)
    presses = Presses(reception)
    mentions = Mentions(reception, Sources(parts.client, reception.files))
    tree = await registry.build(bot, reception, presses)
    bot.add_dynamic_items(presses.item())
    bot.formed = presses.sent
    bot.heard = lambda message: mentions.heard(message, own_id(bot))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(bot.listen(_token(parts.settings)))
        tasks.create_task(line.run())
        tasks.create_task(invitations.run())
        tasks.create_task(_open(parts, tree, ready))


def _reception(parts: _Parts, line: LineKeeper) -> Reception:
    default = profile_for(parts.settings.model)
    studio = Studio(
        parts.client,
        lambda name: default if name == default.name else profile_for(name),
        default.name,
    )
    return Reception(
        studio=studio,
        files=Files(parts.session, file_origins(parts.settings.discord_api_url)),
        posts=Posts(parts.bot),
        pictures=Pictures(parts.client, SIZE),
        line=line,
    )


async def _open(parts: _Parts, tree: registry.Tree, ready: Callable[[], None]) -> None:
    """Once Discord is heard: register the commands, then say that members can come."""
    await parts.bot.connected.wait()
    where = f"{parts.settings.discord_api_url} {parts.bot.application_id}"
    note = parts.settings.home / "discord-commands.sha256"
    for trial in range(1, REGISTER_TRIES + 1):
        try:
            sent = await registry.register(tree, note, where)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            log.warning("commands were not registered", why=str(error), trial=trial)
            await asyncio.sleep(min(60, 2**trial))
        else:
            log.info("commands are registered", sent=sent)
            break
    _trim()
    log.info("the Discord bot serves", guilds=len(parts.bot.guilds))
    ready()


def _trim() -> None:
    """Give back to the system what reading hundreds of servers took for a moment (glibc alone).

    The servers themselves stay: later looks for garbage need not go over them.
    """
    gc.collect()
    gc.freeze()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _show(posts: Posts) -> Callable[[Card], Awaitable[None]]:
    """How a place in line is shown: the placeholder is edited, its files are let be."""

    async def show(card: Card) -> None:
        try:
            await posts.edit(Spot.of(card.job), layout.card_view(card), None)
        except Gone as gone:
            raise OutOfSight(gone.code) from None

    return show


def _invite(posts: Posts) -> Tell:
    """How a member of the waitlist is told that it is their turn: in a direct message, or where
    they asked from if those are closed."""

    async def tell(invitation: Invitation, words: str) -> None:
        nonce = f"turn{invitation.member.id}{int(invitation.until.timestamp())}"[-25:]
        if not await posts.whisper(Spot(0), invitation.member.id, words, nonce):
            place = invitation.place
            await posts.call(int(place.thread or place.channel), invitation.member.id, words, nonce)

    return tell


def _token(settings: Settings) -> str:
    if settings.discord_token is None:
        raise discord.LoginFailure("ATELIER_DISCORD_TOKEN is not set.")
    return settings.discord_token.get_secret_value()


def _shards(settings: Settings) -> Shards:
    return Shards.read(settings.discord_shards)


@contextlib.asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[Client]:
    client = await connect(settings)
    try:
        yield client
    finally:
        await client.close()
