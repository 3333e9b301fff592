"""Installation in many workspaces: bolt's OAuth flow with a database store, and token renewal.

Tokens expire after 12 hours where rotation is on
(https://docs.slack.dev/authentication/using-token-rotation). The bot renews each token two hours
before it expires, so that workers always find a valid one.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

import aiohttp
import anyio
import structlog
from cryptography.fernet import Fernet, InvalidToken
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.errors import SlackTokenRotationError
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.installation_store.models.installation import Installation
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator

from bots.slack.app_spec import SCOPES
from bots.slack.workspaces import Transport, Workspaces
from tasks.client import Client, Unavailable
from tasks.runtime.encryption import DecryptionFailed

STATE_SECONDS = 600
RENEW_AHEAD_MINUTES = 120  # before it expires a token is renewed
RENEW_INTERVAL = 300.0  # seconds between two checks of the tokens
AUTHORIZE_PATH = "/oauth/v2/authorize"  # on the host of the Web API: slack.com or slack-gov.com

_STORED_FIELDS = (
    "app_id",
    "enterprise_id",
    "enterprise_name",
    "team_id",
    "team_name",
    "bot_token",
    "bot_id",
    "bot_user_id",
    "bot_scopes",
    "bot_refresh_token",
    "bot_token_expires_at",
    "user_id",
    "is_enterprise_install",
    "token_type",
    "installed_at",
)


class InstallationStore(AsyncInstallationStore):
    """Stores installations in the database, encrypted, one per workspace."""

    def __init__(self, client: Client, workspaces: Workspaces) -> None:
        self._client = client
        self._workspaces = workspaces

    async def async_save(self, installation: Installation) -> None:
        """Store an installation, replacing an older one."""
        if installation.team_id is None:
            raise ValueError("an installation without a workspace cannot be stored")
        await self._client.installs.save("slack", installation.team_id, dump(installation))
        await self._client.installs.record_return("slack", installation.team_id)
        self._workspaces.forget(installation.team_id)

    async def async_find_installation(
        self,
        *,
        enterprise_id: str | None,  # noqa: ARG002 - the store's signature
        team_id: str | None,
        user_id: str | None = None,  # noqa: ARG002
        is_enterprise_install: bool | None = False,  # noqa: ARG002
    ) -> Installation | None:
        """The installation of a workspace."""
        stored = await self._client.installs.find("slack", team_id) if team_id else None
        return load(stored) if stored else None


class StateStore(AsyncOAuthStateStore):
    """Stateless OAuth states: encrypted with a key of this process, valid for ten minutes.

    Bolt also binds each state to the browser with a cookie, and Slack's code is valid once.
    """

    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(key)

    async def async_issue(self, *_args: Any, **_kwargs: Any) -> str:
        """A new state."""
        # Without padding: a cookie with "=" comes back in quotes, which bolt does not strip.
        return self._fernet.encrypt(secrets.token_bytes(16)).decode().rstrip("=")

    async def async_consume(self, state: str) -> bool:
        """Whether a state was issued by this process and has not expired."""
        try:
            padded = state + "=" * (-len(state) % 4)
            self._fernet.decrypt(padded.encode(), ttl=STATE_SECONDS)
        except (InvalidToken, ValueError):
            return False
        return True


def oauth_flow(
    transport: Transport, client_id: str, client_secret: str, store: AsyncInstallationStore
) -> AsyncOAuthFlow:
    """Bolt's installation pages with this store."""
    settings = AsyncOAuthSettings(
        client_id=client_id,
        client_secret=client_secret,
        scopes=sorted(SCOPES),
        user_scopes=[],
        installation_store=store,
        state_store=StateStore(Fernet.generate_key()),
        state_expiration_seconds=STATE_SECONDS,
        authorization_url=urljoin(transport.url, AUTHORIZE_PATH),
    )
    return AsyncOAuthFlow(client=transport.client(), settings=settings)


async def renew_tokens_forever(
    client: Client,
    store: InstallationStore,
    transport: Transport,
    client_id: str,
    client_secret: str,
) -> None:
    """Renew expiring tokens until cancelled."""
    while True:
        try:
            await renew_tokens(client, store, transport, client_id, client_secret)
        except Unavailable as error:
            structlog.get_logger().warning("token-renewal-postponed", reason=str(error))
        await anyio.sleep(RENEW_INTERVAL)


async def renew_tokens(
    client: Client,
    store: InstallationStore,
    transport: Transport,
    client_id: str,
    client_secret: str,
) -> None:
    """Renew every token that expires within two hours."""
    rotator = AsyncTokenRotator(
        client_id=client_id, client_secret=client_secret, client=transport.client()
    )
    for team in await client.installs.workspaces("slack"):
        try:
            stored = await client.installs.find("slack", team)
            renewed = stored and await rotator.perform_token_rotation(
                installation=load(stored), minutes_before_expiration=RENEW_AHEAD_MINUTES
            )
        except _TRANSIENT_ERRORS as error:
            # The message of such an error can contain Slack's response; log its type only.
            structlog.get_logger().warning(
                "token-not-renewed", team=team, reason=type(error).__name__
            )
            continue
        if renewed:
            await store.async_save(renewed)


_TRANSIENT_ERRORS = (
    SlackTokenRotationError,
    aiohttp.ClientError,
    TimeoutError,
    OSError,
    DecryptionFailed,
)


def dump(installation: Installation) -> dict[str, Any]:
    """The stored fields of an installation, as JSON."""
    values = {name: getattr(installation, name) for name in _STORED_FIELDS}
    return values | {"bot_scopes": list(installation.bot_scopes or [])}


def load(values: Mapping[str, Any]) -> Installation:
    """The installation from what `dump` returned."""
    kept: dict[str, Any] = {name: values.get(name) for name in _STORED_FIELDS}
    return Installation(**kept)
