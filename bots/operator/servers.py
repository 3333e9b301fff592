"""Which servers a single command talks to: those that are set, or the ones of a running tree."""

from __future__ import annotations

from pydantic import SecretStr

from bots.operator.homelock import holder_of
from bots.operator.refusal import WrongSettings
from tasks.settings import Settings

ANSWER_SECONDS = 5


def with_servers(settings: Settings) -> Settings:
    """The settings with both addresses: an unset one is that of the tree that runs on this home.

    Raises WrongSettings where an address is unset and no tree runs.
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


def ask_for_tickets(settings: Settings) -> None:
    """Whether the given Redis or Valkey answers: without it everybody would try for ever.

    Raises WrongSettings with the variable and the reason.
    """
    for name, secret in (
        ("ATELIER_REDIS_URL", settings.redis_url),
        ("ATELIER_BROKER_URL", settings.broker_url),
    ):
        url = secret.get_secret_value() if secret else ""
        if url and not url.startswith("redis+socket:"):  # Celery's own word for a unix socket
            _ask(name, url)


def _ask(name: str, url: str) -> None:
    from redis import Redis, RedisError

    try:
        with Redis.from_url(
            url, socket_connect_timeout=ANSWER_SECONDS, socket_timeout=ANSWER_SECONDS
        ) as client:
            client.ping()
    except RedisError as error:
        raise WrongSettings(
            f"{name} is wrong: expected a Redis or Valkey server that answers, and it says: "
            f"{error} Start it, or correct the address."
        ) from None


def embedded_addresses(settings: Settings) -> Settings:
    """The settings with the embedded servers' addresses where none are set."""
    if settings.database_url and settings.redis_url:
        return settings
    from tasks.embedded import EmbeddedPostgres, EmbeddedValkey  # a bot with servers needs none

    return settings.model_copy(
        update={
            "database_url": settings.database_url or SecretStr(EmbeddedPostgres(settings.home).url),
            "redis_url": settings.redis_url or SecretStr(EmbeddedValkey(settings.home).url),
        }
    )
