"""The server addresses of a single command: those that are set, or a running tree's."""

from __future__ import annotations

from pydantic import SecretStr

from bots.operator.errors import WrongSettings
from bots.operator.instance_lock import holder_of
from tasks.runtime.settings import Settings

TIMEOUT_SECONDS = 5


def with_server_addresses(settings: Settings) -> Settings:
    """Fill unset addresses with those of the tree that runs on this home.

    Raises WrongSettings if an address is unset and no tree runs.
    """
    missing = [
        name
        for name, value in (
            ("ATELIER_DATABASE_URL", settings.database_url),
            ("ATELIER_REDIS_URL", settings.redis_url),
        )
        if value is None
    ]
    if missing and holder_of(settings.home) is None:
        raise WrongSettings(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set, and no "
            f"`atelier up` runs on {settings.home}; set the address, or start `atelier up` first."
        )
    return embedded_addresses(settings)


def check_redis(settings: Settings) -> None:
    """Check that the given Redis or Valkey answers; clients would otherwise retry for ever.

    Raises WrongSettings with the variable and the reason.
    """
    for name, secret in (
        ("ATELIER_REDIS_URL", settings.redis_url),
        ("ATELIER_BROKER_URL", settings.broker_url),
    ):
        url = secret.get_secret_value() if secret else ""
        if url and not url.startswith("redis+socket:"):  # Celery's scheme for a unix socket
            _ask(name, url)


def _ask(name: str, url: str) -> None:
    from redis import Redis, RedisError

    try:
        with Redis.from_url(
            url, socket_connect_timeout=TIMEOUT_SECONDS, socket_timeout=TIMEOUT_SECONDS
        ) as client:
            client.ping()
    except RedisError as error:
        raise WrongSettings(
            f"{name} is wrong: expected a Redis or Valkey server that answers, but: "
            f"{error} Start it, or correct the address."
        ) from None


def embedded_addresses(settings: Settings) -> Settings:
    """Fill unset addresses with those of the embedded servers."""
    if settings.database_url and settings.redis_url:
        return settings
    from tasks.runtime.embedded_servers import (  # not needed where both are set
        EmbeddedPostgres,
        EmbeddedValkey,
    )

    return settings.model_copy(
        update={
            "database_url": settings.database_url or SecretStr(EmbeddedPostgres(settings.home).url),
            "redis_url": settings.redis_url or SecretStr(EmbeddedValkey(settings.home).url),
        }
    )
