"""discord.py's client as Atelier uses it: sharded, no member cache, no privileged intent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import discord
import structlog
from discord.gateway import DiscordWebSocket
from yarl import URL

from bots.discord.errors import CONNECTION_ERRORS

CLOSE_TIMEOUT = 3.0  # seconds
FIRST_RETRY_DELAY, LONGEST_RETRY_DELAY = 1.0, 60.0  # seconds between two attempts to connect
log = structlog.get_logger(platform="discord")

MessageHandler = Callable[[discord.Message], Awaitable[None]]
ModalHandler = Callable[[discord.Interaction], Awaitable[None]]
MembershipHandler = Callable[[str, bool], Awaitable[None]]
"""Called with a server's id, and whether it added or removed the bot."""

Parser = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class ShardRange:
    """The shards of this process; None leaves them to Discord (all, as many as it recommends)."""

    ids: tuple[int, ...] | None = None
    count: int | None = None

    @classmethod
    def parse(cls, text: str | None) -> ShardRange:
        """Parse the setting: "0-3/8" is shards 0 to 3 of 8. Raises ValueError if it is invalid."""
        if text is None:
            return cls()
        ids, _, count = text.partition("/")
        first, _, last = ids.partition("-")
        try:
            numbers, total = tuple(range(int(first), int(last or first) + 1)), int(count)
        except ValueError:
            numbers, total = (), 0
        if not numbers or numbers[-1] >= total:
            raise ValueError(
                f"ATELIER_DISCORD_SHARDS is {text}: shards are numbered 0 to COUNT - 1."
            )
        return cls(numbers, total)


class GatewayClient(discord.AutoShardedClient):
    """Passes messages and modals to their handlers; sets `connected` when all shards are ready."""

    def __init__(self, shards: ShardRange, gateway_url: str | None = None) -> None:
        options: dict[str, Any] = {}
        if shards.ids is not None:
            options = {"shard_ids": list(shards.ids), "shard_count": shards.count}
        super().__init__(
            intents=discord.Intents(guilds=True, guild_messages=True, dm_messages=True),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            allowed_mentions=discord.AllowedMentions.none(),
            guild_ready_timeout=1.0,
            **options,
        )
        parsers = self._connection.parsers
        for event in parsers.keys() - {"READY"}:  # nothing works without that one
            parsers[event] = _tolerant(event, parsers[event])
        self._gateway = URL(gateway_url) if gateway_url else None
        self.connected = asyncio.Event()
        self.message_handler: MessageHandler | None = None
        self.modal_handler: ModalHandler | None = None
        self.membership_handler: MembershipHandler | None = None

    async def setup_hook(self) -> None:
        """Ask Discord for the gateway's URL, also for shards that were chosen by a setting."""
        if self._gateway is None and self.shard_count is not None:
            _, url, _ = await self.http.get_bot_gateway()
            DiscordWebSocket.DEFAULT_GATEWAY = URL(url)

    async def launch_shard(self, gateway: URL, shard_id: int, *, initial: bool = False) -> None:
        """Connect one shard, at the configured URL if there is one.

        A new session after an invalidated one uses the library's default, so that is set as well.
        """
        address = self._gateway or gateway
        DiscordWebSocket.DEFAULT_GATEWAY = address
        await super().launch_shard(address, shard_id, initial=initial)

    async def run_until_cancelled(self, token: str) -> None:
        """Log in and receive events until cancelled. Raises what `start` raises.

        discord.py swallows a cancellation while it reconnects; closing the client ends it then.
        """
        running = asyncio.ensure_future(self._start_with_retries(token))
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            await self.close()
            running.cancel()
            await asyncio.wait({running}, timeout=CLOSE_TIMEOUT)
            raise

    async def _start_with_retries(self, token: str) -> None:
        """`start`, repeated while Discord is unreachable.

        discord.py reconnects by itself only after the first connection.
        """
        delay = FIRST_RETRY_DELAY
        while True:
            try:
                await self.start(token)
            except (discord.HTTPException, discord.GatewayNotFound, *CONNECTION_ERRORS) as error:
                log.warning("gateway-unreachable", error=str(error), retry_in=delay)
                await self.http.close()
                self.http.connector = discord.utils.MISSING  # closed with the session
                await asyncio.sleep(delay)
                delay = min(LONGEST_RETRY_DELAY, 2 * delay)
            else:
                return

    async def close(self) -> None:
        """Close within a few seconds; discord.py alone waits half a minute for the server."""
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await super().close()
        except TimeoutError:
            log.info("gateway-close-timed-out")
            await self.http.close()

    async def on_ready(self) -> None:
        """All shards of this process are connected."""
        for guild in self.guilds:
            _drop_cached_roles(guild)
        self.connected.set()

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """A server became available again."""
        _drop_cached_roles(guild)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """A server added the bot."""
        _drop_cached_roles(guild)
        if self.membership_handler is not None:
            await self.membership_handler(str(guild.id), True)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """A server removed the bot, or was deleted; an outage is another event."""
        if self.membership_handler is not None:
            await self.membership_handler(str(guild.id), False)

    async def on_message(self, message: discord.Message) -> None:
        """A message that the bot may read."""
        if self.message_handler is not None and message.author != self.user:
            await self.message_handler(message)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Modals are routed by their own ids: discord.py forgets them at a restart."""
        is_modal = interaction.type is discord.InteractionType.modal_submit
        if self.modal_handler is not None and is_modal:
            await self.modal_handler(interaction)


def _tolerant(event: str, parse: Parser) -> Parser:
    """Skip an event that cannot be parsed: discord.py would close the whole shard."""

    def parse_or_skip(data: Any) -> None:
        try:
            parse(data)
        except Exception:
            log.exception("event-unreadable", gateway_event=event)

    return parse_or_skip


def bot_user_id(client: discord.Client) -> int:
    """The bot's user id; an old application's id differs from it."""
    return client.user.id if client.user else 0


def _drop_cached_roles(guild: discord.Guild) -> None:
    """Roles are read from each interaction, so that cached ones only take memory."""
    guild._roles.clear()  # discord.py has no setting for it, unlike for members
