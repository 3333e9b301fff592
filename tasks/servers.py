"""The servers' addresses and the key, as the settings give them."""

from __future__ import annotations

from pydantic import SecretStr

from tasks.seal import Seal, key_of
from tasks.settings import Settings


class MissingServer(Exception):
    """A server's address is not set; the message says which, and what to do."""


def _given(url: SecretStr | None, variable: str) -> str:
    if url is None:
        raise MissingServer(
            f"{variable} is not set: set it to a server's address, or run `atelier up`, which "
            "starts a server of its own."
        )
    return url.get_secret_value()


def database_of(settings: Settings) -> str:
    """Postgres's address. Raises MissingServer."""
    return _given(settings.database_url, "ATELIER_DATABASE_URL")


def redis_of(settings: Settings) -> str:
    """Redis's address. Raises MissingServer."""
    return _given(settings.redis_url, "ATELIER_REDIS_URL")


def broker_of(settings: Settings) -> str:
    """The broker's address: Redis's, unless it was set apart. Raises MissingServer."""
    url = settings.broker_url or settings.redis_url
    return _given(url, "ATELIER_REDIS_URL")


def seal_of(settings: Settings) -> Seal:
    """What stored tokens are sealed with. Raises ValueError where the key is no key."""
    given = settings.secret_key
    return Seal(key_of(settings.home, given.get_secret_value() if given else None))
