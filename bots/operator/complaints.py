"""Wrong settings as sentences: the variable's name and what is expected, never a secret's value."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError

from bots.operator.refusal import WrongSettings
from imaging.errors import ImagingError
from imaging.profiles import profile_for
from tasks import policy
from tasks.seal import is_key
from tasks.settings import Settings

PREFIX = "ATELIER_"
EXPECTED: Mapping[str, str] = {
    "web_port": "a port from 1 to 65535, or 0 for any free one",
    "log_format": "text or json",
    "discord_shards": "shards of all, such as 0-3/8",
}
SCHEMES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "database_url": (
        ("postgresql", "postgres", "postgresql+psycopg"),
        "a Postgres address such as postgresql://user:password@host:5432/atelier",
    ),
    "redis_url": (
        ("redis", "rediss", "unix"),
        "a Redis or Valkey address such as redis://host:6379/0",
    ),
    "broker_url": (
        ("redis", "rediss", "redis+socket", "unix"),
        "a Redis or Valkey address such as redis://host:6379/1",
    ),
    "blobs_url": (("file", "s3"), "file:///a/folder or s3://bucket/prefix"),
    "discord_api_url": (("http", "https"), "an address such as https://discord.com/api/v10"),
    "discord_gateway_url": (("ws", "wss"), "an address such as wss://gateway.discord.gg"),
    "slack_api_url": (("http", "https"), "an address such as https://slack.com/api/"),
}
TOKENS = (
    "discord_token",
    "slack_bot_token",
    "slack_app_token",
    "slack_signing_secret",
    "slack_client_id",
    "slack_client_secret",
    "secret_key",
)


def read_settings() -> Settings:
    """The settings of the environment and `.env`, checked, and `atelier.toml` with them.

    Raises WrongSettings.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        raise WrongSettings(
            "\n".join(_of_pydantic(dict(fault)) for fault in error.errors())
        ) from None
    except UnicodeDecodeError:
        raise WrongSettings("The file .env cannot be read: expected text in UTF-8.") from None
    except OSError as error:
        raise WrongSettings(f"The file .env cannot be read: {error.strerror}.") from None
    if wrong := list(complaints(settings)):
        raise WrongSettings("\n".join(wrong))
    try:
        policy.load(policy.find(settings.config))
    except policy.PolicyError as error:
        raise WrongSettings(str(error)) from None
    return settings.model_copy(update={"home": _absolute(settings.home)})


def _absolute(home: Path) -> Path:
    try:
        return home.expanduser().absolute()
    except RuntimeError:
        raise WrongSettings(
            complaint("home", f"a folder, and there is no user whose folder {home} would be")
        ) from None


def check_model(settings: Settings) -> None:
    """Whether the model is one that can be found; a worker needs it. Raises WrongSettings."""
    try:
        profile_for(settings.model)
    except ImagingError as error:
        raise WrongSettings(f"ATELIER_MODEL is wrong: {error}") from None


def check_pictures_folder(settings: Settings) -> None:
    """Whether pictures can be kept where the settings say, if that is a folder; it is made.

    Raises WrongSettings.
    """
    url = settings.blobs_url or ""
    if not url.startswith("file:"):
        return
    from fsspec.core import url_to_fs  # it takes a while to load, and most settings name no folder

    folder = Path(url_to_fs(url)[1])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        reason = None if os.access(folder, os.W_OK | os.X_OK) else "no right to write there"
    except OSError as error:
        reason = error.strerror
    if reason:
        raise WrongSettings(
            complaint("blobs_url", f"a folder that can be written, and {folder} cannot ({reason})")
        )


def complaints(settings: Settings) -> Iterator[str]:
    """What is wrong with settings that have the right types, a sentence a variable."""
    for field, (schemes, expected) in SCHEMES.items():
        value = _plain(getattr(settings, field))
        if value is not None and not _has_scheme(value, schemes):
            yield complaint(field, expected)
    for field in TOKENS:
        value = _plain(getattr(settings, field))
        if value is not None and (not value.isascii() or any(map(str.isspace, value))):
            yield complaint(field, "a token in one piece, without spaces or quotes")
    if settings.config is not None and not settings.config.is_file():
        yield complaint("config", f"the path of a file, and there is none at {settings.config}")
    if settings.home.exists() and not settings.home.is_dir():
        yield complaint("home", f"a folder, and {settings.home} is a file")
    if settings.slack_bot_token and not (settings.slack_app_token or settings.slack_signing_secret):
        yield (
            "ATELIER_SLACK_BOT_TOKEN needs a companion: set ATELIER_SLACK_APP_TOKEN (Socket Mode) "
            "or ATELIER_SLACK_SIGNING_SECRET (HTTP events)."
        )
    speaks = settings.slack_app_token or settings.slack_signing_secret
    installs = settings.slack_client_id and settings.slack_client_secret
    if speaks and not settings.slack_bot_token and not installs:
        yield (
            "Slack needs a token to answer with: set ATELIER_SLACK_BOT_TOKEN (one workspace), or "
            "ATELIER_SLACK_CLIENT_ID and ATELIER_SLACK_CLIENT_SECRET (workspaces install the app)."
        )
    if settings.slack_app_token and not (settings.slack_bot_token or settings.slack_client_id):
        yield (
            "ATELIER_SLACK_APP_TOKEN needs a companion: set ATELIER_SLACK_BOT_TOKEN, or "
            "ATELIER_SLACK_CLIENT_ID and its secret for workspaces that install the app."
        )
    if settings.secret_key and not is_key(settings.secret_key.get_secret_value()):
        yield complaint(
            "secret_key", "32 random bytes in url-safe base64; unset, one is made in the home"
        )


def complaint(field: str, expected: str) -> str:
    """The sentence about one variable."""
    return f"{PREFIX}{field.upper()} is wrong: expected {expected}."


def _of_pydantic(fault: Mapping[str, Any]) -> str:
    """One of pydantic's faults; the value that it carries is left out, as it may be a secret."""
    field = str(fault["loc"][0]) if fault["loc"] else "settings"
    return complaint(field, EXPECTED.get(field) or str(fault["msg"]).removeprefix("Value error, "))


def _plain(value: SecretStr | str | None) -> str | None:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _has_scheme(value: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        _ = parts.port  # raises where it is no number
    except ValueError:
        return False
    if parts.scheme in ("redis", "rediss") and not re.fullmatch(r"/?\d*/?", parts.path):
        return False  # a database is a number, and the client would take any other word for 0
    return parts.scheme in schemes and bool(parts.netloc or parts.path or parts.query)
