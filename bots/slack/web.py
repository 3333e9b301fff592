"""The Web API for one workspace: paced, never repeated blindly, with errors that mean something.

The stock client repeats a call once when the connection breaks, which posts a message twice where
only the answer was lost. Here nothing is repeated: the caller knows which calls can be.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.pace import Pace

TIMEOUT = 20.0  # seconds for one call
DEFAULT_RETRY_AFTER = 30.0


class SlackFault(Exception):
    """A call that did not work. `code` is Slack's word for it, or ours in place of one."""

    def __init__(self, method: str, code: str) -> None:
        super().__init__(f"{method}: {code}")
        self.code = code


class Limited(SlackFault):
    """Slack, or our own pace, wants a pause of `after` seconds."""

    def __init__(self, method: str, after: float) -> None:
        super().__init__(method, "ratelimited")
        self.after = after


class Lost(SlackFault):
    """No answer came: the call may have been carried out, or not."""


class Refused(SlackFault):
    """Slack said no, and nothing was done. `details` are its own words about what was wrong."""

    def __init__(self, method: str, code: str, details: tuple[str, ...] = ()) -> None:
        super().__init__(method, code)
        self.details = details


# Slack's own troubles: it may have begun before it failed.
_SLACK_FAILED = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "update_failed"}
)

PLACE_GONE = frozenset(
    {
        "channel_not_found",
        "is_archived",
        "not_in_channel",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_locked",
        "restricted_action_thread_only_channel",
        "restricted_action_non_threadable_channel",
        "posting_to_channel_denied",
        "thread_not_found",
        "cannot_reply_to_message",
        "messages_tab_disabled",
        "channel_is_limited_access",
        "edit_window_closed",
    }
)
MESSAGE_GONE = frozenset({"message_not_found", "cant_update_message", "is_inactive"})
TOKEN_GONE = frozenset(
    {"invalid_auth", "token_expired", "not_authed", "account_inactive", "token_revoked"}
)
APP_GONE = TOKEN_GONE | {
    "missing_scope",
    "org_login_required",
    "team_access_not_granted",
    "access_denied",
    "no_permission",
    "app_access_restricted",
}
FILE_GONE = frozenset({"file_not_found", "file_deleted", "file_is_deleted"})
FILES_REFUSED = frozenset(
    {
        "file_uploads_disabled",
        "storage_limit_reached",
        "file_upload_size_restricted",
        "file_type_not_allowed",
        "file_uploads_except_images_disabled",
    }
)


def web_client(
    url: str, token: str | None = None, session: aiohttp.ClientSession | None = None
) -> AsyncWebClient:
    """The stock client without its own retries."""
    return AsyncWebClient(
        token=token, base_url=url, retry_handlers=[], session=session, timeout=int(TIMEOUT)
    )


class Web:
    """Calls in one workspace with one token."""

    def __init__(self, client: AsyncWebClient, team: str, pace: Pace) -> None:
        self._client = client
        self.team = team
        self._pace = pace

    @property
    def token(self) -> str:
        """The bot token; for reading files, which is no call of the Web API."""
        return self._client.token or ""

    @property
    def session(self) -> aiohttp.ClientSession | None:
        """The shared connection pool."""
        return self._client.session

    async def call(
        self, method: str, *, patience: float = 5.0, reserve: float = 0.0, **args: Any
    ) -> Mapping[str, Any]:
        """One call; arguments that are None are left out, lists and objects are sent as JSON.

        Waits up to `patience` seconds for its turn. Raises Limited, Lost or Refused.
        """
        where = f"{self.team}:{args['channel']}" if method == "chat.postMessage" else self.team
        await self._turn(method, where, patience, reserve)
        try:
            answer = await self._client.api_call(method, data=_form(args))
        except SlackApiError as error:
            raise self._fault(method, where, error) from None
        except (aiohttp.ClientError, TimeoutError, OSError, SlackClientError) as error:
            raise Lost(method, type(error).__name__) from None
        body: Any = answer.data
        return dict(body)

    async def _turn(self, method: str, where: str, patience: float, reserve: float) -> None:
        """Wait for a turn and take it. Who waited looks again: another may have been quicker."""
        while (wait := self._pace.wait(method, where, reserve)) > 0:
            if wait > patience:
                raise Limited(method, wait)
            patience -= wait
            await asyncio.sleep(wait)
        self._pace.count(method, where)

    def _fault(self, method: str, where: str, error: SlackApiError) -> SlackFault:
        response: Any = error.response
        status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
        data: Any = getattr(response, "data", None)
        code = str(data.get("error", "")) if isinstance(data, dict) else ""
        if status == 429 or code in {"ratelimited", "rate_limited", "message_limit_exceeded"}:
            after = _retry_after(response.headers)
            self._pace.close(method, where, after)
            return Limited(method, after)
        if not code or status >= 500 or code in _SLACK_FAILED:
            return Lost(method, code or f"http-{status}")
        details = data.get("response_metadata", {}).get("messages", [])
        return Refused(method, code, tuple(map(str, details)))


def _retry_after(headers: Any) -> float:
    try:
        return float(headers.get("Retry-After", DEFAULT_RETRY_AFTER))
    except ValueError:
        return DEFAULT_RETRY_AFTER


def _form(args: Mapping[str, Any]) -> dict[str, str]:
    return {name: _value(value) for name, value in args.items() if value is not None}


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)
