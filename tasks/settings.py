"""Everything the environment says, read once by an entry point and handed on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import Field, SecretStr, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

Url = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


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
    web_host: str = "127.0.0.1"
    web_port: int = Field(default=8765, ge=0, le=65535)
    discord_token: SecretStr | None = None
    discord_api_url: Url = "https://discord.com/api/v10"
    discord_gateway_url: Url | None = None
    discord_shards: Annotated[str, StringConstraints(pattern=r"^\d+(-\d+)?/[1-9]\d*$")] | None = (
        None  # "0-3/8": this process runs shards 0 to 3 of 8; unset: all that Discord advises
    )
    slack_bot_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    slack_client_id: str | None = None  # with the secret: workspaces install the app themselves
    slack_client_secret: SecretStr | None = None
    secret_key: SecretStr | None = None  # seals stored tokens; else a file in the data folder does
    slack_api_url: Url = "https://slack.com/api/"
    specs: Path | None = None
    log_format: Literal["text", "json"] = "text"
