"""Receives Slack's events over Socket Mode."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import structlog
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

PING_INTERVAL = 5.0  # seconds; a dead socket is detected after about two intervals
RECONNECT_AFTER = 30.0  # seconds without a connection before a new socket URL is requested


async def receive_over_socket(
    app: AsyncApp, token: str, web_client: AsyncWebClient, ready: Callable[[], None]
) -> None:
    """Receive events until cancelled; calls `ready` once the socket is open.

    `token` is the app-level token.
    """
    handler = AsyncSocketModeHandler(app, token, web_client=web_client, ping_interval=PING_INTERVAL)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_watch_connection, handler)
            await handler.connect_async()  # type: ignore[no-untyped-call]
            ready()
    finally:
        with anyio.CancelScope(shield=True):
            await handler.close_async()  # type: ignore[no-untyped-call]


async def _watch_connection(handler: AsyncSocketModeHandler) -> None:
    """Make the client request a new socket URL where it keeps retrying an expired one."""
    client, disconnected = handler.client, 0.0
    while True:
        await anyio.sleep(PING_INTERVAL)
        disconnected = 0.0 if await client.is_connected() else disconnected + PING_INTERVAL
        if disconnected >= RECONNECT_AFTER:
            structlog.get_logger().warning("socket-url-expired")
            client.wss_uri = None
            disconnected = 0.0
