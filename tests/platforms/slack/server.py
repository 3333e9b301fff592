"""The loopback Slack's HTTP server: Web API, uploads, downloads, response URLs, Socket Mode.

It runs on its own thread and event loop, so that tests may block while bots run.
"""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

from tests.platforms.slack import blocks as rules
from tests.platforms.slack.api import Methods, Refusal
from tests.platforms.slack.faults import Fault, Faults, Kind
from tests.platforms.slack.sockets import Sockets
from tests.platforms.slack.specs import Specs
from tests.platforms.slack.world import JSON, Clock, EphemeralMessage, Grant, Message, Workspace

T = TypeVar("T")
APP_ID = "A0ATELIER0"
PATIENCE = 120.0  # seconds


@dataclass(frozen=True)
class Call:
    """One received call of the Web API."""

    method: str
    workspace: str
    args: JSON
    at: float
    error: str = ""


@dataclass
class Answer:
    """The `response_url` of one interaction."""

    workspace: Workspace
    channel: str
    user: str
    message: Message | None = None
    used: int = 0


@dataclass
class Oauth:
    """Codes and refresh tokens of the OAuth flow; each is valid once."""

    client_id: str = "111.222"
    client_secret: str = "loopback-client-secret"
    codes: dict[str, str] = field(default_factory=dict)  # code -> workspace id
    refresh: dict[str, str] = field(default_factory=dict)
    expires_in: int = 43_200


