"""The loopback server: one port for REST, gateway and CDN; it records every request."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from aiohttp import web

from tests.platform_specs import specs_folder
from tests.platforms.discord import specification
from tests.platforms.discord.buckets import Buckets
from tests.platforms.discord.clock import Clock
from tests.platforms.discord.faults import Fault, Faults
from tests.platforms.discord.gateway import Gateway
from tests.platforms.discord.members import Person
from tests.platforms.discord.messages import Refusal
from tests.platforms.discord.rest import Call, Rest
from tests.platforms.discord.world import TOKEN, USUAL, Channel, Guild, Message, User, World

API = "/api/v10"
NO_TOKEN_NEEDED = re.compile(r"/interactions/|/webhooks/\d+/|/gateway$")


@dataclass
class Request:
    """One request and the status of its response; 0 if the connection was closed."""

    at: float
    method: str
    path: str
    body: Any
    files: tuple[str, ...]
    status: int = 0
    code: int = 0


class LoopbackDiscord:
    """`async with LoopbackDiscord() as discord:` runs it at `api_url`."""

    def __init__(self, clock: Clock | None = None, shards: int = 1) -> None:
        self.clock = clock or Clock()
        self.world = World(self.clock)
        self.gateway = Gateway(self.world, shards)
        self.faults = Faults()
        self.requests: list[Request] = []
        self.violations: list[str] = []
        self.buckets = Buckets()
        self._specification = specification.load(specs_folder())
        self.origin = ""
        self._runner: web.AppRunner | None = None
        self._ticking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> LoopbackDiscord:
        """Listen on a free port of this machine."""
        self._ticking = asyncio.create_task(self.clock.run())
        app = web.Application(client_max_size=1 << 30)
        app.router.add_get("/gateway", self.gateway.serve)
        app.router.add_get("/gateway/", self.gateway.serve)
        app.router.add_get("/attachments/{rest:.*}", self._file)
        app.router.add_get("/moved/{rest:.*}", self._moved)
        app.router.add_route("*", API + "/{rest:.*}", self._rest)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.origin = f"http://127.0.0.1:{port}"
        self.gateway.url = f"ws://127.0.0.1:{port}/gateway"
        self.rest = Rest(self.world, self.gateway, self.origin)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening and close all connections."""
        if self._ticking is not None:
            self._ticking.cancel()
        assert self._runner is not None
        await self._runner.cleanup()

    @property
    def api_url(self) -> str:
        """The value for ATELIER_DISCORD_API_URL."""
        return self.origin + API

    @property
    def token(self) -> str:
        """The bot's token."""
        return TOKEN

    @property
    def invalid_requests(self) -> list[Request]:
        """Requests that count towards Discord's ban at 10,000 in 10 minutes."""
        return [r for r in self.requests if r.status in {401, 403, 429}]

    async def add_guild(
        self, name: str = "Studio", *, number: int | None = None, bot: bool = True
    ) -> Guild:
        """A server with one channel, `pictures`; a connected bot receives the event."""
        guild = Guild(number or self.clock.snowflake(), name, has_bot=bot)
        self.world.guilds[guild.id] = guild
        await self.add_channel(guild, "pictures", notify=False)
        if bot:
            await self.gateway.dispatch("GUILD_CREATE", guild.payload(), guild.id)
        return guild

    async def add_channel(
        self, guild: Guild, name: str, *, nsfw: bool = False, notify: bool = True
    ) -> Channel:
        """Add a text channel to a server."""
        channel = Channel(self.clock.snowflake(), name, guild=guild, nsfw=nsfw)
        guild.channels[channel.id] = self.world.channels[channel.id] = channel
        if notify and guild.has_bot:
            await self.gateway.dispatch("CHANNEL_CREATE", channel.payload(), guild.id)
        return channel

    def add_role(
        self, guild: Guild, name: str, permissions: int = USUAL, number: int | None = None
    ) -> int:
        """Add a role; returns its id."""
        role = number or self.clock.snowflake()
        guild.roles[role] = (name, permissions)
        return role

    def add_person(self, guild: Guild | None, name: str, *roles: int) -> Person:
        """A person; a member of the server if there is one."""
        user = User(self.clock.snowflake(), name)
        self.world.users[user.id] = user
        if guild:
            guild.members[user.id] = set(roles)
        return Person(self, user, guild)

    async def start_thread(self, message: Message, name: str, *, notify: bool = True) -> Channel:
        """Start a thread from a message."""
        guild = message.channel.guild
        assert guild is not None
        thread = Channel(message.id, name, kind=11, guild=guild, parent=message.channel.id)
        guild.channels[thread.id] = self.world.channels[thread.id] = thread
        if notify:
            await self.gateway.dispatch("THREAD_CREATE", thread.payload(), guild.id)
        return thread

    async def delete_channel(self, channel: Channel) -> None:
        """Delete a channel with its messages."""
        channel.gone = True
        if channel.guild:
            await self.gateway.dispatch("CHANNEL_DELETE", channel.payload(), channel.guild.id)

    async def delete_message(self, message: Message) -> None:
        """Delete a message."""
        await self.rest.remove(message)

    async def until(self, condition: Any, seconds: float = 120.0) -> Any:
        """Wait until `condition()` is truthy, and return its value."""
        return await self.world.until(condition, seconds)

    async def until_async(
        self, condition: Callable[[], Awaitable[Any]], seconds: float = 120.0
    ) -> Any:
        """Wait until `await condition()` is truthy, and return its value."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not (found := await condition()):
            assert asyncio.get_running_loop().time() < deadline, "timed out"
            await asyncio.sleep(0.05)
        return found

    async def _file(self, request: web.Request) -> web.Response:
        data = self.world.files.get(request.path)
        if data is None or "hm" not in request.query:
            return web.Response(status=404)
        return web.Response(body=data)

    async def _moved(self, request: web.Request) -> web.Response:
        raise web.HTTPFound("/attachments/" + request.match_info["rest"])

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        call = await _read(request)
        names = tuple(f for f, _, _ in call.files)
        entry = Request(self.clock.now(), call.method, call.path, call.body, names)
        self.requests.append(entry)
        fault = self.faults.take(call.method, call.path, call.body)
        if fault and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        if fault and fault.kind == "late":
            self.clock.advance(fault.seconds)
        if fault and fault.kind in {"close", "status", "plain-429"}:
            return _broken(request, entry, fault)
        response = await self._answered(request, call, entry)
        if fault and fault.kind == "close-after":
            entry.status = 0
            _close_connection(request)
        if fault and fault.kind == "status-after":
            return _broken(request, entry, fault)
        return response

    async def _answered(self, request: web.Request, call: Call, entry: Request) -> web.Response:
        bucket = self.buckets.of(call.method, call.path)
        allowed, headers = bucket.take() if bucket else (True, {})
        if not allowed:
            return _limited(entry, headers)
        try:
            self._check(request, call)
            value = await self.rest.answer(call)
        except Refusal as refusal:
            entry.status, entry.code = refusal.status, refusal.code
            if refusal.code in {50035, 50006} or (refusal.code, refusal.status) == (0, 404):
                self.violations.append(f"{call.method} {call.path}: {refusal.words}")
            body = {"code": refusal.code, "message": refusal.words}
            return _json(body, status=refusal.status, headers=headers)
        entry.status = 204 if value is None else 200
        if value is None:
            return web.Response(status=204, headers=headers)
        return _json(value, headers=headers)

    def _check(self, request: web.Request, call: Call) -> None:
        authorization = request.headers.get("Authorization")
        if not NO_TOKEN_NEEDED.search(call.path) and authorization != f"Bot {TOKEN}":
            raise Refusal(401, 0, "401: Unauthorized")
        if self._specification is None:
            return
        names = tuple(f for f, _, _ in call.files)
        problems = self._specification.problems(call.method, call.path, call.body, names)
        if problems:
            raise Refusal(400, 50035, "; ".join(problems))


async def _read(request: web.Request) -> Call:
    path = request.path.removeprefix(API)
    query = dict(request.query)
    raw = await request.read()
    kind = request.headers.get("Content-Type", "")
    if not kind.startswith("multipart/form-data"):
        return Call(request.method, path, query, json.loads(raw) if raw else None)
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    parts = BytesParser(policy=HTTP).parsebytes(head + raw)
    body, files = None, []
    for part in parts.iter_parts():
        field = str(part.get_param("name", header="content-disposition"))
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        if field == "payload_json":
            assert body is None, "two payload_json in one form"
            body = json.loads(data)
        else:
            files.append((field, part.get_filename() or "", data))
    assert body is not None, "a form without payload_json"
    return Call(request.method, path, query, body, files)


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    # Without a charset, as Discord sends it: clients compare the whole header.
    kind = {"Content-Type": "application/json"}
    return web.Response(
        body=json.dumps(value).encode(), status=status, headers=(headers or {}) | kind
    )


def _limited(entry: Request, headers: dict[str, str]) -> web.Response:
    after = float(headers["X-RateLimit-Reset-After"])
    entry.status = 429
    body = {"message": "You are being rate limited.", "retry_after": after, "global": False}
    extra = {"Via": "1.1 loopback", "Retry-After": str(int(after) + 1), "X-RateLimit-Scope": "user"}
    return _json(body, status=429, headers=headers | extra)


def _broken(request: web.Request, entry: Request, fault: Fault) -> web.Response:
    if fault.kind == "close":
        _close_connection(request)
        return web.Response(status=500)
    entry.status = fault.status
    if fault.kind == "plain-429":
        entry.status, headers = 429, {"Retry-After": str(fault.seconds)}
        return _json({"message": "slower, please"}, status=429, headers=headers)
    if fault.status == 429:
        headers = {"X-RateLimit-Reset-After": str(fault.seconds or 0.2)}
        return _limited(entry, headers)
    return _json({"message": "a fault on purpose", "code": 0}, status=fault.status)


def _close_connection(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
