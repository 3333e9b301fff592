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

from bots.discord.posts import LOST

GOODBYE = 3.0  # seconds
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds between two tries to log in
log = structlog.get_logger(platform="discord")

Heard = Callable[[discord.Message], Awaitable[None]]
Parse = Callable[[Any], None]
Formed = Callable[[discord.Interaction], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Shards:
    """Which shards this process runs; None leaves it to Discord (all, as many as it advises)."""

    ids: tuple[int, ...] | None = None
    count: int | None = None

    @classmethod
    def read(cls, text: str | None) -> Shards:
        """From the setting: "0-3/8" is shards 0 to 3 of 8. Raises ValueError where it cannot be."""
        if text is None:
            return cls()
        ids, _, count = text.partition("/")
        first, _, last = ids.partition("-")
        numbers = tuple(range(int(first), int(last or first) + 1))
        if not numbers or numbers[-1] >= int(count):
            raise ValueError(f"ATELIER_DISCORD_SHARDS is {text}: there are shards 0 to COUNT - 1.")
        return cls(numbers, int(count))


class Bot(discord.AutoShardedClient):
    """The gateway's end of the room: what it hears is handed on. `connected` is set then."""

    def __init__(self, shards: Shards, gateway_url: str | None = None) -> None:
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
        for event in parsers.keys() - {"READY"}:  # without that one there is nothing to go on with
            parsers[event] = _lenient(event, parsers[event])
        self._gateway = URL(gateway_url) if gateway_url else None
        self.connected = asyncio.Event()
        self.heard: Heard | None = None
        self.formed: Formed | None = None

    async def setup_hook(self) -> None:
        """Ask where the gateway is, for shards that were chosen by hand as well."""
        if self._gateway is None and self.shard_count is not None:
            _, url, _ = await self.http.get_bot_gateway()
            DiscordWebSocket.DEFAULT_GATEWAY = URL(url)

    async def launch_shard(self, gateway: URL, shard_id: int, *, initial: bool = False) -> None:
        """Connect one shard, at the address that is set where one is.

        An invalidated session begins anew at the library's own address, so that is kept right too.
        """
        address = self._gateway or gateway
        DiscordWebSocket.DEFAULT_GATEWAY = address
        await super().launch_shard(address, shard_id, initial=initial)

    async def listen(self, token: str) -> None:
        """Log in and hear Discord until cancelled. Raises what `start` raises.

        The library swallows a cancellation that comes while it reconnects; then closing ends it.
        """
        listening = asyncio.ensure_future(self._enter(token))
        try:
            await asyncio.shield(listening)
        except asyncio.CancelledError:
            await self.close()
            listening.cancel()
            await asyncio.wait({listening}, timeout=GOODBYE)
            raise

    async def _enter(self, token: str) -> None:
        """`start`, again and again while Discord cannot be reached: the library gives up at once
        there, and tries again only once it was connected."""
        pause = FIRST_PAUSE
        while True:
            try:
                await self.start(token)
            except (discord.HTTPException, discord.GatewayNotFound, *LOST) as error:
                log.warning("Discord cannot be reached", why=str(error), again_in=pause)
                await self.http.close()
                self.http.connector = discord.utils.MISSING  # it was closed with the session
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE, 2 * pause)
            else:
                return

    async def close(self) -> None:
        """Say goodbye to Discord, but not for long: the library waits half a minute for an echo."""
        try:
            async with asyncio.timeout(GOODBYE):
                await super().close()
        except TimeoutError:
            log.info("the gateway did not say goodbye")
            await self.http.close()

    async def on_ready(self) -> None:
        """All shards of this process hear Discord."""
        for guild in self.guilds:
            _forget_roles(guild)
        self.connected.set()

    async def on_guild_available(self, guild: discord.Guild) -> None:
        """A server came back."""
        _forget_roles(guild)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """A server added the bot."""
        _forget_roles(guild)

    async def on_message(self, message: discord.Message) -> None:
        """A message that the bot may read."""
        if self.heard is not None and message.author != self.user:
            await self.heard(message)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Forms find their way by their own ids: discord.py forgets them at a restart."""
        if self.formed is not None and interaction.type is discord.InteractionType.modal_submit:
            await self.formed(interaction)


def _lenient(event: str, parse: Parse) -> Parse:
    """An event that cannot be read is left out: the library would give the whole shard up."""

    def read(data: Any) -> None:
        try:
            parse(data)
        except Exception:
            log.exception("event-unreadable", gateway_event=event)

    return read


def own_id(client: discord.Client) -> int:
    """The bot's id as a user: old applications have another one as applications."""
    return client.user.id if client.user else 0


def _forget_roles(guild: discord.Guild) -> None:
    """Roles are read off each interaction; kept ones would only weigh."""
    guild._roles.clear()  # there is no setting for it, unlike for members
