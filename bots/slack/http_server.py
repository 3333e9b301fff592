"""Serves Slack's routes over HTTP on an address of their own."""

from __future__ import annotations

import socket
from collections.abc import Callable

import structlog

from bots.core.http_server import Application, HttpServer, serve_until_cancelled


class PortUnavailable(Exception):
    """The address of Slack's routes cannot be used."""


async def serve_http(app: Application, host: str, port: int, ready: Callable[[], None]) -> None:
    """Serve an application until cancelled; calls `ready` once it accepts connections.

    Raises PortUnavailable where the address cannot be bound.
    """
    with _listen(host, port) as listener:
        bound = listener.getsockname()
        structlog.get_logger().info("slack-http-listening", host=bound[0], port=bound[1])
        await serve_until_cancelled([(HttpServer(app, on_ready=ready), [listener])])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise PortUnavailable(
            f"Slack's routes cannot use {host}:{port} ({error.strerror}): set "
            "ATELIER_SLACK_HTTP_HOST and ATELIER_SLACK_HTTP_PORT to a free address."
        ) from error
