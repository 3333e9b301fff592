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
    """One shard of one bot process, which outlives its socket for a while."""

    id: str
    shard: tuple[int, int]
    intents: int
    sequence: int = 0
    past: list[dict[str, Any]] = field(default_factory=list)
    line: Line | None = None
    forgotten: bool = False


class Line:
    """One socket; `zlib-stream` is spoken where the client asked for it."""

    def __init__(self, socket: web.WebSocketResponse, compressed: bool) -> None:
        self.socket = socket
        self._stream = zlib.compressobj() if compressed else None
        self._order = asyncio.Lock()

    async def send(self, payload: dict[str, Any]) -> None:
        """Send one payload; a socket that went away meanwhile takes nothing."""
        text = json.dumps(payload)
        async with self._order:
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
        self.told_of = 0  # servers, since somebody set it to 0
        self.asleep = False  # who connects is left standing
        self.left_standing = 0

    @property
    def online(self) -> bool:
        """Whether a shard listens now."""
        return any(s.line is not None and not s.forgotten for s in self.sessions)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """One connection, from HELLO to its end."""
        if self.asleep:
            self.left_standing += 1
            await asyncio.sleep(3600)
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        line = Line(socket, request.query.get("compress") == "zlib-stream")
        await line.send({"op": HELLO, "d": {"heartbeat_interval": self.heartbeat_ms}})
        session: Session | None = None
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            payload = json.loads(message.data)
            if payload["op"] == HEARTBEAT:
                self.heartbeats += 1
                await line.send({"op": ACK})
            elif payload["op"] == IDENTIFY:
                session = await self._identify(line, payload["d"])
            elif payload["op"] == RESUME:
                session = await self._resume(line, payload["d"])
        if session and session.line is line:
            session.line = None
        return socket

    async def dispatch(self, event: str, data: dict[str, Any], guild: int | None) -> None:
        """Send an event to the shard of a guild; direct messages belong to shard 0."""
        for session in list(self.sessions):
            number, count = session.shard
            if not session.forgotten and (0 if guild is None else guild >> 22) % count == number:
                await self._tell(session, event, data)

    async def drop(self, code: int = 4000) -> None:
        """Lose every socket; the sessions can be resumed."""
        for session in self.sessions:
            if session.line:
                line, session.line = session.line, None
                await line.socket.close(code=code)

    async def ask_reconnect(self) -> None:
        """Tell every shard to reconnect and resume, as Discord does before maintenance."""
        for session in self.sessions:
            if session.line:
                await session.line.send({"op": RECONNECT, "d": None})

    async def invalidate(self) -> None:
        """Forget every session: the bot must identify anew."""
        for session in self.sessions:
            session.forgotten = True
            if session.line:
                await session.line.send({"op": INVALID, "d": False})

    async def _identify(self, line: Line, wish: dict[str, Any]) -> Session | None:
        self.identifies.append(wish)
        if wish["token"] != TOKEN:
            await line.socket.close(code=4004)
            return None
        if wish["intents"] & PRIVILEGED:
            await line.socket.close(code=4014)
            return None
        number, count = wish.get("shard", (0, 1))
        session = Session(f"{self.world.clock.snowflake():x}", (number, count), wish["intents"])
        session.line = line
        self.sessions.append(session)
        mine = [g for g in self.world.guilds.values() if (g.id >> 22) % count == number]
        mine = [g for g in mine if g.has_bot]
        await self._tell(session, "READY", self._ready(session, [g.id for g in mine]))
        for guild in mine:
            await self._tell(session, "GUILD_CREATE", guild.payload())
            self.told_of += 1
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

    async def _resume(self, line: Line, wish: dict[str, Any]) -> Session | None:
        known = (s for s in self.sessions if s.id == wish["session_id"] and not s.forgotten)
        session = next(known, None)
        if session is None:
            await line.send({"op": INVALID, "d": False})
            return None
        self.resumes += 1
        session.line = line
        for payload in [p for p in session.past if p["s"] > wish["seq"]]:
            await line.send(payload)
        await self._tell(session, "RESUMED", {})
        return session

    async def _tell(self, session: Session, event: str, data: dict[str, Any]) -> None:
        session.sequence += 1
        payload = {"op": DISPATCH, "t": event, "s": session.sequence, "d": data}
        if event != "GUILD_CREATE":  # 500 servers need not be kept twice
            session.past.append(payload)
        if session.line:
            await session.line.send(payload)
