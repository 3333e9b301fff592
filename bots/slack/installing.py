"""Installation in many workspaces: bolt's OAuth flow on our record, and tokens kept fresh.

Tokens expire after 12 hours where rotation is on
(https://docs.slack.dev/authentication/using-token-rotation). The bot renews them two hours ahead,
whether or not anybody speaks to it, so that a worker that posts a picture always finds a good one.
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

from bots.slack.surface import SCOPES
from bots.slack.workspaces import Wire, Workspaces
from tasks.client import Client, Unavailable
from tasks.seal import BrokenSeal

STATE_SECONDS = 600
AHEAD_MINUTES = 120  # before its end a token is renewed
ROUND = 300.0  # seconds between two looks at the tokens
AUTHORIZE_PATH = "/oauth/v2/authorize"  # beside the Web API, at slack.com as at slack-gov.com

_KEPT = (
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


class RecordedInstalls(AsyncInstallationStore):
    """Installations in the record, sealed, one a workspace."""

    def __init__(self, client: Client, workspaces: Workspaces) -> None:
        self._client = client
        self._workspaces = workspaces

    async def async_save(self, installation: Installation) -> None:
        """Keep an installation in place of an older one."""
        if installation.team_id is None:
            raise ValueError("an installation in no workspace cannot be kept")
        await self._client.save_install("slack", installation.team_id, dump(installation))
        self._workspaces.forget(installation.team_id)

    async def async_find_installation(
        self,
        *,
        enterprise_id: str | None,  # noqa: ARG002 - the store's signature
        team_id: str | None,
        user_id: str | None = None,  # noqa: ARG002
        is_enterprise_install: bool | None = False,  # noqa: ARG002
    ) -> Installation | None:
        """A workspace's installation."""
        found = await self._client.find_install("slack", team_id) if team_id else None
        return load(found) if found else None


class SealedStates(AsyncOAuthStateStore):
    """States that prove themselves: sealed with a key of this process, good for ten minutes.

    Bolt also ties each to the browser by a cookie, and Slack's code behind it is good once.
    """

    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(key)

    async def async_issue(self, *_args: Any, **_kwargs: Any) -> str:
        """A new state."""
        # Without its padding: a cookie with "=" comes back in quotes, which bolt does not know.
        return self._fernet.encrypt(secrets.token_bytes(16)).decode().rstrip("=")

    async def async_consume(self, state: str) -> bool:
        """Whether a state is ours and not too old."""
        try:
            padded = state + "=" * (-len(state) % 4)
            self._fernet.decrypt(padded.encode(), ttl=STATE_SECONDS)
        except (InvalidToken, ValueError):
            return False
        return True


def flow(
    wire: Wire, client_id: str, client_secret: str, installs: RecordedInstalls
) -> AsyncOAuthFlow:
    """Bolt's install pages on our store."""
    settings = AsyncOAuthSettings(
        client_id=client_id,
        client_secret=client_secret,
        scopes=sorted(SCOPES),
        user_scopes=[],
        installation_store=installs,
        state_store=SealedStates(Fernet.generate_key()),
        state_expiration_seconds=STATE_SECONDS,
        authorization_url=urljoin(wire.url, AUTHORIZE_PATH),
    )
    return AsyncOAuthFlow(client=wire.client(), settings=settings)


async def keep_fresh(
    client: Client, installs: RecordedInstalls, wire: Wire, client_id: str, client_secret: str
) -> None:
    """Renew tokens that end soon, for ever."""
    while True:
        try:
            await renew(client, installs, wire, client_id, client_secret)
        except Unavailable as error:
            structlog.get_logger().warning("tokens are renewed later", why=str(error))
        await anyio.sleep(ROUND)


async def renew(
    client: Client, installs: RecordedInstalls, wire: Wire, client_id: str, client_secret: str
) -> None:
    """Renew every token that ends within two hours, once."""
    rotator = AsyncTokenRotator(
        client_id=client_id, client_secret=client_secret, client=wire.client()
    )
    for team in await client.installed("slack"):
        try:
            found = await client.find_install("slack", team)
            renewed = found and await rotator.perform_token_rotation(
                installation=load(found), minutes_before_expiration=AHEAD_MINUTES
            )
        except _NOT_NOW as error:
            # The words of such an error can hold what Slack sent back; its kind is enough.
            structlog.get_logger().warning(
                "a token could not be renewed", team=team, why=type(error).__name__
            )
            continue
        if renewed:
            await installs.async_save(renewed)


_NOT_NOW = (
    SlackTokenRotationError,
    aiohttp.ClientError,
    TimeoutError,
    OSError,
    BrokenSeal,
)


def dump(installation: Installation) -> dict[str, Any]:
    """What is kept of an installation, as plain JSON."""
    values = {name: getattr(installation, name) for name in _KEPT}
    return values | {"bot_scopes": list(installation.bot_scopes or [])}


def load(values: Mapping[str, Any]) -> Installation:
    """The installation that `dump` wrote."""
    kept: dict[str, Any] = {name: values.get(name) for name in _KEPT}
    return Installation(**kept)
