"""The settings of the environment, read once by an entry point and passed on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from dotenv import dotenv_values
from pydantic import Field, SecretStr, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

Url = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
HttpOrigin = Annotated[str, StringConstraints(pattern=r"^https?://[^/\s]+/?$")]


def environment() -> Mapping[str, str]:
    """The process's environment over the file `.env`: where the keys of other servers are."""
    file = {name: value for name, value in dotenv_values(".env").items() if value is not None}
    return {**file, **os.environ}


WRONG_CONFIGURATION = 78
"""The exit status (sysexits.h, EX_CONFIG) of a process that must not be started again as it is."""


class Settings(BaseSettings):
    """The settings of DESIGN section 6; every one is optional.

    Where a server's URL is None, `atelier up` starts an embedded one from the data folder.
    """

    model_config = SettingsConfigDict(
        env_prefix="ATELIER_", env_file=".env", extra="ignore", env_ignore_empty=True
    )

    home: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("atelier")))
    config: Path | None = None
    database_url: SecretStr | None = None
    redis_url: SecretStr | None = None
    broker_url: SecretStr | None = None
    blobs_url: Url | None = None
    model: str = "postcard"
    models: str | None = None  # names that this worker serves; unset: model, and all of the file
    web_host: str = "127.0.0.1"
    web_port: int = Field(default=8765, ge=0, le=65535)
    web_public_url: HttpOrigin | None = None  # behind a reverse proxy: how browsers reach the page
    web_secret: SecretStr | None = Field(
        default=None, min_length=16
    )  # else a file in the data folder
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = Field(default=None, ge=0, le=65535)  # unset: 8767, or any free one
    discord_token: SecretStr | None = None
    discord_api_url: Url = "https://discord.com/api/v10"
    discord_gateway_url: Url | None = None
    discord_shards: Annotated[str, StringConstraints(pattern=r"^\d+(-\d+)?/[1-9]\d*$")] | None = (
        None  # "0-3/8": this process runs shards 0 to 3 of 8; unset: all that Discord recommends
    )
    slack_bot_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    slack_client_id: str | None = None  # with the secret: workspaces install the app by OAuth
    slack_client_secret: SecretStr | None = None
    secret_key: SecretStr | None = (
        None  # encrypts stored tokens; default: a key file in the data folder
    )
    slack_api_url: Url = "https://slack.com/api/"
    slack_http_host: str = "127.0.0.1"
    slack_http_port: int = Field(default=8766, ge=0, le=65535)
    specs: Path | None = None
    drain_seconds: float = Field(default=960.0, ge=0)  # a worker's running jobs after SIGTERM
    log_format: Literal["text", "json"] = "text"
