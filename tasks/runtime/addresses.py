"""Server addresses and the encryption key, from the settings."""

from __future__ import annotations

from pydantic import SecretStr

from tasks.runtime.encryption import TokenCipher, key_of
from tasks.runtime.settings import Settings


class MissingServer(Exception):
    """A server's address is not set; the message names the variable and the remedy."""


class UnsuitableServer(Exception):
    """Atelier cannot work on a server; the message says why, and what to do."""


def _given(url: SecretStr | None, variable: str) -> str:
    if url is None:
        raise MissingServer(
            f"{variable} is not set: set it to a server's address, or run `atelier up`, which "
            "starts an embedded server."
        )
    return url.get_secret_value()


def database_of(settings: Settings) -> str:
    """The URL of Postgres. Raises MissingServer."""
    return _given(settings.database_url, "ATELIER_DATABASE_URL")


def redis_of(settings: Settings) -> str:
    """The URL of Redis. Raises MissingServer."""
    return _given(settings.redis_url, "ATELIER_REDIS_URL")


def broker_of(settings: Settings) -> str:
    """The URL of Celery's broker: that of Redis, unless set. Raises MissingServer."""
    url = settings.broker_url or settings.redis_url
    return _given(url, "ATELIER_REDIS_URL")


def cipher_of(settings: Settings) -> TokenCipher:
    """The cipher of stored tokens. Raises ValueError for a malformed key."""
    given = settings.secret_key
    return TokenCipher(key_of(settings.home, given.get_secret_value() if given else None))
