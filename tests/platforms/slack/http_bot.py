"""A bolt app behind the real HTTP server, without a database: what reaches a listener."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore

from bots.slack.app import bolt_logger
from bots.slack.http_routes import BODY_MEMORY, BODY_SECONDS, http_app
from bots.slack.http_server import serve_http
from bots.slack.oauth import oauth_flow
from bots.slack.workspaces import Transport
from tests.platforms.slack.conftest import SECRET, free_port
from tests.platforms.slack.deliveries import signature


@asynccontextmanager
async def http_bot(
    events: list[str], body_seconds: float = BODY_SECONDS, body_memory: int = BODY_MEMORY
) -> AsyncIterator[int]:
    """Serve on a free port; `events` receives the text of every mention."""

    async def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="xoxb-x")

    app = AsyncApp(name="test", logger=bolt_logger(), authorize=authorize, signing_secret=SECRET)

    @app.event("app_mention")
    async def mention(event: dict[str, str]) -> None:
        events.append(event["text"])

    transport = Transport("http://127.0.0.1:9/api/")
    install = oauth_flow(transport, "1.2", "client-secret", AsyncInstallationStore())
    ready, port = asyncio.Event(), free_port()
    routes = http_app(app, SECRET, install, body_seconds, body_memory)
    serving = asyncio.create_task(serve_http(routes, "127.0.0.1", port, ready.set))
    try:
        async with asyncio.timeout(20):
            await ready.wait()
        yield port
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await transport.close()


def event_body(text: str) -> bytes:
    """The body of an event."""
    event = {"type": "app_mention", "user": "U1", "channel": "C1", "ts": "1.1", "text": text}
    outer = {"type": "event_callback", "team_id": "T1", "event": event, "event_id": text[:20]}
    return json.dumps(outer).encode()


def signed_headers(body: bytes) -> dict[str, str]:
    """Slack's headers for a body."""
    stamp = str(int(time.time()))
    return {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": signature(SECRET, stamp, body.decode()),
    }
