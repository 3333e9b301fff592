"""The gateway: sessions that can be resumed, shards, and events for each of them."""

from __future__ import annotations

import asyncio
import json
import zlib
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.platforms.discord.world import APPLICATION, TOKEN, World

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID, HELLO, ACK = 0, 1, 2, 6, 7, 9, 10, 11
PRIVILEGED = 1 << 1 | 1 << 8 | 1 << 15  # members, presences, message content


@dataclass(eq=False)
class Session:
    """One shard's session, which can be resumed on another socket."""

    id: str
    shard: tuple[int, int]
    intents: int
    sequence: int = 0
    past: list[dict[str, Any]] = field(default_factory=list)
    connection: Connection | None = None
    forgotten: bool = False


class Connection:
    """One socket, compressed with `zlib-stream` if the client asked for it."""

    def __init__(self, socket: web.WebSocketResponse, compressed: bool) -> None:
        self.socket = socket
        self._stream = zlib.compressobj() if compressed else None
        self._lock = asyncio.Lock()

    async def send(self, payload: dict[str, Any]) -> None:
        """Send one payload; does nothing on a closed socket."""
        text = json.dumps(payload)
        async with self._lock:
            if self.socket.closed:
                return
            if self._stream is None:
                await self.socket.send_str(text)
                return
            data = self._stream.compress(text.encode()) + self._stream.flush(zlib.Z_SYNC_FLUSH)
            await self.socket.send_bytes(data)


class Gateway:
    """All sessions of all bot processes."""

    def __init__(self, world: World, shards: int = 1) -> None:
        self.world = world
        self.shards = shards
        self.url = ""
        self.heartbeat_ms = 41_250
        self.sessions: list[Session] = []
        self.identifies: list[dict[str, Any]] = []
        self.resumes = 0
        self.heartbeats = 0
        self.guilds_sent = 0  # since a test set it to 0
        self.hangs = False  # new connections get no reply
        self.hung_connections = 0

    @property
    def online(self) -> bool:
        """Whether a shard is connected."""
        return any(s.connection is not None and not s.forgotten for s in self.sessions)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One connection, from HELLO to its end."""
        if self.hangs:
            self.hung_connections += 1
            await asyncio.sleep(3600)
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        connection = Connection(socket, request.query.get("compress") == "zlib-stream")
        await connection.send({"op": HELLO, "d": {"heartbeat_interval": self.heartbeat_ms}})
        session: Session | None = None
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            payload = json.loads(message.data)
            if payload["op"] == HEARTBEAT:
                self.heartbeats += 1
                await connection.send({"op": ACK})
            elif payload["op"] == IDENTIFY:
                session = await self._identify(connection, payload["d"])
            elif payload["op"] == RESUME:
                session = await self._resume(connection, payload["d"])
        if session and session.connection is connection:
            session.connection = None
        return socket

    async def dispatch(self, event: str, data: dict[str, Any], guild: int | None) -> None:
        """Send an event to the shard of a guild; direct messages belong to shard 0."""
        for session in list(self.sessions):
            number, count = session.shard
            if not session.forgotten and (0 if guild is None else guild >> 22) % count == number:
                await self._send_event(session, event, data)

    async def drop(self, code: int = 4000) -> None:
        """Lose every socket; the sessions can be resumed."""
        for session in self.sessions:
            if session.connection:
                connection, session.connection = session.connection, None
                await connection.socket.close(code=code)

    async def ask_reconnect(self) -> None:
        """Tell every shard to reconnect and resume, as Discord does before maintenance."""
        for session in self.sessions:
            if session.connection:
                await session.connection.send({"op": RECONNECT, "d": None})

    async def invalidate(self) -> None:
        """Forget every session: the bot must identify anew."""
        for session in self.sessions:
            session.forgotten = True
            if session.connection:
                await session.connection.send({"op": INVALID, "d": False})

    async def _identify(self, connection: Connection, identify: dict[str, Any]) -> Session | None:
        self.identifies.append(identify)
        if identify["token"] != TOKEN:
            await connection.socket.close(code=4004)
            return None
        if identify["intents"] & PRIVILEGED:
            await connection.socket.close(code=4014)
            return None
        number, count = identify.get("shard", (0, 1))
        session = Session(f"{self.world.clock.snowflake():x}", (number, count), identify["intents"])
        session.connection = connection
        self.sessions.append(session)
        mine = [g for g in self.world.guilds.values() if (g.id >> 22) % count == number]
        mine = [g for g in mine if g.has_bot]
        await self._send_event(session, "READY", self._ready(session, [g.id for g in mine]))
        for guild in mine:
            await self._send_event(session, "GUILD_CREATE", guild.payload())
            self.guilds_sent += 1
        return session

    def _ready(self, session: Session, guilds: list[int]) -> dict[str, Any]:
        return {
            "v": 10,
            "user": self.world.bot.payload(),
            "guilds": [{"id": str(g), "unavailable": True} for g in guilds],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "shard": list(session.shard),
            "application": {"id": str(APPLICATION), "flags": 0},
            "private_channels": [],
        }

    async def _resume(self, connection: Connection, identify: dict[str, Any]) -> Session | None:
        existing = (s for s in self.sessions if s.id == identify["session_id"] and not s.forgotten)
        session = next(existing, None)
        if session is None:
            await connection.send({"op": INVALID, "d": False})
            return None
        self.resumes += 1
        session.connection = connection
        for payload in [p for p in session.past if p["s"] > identify["seq"]]:
            await connection.send(payload)
        await self._send_event(session, "RESUMED", {})
        return session

    async def _send_event(self, session: Session, event: str, data: dict[str, Any]) -> None:
        session.sequence += 1
        payload = {"op": DISPATCH, "t": event, "s": session.sequence, "d": data}
        if event != "GUILD_CREATE":  # saves memory with 500 servers
            session.past.append(payload)
        if session.connection:
            await session.connection.send(payload)
