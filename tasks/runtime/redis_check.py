"""Whether Atelier can work on a Redis or Valkey server."""

from __future__ import annotations

import contextlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tasks.runtime.addresses import UnsuitableServer

NAME = "The server at ATELIER_REDIS_URL or ATELIER_BROKER_URL"


def inspect(url: str, timeout: float) -> dict[str, Any]:
    """The server's INFO, within `timeout` seconds for each step.

    Raises redis.RedisError where it cannot be reached, UnsuitableServer where it cannot work.
    """
    from redis import Redis

    address = _client_url(url)
    with Redis.from_url(address, socket_connect_timeout=timeout, socket_timeout=timeout) as client:
        info: dict[str, Any] = client.info()
    if info.get("cluster_enabled") or info.get("redis_mode") == "cluster":
        raise UnsuitableServer(
            f"{NAME} is a Redis Cluster, which Celery does not support. Give the address of a "
            "single server, or of a primary with replicas."
        )
    if info.get("role") == "slave":
        raise UnsuitableServer(
            f"{NAME} is a replica, which takes no writes. Give the address of the primary."
        )
    return info


def _client_url(url: str) -> str:
    """The URL for redis-py: Celery has another scheme for unix sockets."""
    parts = urlsplit(url)
    if parts.scheme != "redis+socket":
        return url
    database = parse_qs(parts.query).get("virtual_host", ["0"])[0]
    return f"unix://{parts.path}?db={database}"


def check(url: str, timeout: float = 5.0) -> None:
    """Raise UnsuitableServer for a server that cannot work; pass where it is unreachable."""
    from redis import RedisError

    with contextlib.suppress(RedisError):
        inspect(url, timeout)