class LoopbackSlack:
    """A Slack server on 127.0.0.1: `start` it and give its `api_url` to a bot."""

    def __init__(self, specs: Path | None, scopes: frozenset[str]) -> None:
        self.specs = Specs(specs)
        self.scopes = scopes
        self.workspaces: dict[str, Workspace] = {}
        self.faults = Faults()
        self.clock = Clock()
        self.methods = Methods(self.clock, lambda: self.origin)
        self.oauth = Oauth()
        self.calls: list[Call] = []
        self.violations: list[str] = []  # calls that violate the published methods
        self.overruns: list[str] = []  # calls past a rate limit
        self.uploads = 0
        self.app_token = "xapp-1-loopback"
        self.sockets = Sockets(self.clock)
        self.answers: dict[str, Answer] = {}
        self.origin = ""
        self._rates: dict[tuple[str, ...], deque[float]] = defaultdict(deque)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._runner: web.AppRunner | None = None

    # -- lifecycle ---------------------------------------------------------

    @property
    def api_url(self) -> str:
        """The value of `ATELIER_SLACK_API_URL`."""
        return f"{self.origin}/api/"

    def start(self) -> None:
        """Listen on a free port."""
        self._thread.start()
        self.run(self._listen())

    def stop(self) -> None:
        """Close every connection and the thread."""
        self.run(self.sockets.close())
        if self._runner is not None:
            self.run(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, work: Coroutine[Any, Any, T], timeout: float = 30.0) -> T:
        """Run a coroutine on the server's loop; its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Start a coroutine on the server's loop without waiting."""
        asyncio.run_coroutine_threadsafe(work, self._loop)

    def until(self, what: str, check: Callable[[], T | None], seconds: float = PATIENCE) -> T:
        """Wait until `check` returns a true value; that value. `seconds` only ends a broken test.

        Raises AssertionError.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = check()
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError(f"timed out waiting for: {what}")

    def open_workspace(self, id_: str, name: str, token: str | None = None) -> Workspace:
        """Add a workspace; with a token, the app is installed in it."""
        workspace = Workspace(id_, name)
        self.workspaces[id_] = workspace
        if token is not None:
            workspace.grant = Grant(token, self.scopes)
        return workspace

    def called(self, method: str) -> list[Call]:
        """Every call of a method so far."""
        return [c for c in self.calls if c.method == method]

    def reset_rates(self) -> None:
        """Reset the rate limits, as after a minute."""
        self._rates.clear()

    async def _listen(self) -> None:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_post("/upload/{team}/{file}", self._upload)
        app.router.add_get("/files-pri/{name}/download/{file}", self._download)
        app.router.add_post("/response/{id}", self._respond)
        app.router.add_get("/signin", self._signin)
        app.router.add_get("/link/", self.sockets.accept)
        self._runner = web.AppRunner(app, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        self.origin = f"http://127.0.0.1:{port}"

    # -- the Web API ---------------------------------------------------------

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        args = await _arguments(request)
        token = _token(request, args)
        fault = self.faults.take(method)
        if fault and fault.kind in {Kind.CUT_BEFORE, Kind.BROKEN, Kind.LIMITED, Kind.SLOW}:
            response = await self._inject_fault(request, fault)
            if response is not None:
                self.calls.append(Call(method, "", args, time.monotonic(), fault.kind))
                return response
        answer = self._answer(method, token, args, fault)
        if fault and fault.kind is Kind.CUT_AFTER:
            return _hang_up(request)
        if answer.get("error") == "ratelimited":
            return web.json_response(answer, status=429, headers={"Retry-After": "1"})
        return web.json_response(answer)

    def _answer(self, method: str, token: str, args: JSON, fault: Fault | None) -> JSON:
        team, error, extra = "", "", {}
        try:
            _refuse(fault)
            if method == "apps.connections.open":
                extra = self._connections_open(token)
            elif method == "oauth.v2.access":
                extra = self._oauth_access(args)
            else:
                workspace = self._authorize(method, token)
                team = workspace.id
                self._check(method, args, workspace)
                extra = self.methods.call(workspace, method, args)
        except Refusal as refusal:
            error = refusal.error
            extra = {"response_metadata": {"messages": refusal.messages}}
        self.calls.append(Call(method, team, args, time.monotonic(), error))
        return {"ok": not error, **({"error": error} if error else {}), **extra}

    def _authorize(self, method: str, token: str) -> Workspace:
        for workspace in self.workspaces.values():
            grant = workspace.grant
            if grant is not None and grant.token == token:
                if grant.revoked:
                    raise Refusal("token_revoked")
                if grant.expired:
                    raise Refusal("token_expired")
                lacking = self.specs.lacks_scope(method, self.scopes)
                if lacking:
                    self.violations.append(f"{method}: the manifest lacks one of {lacking}")
                if self.specs.lacks_scope(method, grant.scopes):
                    raise Refusal("missing_scope")
                return workspace
        raise Refusal("invalid_auth" if token else "not_authed")

    def _check(self, method: str, args: JSON, workspace: Workspace) -> None:
        faults = self.specs.faults(method, args)
        if faults:
            self.violations += faults
            raise Refusal("invalid_arguments", faults)
        key: tuple[str, ...] = (workspace.id, method)
        most, window = self.specs.per_minute(method), 60.0
        if method == "chat.postMessage":  # one a second and channel, with short bursts
            key, most, window = (workspace.id, method, args["channel"]), 5, 5.0
        if most is None:
            return
        times, now = self._rates[key], time.monotonic()
        while times and times[0] < now - window:
            times.popleft()
        times.append(now)
        if len(times) > most:
            self.overruns.append(method)
            raise Refusal("ratelimited")

    def _connections_open(self, token: str) -> JSON:
        if token != self.app_token:
            raise Refusal("invalid_auth")
        ticket = self.sockets.ticket()
        return {"url": f"{self.origin.replace('http', 'ws')}/link/?ticket={ticket}"}

    def _oauth_access(self, args: JSON) -> JSON:
        if (args.get("client_id"), args.get("client_secret")) != (
            self.oauth.client_id,
            self.oauth.client_secret,
        ):
            raise Refusal("bad_client_secret")
        if args.get("grant_type") == "refresh_token":
            team = self.oauth.refresh.pop(args.get("refresh_token", ""), None)
            if team is None:
                raise Refusal("invalid_refresh_token")
        else:
            team = self.oauth.codes.pop(args.get("code", ""), None)
            if team is None:
                raise Refusal("invalid_code")
        workspace = self.workspaces[team]
        token = f"xoxe.xoxb-{team}-{self.clock.id('')}"
        renewal = f"xoxe-1-{self.clock.id('')}"
        workspace.grant = Grant(token, self.scopes)
        self.oauth.refresh[renewal] = team
        return {
            "access_token": token,
            "token_type": "bot",
            "app_id": APP_ID,
            "scope": ",".join(sorted(self.scopes)),
            "bot_user_id": workspace.bot_user,
            "team": {"id": team, "name": workspace.name},
            "enterprise": None,
            "authed_user": {"id": "U0INSTALL0"},
            "is_enterprise_install": False,
            "expires_in": self.oauth.expires_in,
            "refresh_token": renewal,
        }

    async def _inject_fault(self, request: web.Request, fault: Fault) -> web.StreamResponse | None:
        if fault.kind is Kind.LIMITED:
            body = {"ok": False, "error": "ratelimited"}
            headers = {"Retry-After": str(max(1, round(fault.seconds)))}
            return web.json_response(body, status=429, headers=headers)
        if fault.kind is Kind.BROKEN:
            return web.Response(
                status=fault.status,
                text="<html>Service Unavailable</html>",
                content_type="text/html",
            )
        if fault.kind is Kind.SLOW:
            await asyncio.sleep(fault.seconds)
            return None
        return _hang_up(request)

    # -- files and response URLs ---------------------------------------------------------

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        data = await request.read()
        fault = self.faults.take("upload")
        if fault and fault.kind is not Kind.CUT_AFTER:
            response = await self._inject_fault(request, fault)
            if response is not None:
                return response
        file = self.workspaces[request.match_info["team"]].files.get(request.match_info["file"])
        if file is None or file.complete:
            return web.Response(status=404, text="NOT FOUND")
        if len(data) != file.size:
            return web.Response(status=400, text="length mismatch")
        file.data = data
        self.uploads += 1
        if fault and fault.kind is Kind.CUT_AFTER:
            return _hang_up(request)
        return web.Response(text=f"OK - {len(data)}")

    async def _download(self, request: web.Request) -> web.StreamResponse:
        team, _, name = request.match_info["name"].partition("-")
        workspace = self.workspaces.get(team)
        file = workspace.files.get(name) if workspace else None
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        grant = workspace.grant if workspace else None
        if file is None or file.deleted:
            return web.Response(status=404)
        if grant is None or grant.revoked or token != grant.token:
            raise web.HTTPFound(f"{self.origin}/signin")
        return web.Response(body=file.data, content_type=file.mimetype)

    async def _signin(self, _request: web.Request) -> web.Response:
        return web.Response(text="<html>Sign in to Slack</html>", content_type="text/html")

    async def _respond(self, request: web.Request) -> web.Response:
        answer = self.answers.get(request.match_info["id"])
        if answer is None or answer.used >= 5:
            return web.json_response({"ok": False, "error": "expired_url"}, status=404)
        answer.used += 1
        return web.json_response(self.show(answer, await request.json()))

    def show(self, answer: Answer, body: JSON) -> JSON:
        """Apply a response to an interaction."""
        shown = body.get("blocks", [])
        faults = rules.message_errors(shown)
        if faults:
            self.violations += faults
            return {"ok": False, "error": "invalid_blocks"}
        if body.get("replace_original") and answer.message is not None:
            answer.message.show(body.get("text", ""), shown)
        elif body.get("delete_original"):
            if answer.message is not None:
                answer.message.deleted = True
        elif body.get("response_type", "ephemeral") == "ephemeral":
            answer.workspace.ephemeral_messages.append(
                EphemeralMessage(answer.channel, answer.user, body.get("text", ""), shown)
            )
        else:
            message = Message(
                self.clock.ts(), answer.channel, answer.workspace.bot_user, "", bot=True
            )
            message.show(body.get("text", ""), shown)
            answer.workspace.channels[answer.channel].messages[message.ts] = message
        return {"ok": True}


def _refuse(fault: Fault | None) -> None:
    if fault is not None and fault.kind is Kind.REFUSED:
        raise Refusal(fault.error)


def _hang_up(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _arguments(request: web.Request) -> JSON:
    args: JSON = dict(request.query)
    if request.content_type == "application/json":
        args |= await request.json()
    elif request.method == "POST":
        args |= dict(await request.post())
    return args


def _token(request: web.Request, args: JSON) -> str:
    header = request.headers.get("Authorization", "")
    if header.startswith("Basic "):
        name, _, secret = base64.b64decode(header[6:]).decode().partition(":")
        args |= {"client_id": name, "client_secret": secret}
    token = args.pop("token", None) or header.removeprefix("Bearer ")
    return str(token)


def dumps(payload: JSON) -> str:
    """JSON without spaces, as Slack signs and sends it."""
    return json.dumps(payload, separators=(",", ":"))
