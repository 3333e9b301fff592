"""Delivers Slack's payloads to the app: Socket Mode or signed HTTP, with retries."""

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
class Ack:
    """Whether the app acknowledged in time, and the JSON of its response."""

    acked: bool
    answer: JSON | None = None


class Sender(Protocol):
    """Delivers payloads to the app."""

    async def send(self, kind: str, payload: JSON, attempt: int = 0, reason: str = "") -> Ack:
        """Deliver once. `kind` is events_api, slash_commands or interactive."""


class SocketSender:
    """Delivers over Socket Mode."""

    def __init__(self, sockets: Sockets) -> None:
        self._sockets = sockets

    async def send(self, kind: str, payload: JSON, attempt: int = 0, reason: str = "") -> Ack:
        """Send one envelope."""
        envelope = await self._sockets.deliver(kind, payload, attempt, reason)
        return Ack(envelope.acked.is_set(), envelope.answer)


class HttpSender:
    """Delivers as signed HTTP requests to the app's routes."""

    def __init__(self, origin: str, secret: str) -> None:
        self.origin = origin
        self._secret = secret
        self.late = 0
        self.skew = 0  # seconds added to the timestamp

    async def send(self, kind: str, payload: JSON, attempt: int = 0, reason: str = "") -> Ack:
        """Send one request; the response must arrive within the deadline."""
        status, text = await self.post(kind, payload, attempt, reason)
        if status != 200:
            return Ack(acked=False)
        return Ack(acked=True, answer=json.loads(text) if text.startswith("{") else None)

    async def post(
        self, kind: str, payload: JSON, attempt: int = 0, reason: str = "", secret: str = ""
    ) -> tuple[int, str]:
        """The status (0 after the deadline) and body of the response."""
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


async def deliver_with_retries(
    sender: Sender, payload: JSON, pauses: tuple[float, ...] = (0.2, 1.0, 2.0)
) -> Ack:
    """Deliver an event until it is acknowledged, as Slack does."""
    ack = await sender.send("events_api", payload)
    for attempt, pause in enumerate(pauses, 1):
        if ack.acked:
            break
        await asyncio.sleep(pause)
        ack = await sender.send("events_api", payload, attempt, "http_timeout")
    return ack
