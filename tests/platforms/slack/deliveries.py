"""How the loopback Slack reaches the app: Socket Mode, or signed HTTP, with retries."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlencode

import aiohttp

from tests.platforms.slack.server import APP_ID, dumps
from tests.platforms.slack.sockets import DEADLINE, Sockets
from tests.platforms.slack.world import JSON


@dataclass
class Taken:
    """What the app answered: whether in time, and the JSON that came with it."""

    acked: bool
    answer: JSON | None = None


class Line(Protocol):
    """A way to the app."""

    async def send(self, kind: str, payload: JSON, attempt: int = 0, reason: str = "") -> Taken:
        """Deliver once. `kind` is events_api, slash_commands or interactive."""


class SocketLine:
    """Deliveries over Socket Mode."""

    def __init__(self, sockets: Sockets) -> None:
        self._sockets = sockets

    async def send(self, kind: str, payload: JSON, attempt: int = 0, reason: str = "") -> Taken:
        """One envelope."""
        envelope = await self._sockets.deliver(kind, payload, attempt, reason)
        return Taken(envelope.acked.is_set(), envelope.answer)


class HttpLine:
    """Deliveries as signed HTTP requests to the app's own addresses."""

    def __init__(self, origin: str, secret: str) -> None:
        self.origin = origin
        self._secret = secret
        self.late = 0
        self.skew = 0  # seconds by which the timestamp lies

    async def send(self, kind: str, payload: JSON, attempt: int = 0, reason: str = "") -> Taken:
        """One request; its answer must come within the deadline."""
        status, text = await self.post(kind, payload, attempt, reason)
        if status != 200:
            return Taken(acked=False)
        return Taken(acked=True, answer=json.loads(text) if text.startswith("{") else None)

    async def post(
        self, kind: str, payload: JSON, attempt: int = 0, reason: str = "", secret: str = ""
    ) -> tuple[int, str]:
        """The raw answer: its status (0 where none came in time) and its body."""
        path, body, content_type = _request(kind, payload)
        stamp = str(int(time.time()) + self.skew)
        headers = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": signature(secret or self._secret, stamp, body),
        }
        if attempt:
            headers |= {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason}
        timeout = aiohttp.ClientTimeout(total=DEADLINE)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(self.origin + path, data=body, headers=headers) as answer,
            ):
                return answer.status, await answer.text()
        except (TimeoutError, aiohttp.ClientError):
            self.late += 1
            return 0, ""


def signature(secret: str, stamp: str, body: str) -> str:
    """Slack's v0 signature: https://docs.slack.dev/authentication/verifying-requests-from-slack"""
    digest = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256)
    return f"v0={digest.hexdigest()}"


def _request(kind: str, payload: JSON) -> tuple[str, str, str]:
    form = "application/x-www-form-urlencoded"
    if kind == "events_api":
        return "/slack/events", dumps(payload), "application/json"
    if kind == "slash_commands":
        return "/slack/commands", urlencode(payload), form
    return "/slack/interactions", urlencode({"payload": dumps(payload)}), form


def event_callback(team: str, event: JSON, event_id: str) -> JSON:
    """The outer envelope of an event."""
    return {
        "type": "event_callback",
        "team_id": team,
        "api_app_id": APP_ID,
        "event": event,
        "event_id": event_id,
        "event_time": int(time.time()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": team,
                "user_id": "U0BOT00000",
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
    }


async def insist(line: Line, payload: JSON, pauses: tuple[float, ...] = (0.2, 1.0, 2.0)) -> Taken:
    """Deliver an event and deliver it again until it is acknowledged, as Slack does."""
    taken = await line.send("events_api", payload)
    for attempt, pause in enumerate(pauses, 1):
        if taken.acked:
            break
        await asyncio.sleep(pause)
        taken = await line.send("events_api", payload, attempt, "http_timeout")
    return taken
