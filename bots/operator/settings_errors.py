"""Messages for invalid settings: the variable and what is expected, never a secret's value."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError

from bots.operator.errors import WrongSettings
from imaging.errors import ImagingError
from imaging.local_models import model_called
from tasks.policy import config
from tasks.runtime.encryption import are_keys
from tasks.runtime.settings import Settings, environment

PREFIX = "ATELIER_"
EXPECTED_VALUES: Mapping[str, str] = {
    "web_port": "a port from 1 to 65535, or 0 for any free one",
    "slack_http_port": "a port from 1 to 65535, or 0 for any free one",
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


INTERNAL_VARIABLES = frozenset(
    f"{PREFIX}{name}" for name in ("TREE", "READY_FD", "SPECS", "PEERS", "SOAK_MINUTES")
)
"""Set by `atelier up` for its processes, and for the tests."""


def unknown_variables(env_file: Path = Path(".env")) -> Iterator[tuple[str, str | None]]:
    """Variables that look like settings and are none, each with the nearest known one."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    given = {name.upper() for name in (*os.environ, *_names_in(env_file))}
    for name in sorted(given - known - INTERNAL_VARIABLES):
        if name.startswith(PREFIX):
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
            yield name, close[0] if close else None


def _names_in(env_file: Path) -> list[str]:
    try:
        return list(dotenv_values(env_file, interpolate=False))
    except (OSError, UnicodeDecodeError):
        return []  # reported when the settings are read


def read_settings() -> Settings:
    """Read and check the environment, `.env` and `atelier.toml`.

    Raises WrongSettings, with a line for every mistake.
    """
    try:
        settings, wrong = _parsed()
    except UnicodeDecodeError:
        raise WrongSettings("The file .env cannot be read: expected text in UTF-8.") from None
    except OSError as error:
        raise WrongSettings(f"The file .env cannot be read: {error.strerror}.") from None
    wrong += find_errors(settings)
    if settings.config is None or settings.config.is_file():
        try:
            config.load(config.find(settings.config))
        except config.PolicyError as error:
            wrong.append(str(error))
    if wrong:
        raise WrongSettings("\n".join(wrong))
    return settings.model_copy(update={"home": settings.home.expanduser().absolute()})


def _parsed() -> tuple[Settings, list[str]]:
    """The settings, with defaults for what cannot be parsed, and a message for each of those.

    Raises UnicodeDecodeError or OSError for the file `.env`.
    """
    try:
        return Settings(), []
    except ValidationError as error:
        faults: list[dict[str, Any]] = [dict(fault) for fault in error.errors()]
    fields = {str(fault["loc"][0]) for fault in faults if fault["loc"]}
    defaults = {
        name: field.get_default(call_default_factory=True)
        for name, field in Settings.model_fields.items()
        if name in fields
    }
    return Settings(**defaults), list(dict.fromkeys(map(_of_pydantic, faults)))


def check_model(settings: Settings) -> None:
    """Check that the models exist and can be used; a worker needs them. Raises WrongSettings."""
    policy = config.load(config.find(settings.config))
    servers = policy.models
    try:
        if settings.model in policy.local_models:
            policy.local_models[settings.model].profile()
        elif settings.model not in servers:
            model_called(settings.model).profile()
    except ImagingError as error:
        raise WrongSettings(f"ATELIER_MODEL is wrong: {error}") from None
    if not servers:
        return
    from imaging.engine.servers.backends import backend_of  # slow to import, and rarely needed

    try:
        for model in servers.values():
            backend_of(model, environment())
    except ImagingError as error:
        raise WrongSettings(str(error)) from None


def check_pictures_folder(settings: Settings) -> None:
    """Create the pictures folder, if the settings name one, and check that it is writable.

    Raises WrongSettings.
    """
    url = settings.blobs_url or ""
    if not url.startswith("file:"):
        return
    from fsspec.core import url_to_fs  # slow to import, and rarely needed

    folder = Path(url_to_fs(url)[1])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        reason = None if os.access(folder, os.W_OK | os.X_OK) else "no right to write there"
    except OSError as error:
        reason = error.strerror
    if reason:
        raise WrongSettings(
            invalid_setting(
                "blobs_url", f"a folder that can be written, and {folder} cannot ({reason})"
            )
        )


def find_errors(settings: Settings) -> Iterator[str]:
    """A message for each invalid value that passed the type check."""
    for field, (schemes, expected) in SCHEMES.items():
        value = _plain(getattr(settings, field))
        if value is not None and not _has_scheme(value, schemes):
            yield invalid_setting(field, expected)
    for field in TOKENS:
        value = _plain(getattr(settings, field))
        if value is not None and (not value.isascii() or any(map(str.isspace, value))):
            yield invalid_setting(field, "a token in one piece, without spaces or quotes")
    if settings.config is not None and not settings.config.is_file():
        yield invalid_setting(
            "config", f"the path of a file, and there is none at {settings.config}"
        )
    yield from _home_errors(settings.home)
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
    if settings.secret_key and not are_keys(settings.secret_key.get_secret_value()):
        yield invalid_setting(
            "secret_key", "32 random bytes in url-safe base64; unset, one is made in the home"
        )


def _home_errors(home: Path) -> Iterator[str]:
    try:
        absolute = home.expanduser().absolute()
    except RuntimeError:
        yield invalid_setting("home", f"a folder, and {home} names an unknown user")
    else:
        if absolute.exists() and not absolute.is_dir():
            yield invalid_setting("home", f"a folder, and {home} is a file")


def invalid_setting(field: str, expected: str) -> str:
    """The message about one variable."""
    return f"{PREFIX}{field.upper()} is wrong: expected {expected}."


def _of_pydantic(fault: Mapping[str, Any]) -> str:
    """A pydantic error as a message, without the value, which may be a secret."""
    field = str(fault["loc"][0]) if fault["loc"] else "settings"
    return invalid_setting(
        field, EXPECTED_VALUES.get(field) or str(fault["msg"]).removeprefix("Value error, ")
    )


def _plain(value: SecretStr | str | None) -> str | None:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _has_scheme(value: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        _ = parts.port  # raises ValueError for a malformed port
    except ValueError:
        return False
    if parts.scheme in ("redis", "rediss") and not re.fullmatch(r"/?\d*/?", parts.path):
        return False  # the client reads anything but a number as database 0
    return parts.scheme in schemes and bool(parts.netloc or parts.path or parts.query)
