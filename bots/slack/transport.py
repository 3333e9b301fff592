"""The Web API for one workspace: rate limited, without automatic retries, with typed errors.

The SDK's client retries a call once when the connection breaks, which posts a message twice where
only the response was lost. Nothing is retried here: the caller decides which calls can be repeated.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.rate_limit import RateLimiter

TIMEOUT = 20.0  # seconds for one call
DEFAULT_RETRY_AFTER = 30.0


class SlackError(Exception):
    """A failed call. `code` is Slack's error code, or this module's where Slack gave none."""

    def __init__(self, method: str, code: str) -> None:
        super().__init__(f"{method}: {code}")
        self.code = code


class RateLimited(SlackError):
    """Slack, or this process's rate limiter, asks for a pause of `after` seconds."""

    def __init__(self, method: str, after: float) -> None:
        super().__init__(method, "ratelimited")
        self.after = after


class OutcomeUnknown(SlackError):
    """No response arrived: the call may or may not have been executed."""


class Rejected(SlackError):
    """Slack rejected the call and changed nothing. `details` are its error messages."""

    def __init__(self, method: str, code: str, details: tuple[str, ...] = ()) -> None:
        super().__init__(method, code)
        self.details = details


# Errors of Slack itself: the call may have been executed in part.
_SLACK_FAILED = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "update_failed"}
)

CHANNEL_UNAVAILABLE = frozenset(
    {
        "channel_not_found",
        "is_archived",
        "is_inactive",
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
# `chat.update` says "is_inactive" of a channel that is archived.
CHANNEL_ARCHIVED = frozenset({"is_archived", "is_inactive"})
MESSAGE_GONE = frozenset({"message_not_found", "cant_update_message"})
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
    """The SDK's client without its retries."""
    return AsyncWebClient(
        token=token, base_url=url, retry_handlers=[], session=session, timeout=int(TIMEOUT)
    )


class Web:
    """Calls the Web API in one workspace with one token."""

    def __init__(self, client: AsyncWebClient, team: str, limiter: RateLimiter) -> None:
        self._client = client
        self.team = team
        self._limiter = limiter

    @property
    def token(self) -> str:
        """The bot token, for file downloads, which are not part of the Web API."""
        return self._client.token or ""

    @property
    def session(self) -> aiohttp.ClientSession | None:
        """The shared connection pool."""
        return self._client.session

    async def call(
        self, method: str, *, max_wait: float = 5.0, reserve: float = 0.0, **args: Any
    ) -> Mapping[str, Any]:
        """Call a method. Arguments that are None are omitted; lists and objects are sent as JSON.

        Waits up to `max_wait` seconds for the rate limit. Raises RateLimited, OutcomeUnknown or
        Rejected.
        """
        scope = f"{self.team}:{args['channel']}" if method == "chat.postMessage" else self.team
        await self._wait_turn(method, scope, max_wait, reserve)
        try:
            answer = await self._client.api_call(method, data=_form(args))
        except SlackApiError as error:
            raise self._error(method, scope, error) from None
        except (aiohttp.ClientError, TimeoutError, OSError, SlackClientError) as error:
            raise OutcomeUnknown(method, type(error).__name__) from None
        body: Any = answer.data
        return dict(body)

    async def _wait_turn(self, method: str, scope: str, max_wait: float, reserve: float) -> None:
        """Wait for the rate limit and count the call; concurrent calls may take the free slot."""
        while (wait := self._limiter.wait(method, scope, reserve)) > 0:
            if wait > max_wait:
                raise RateLimited(method, wait)
            max_wait -= wait
            await asyncio.sleep(wait)
        self._limiter.record_call(method, scope)

    def _error(self, method: str, scope: str, error: SlackApiError) -> SlackError:
        response: Any = error.response
        status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
        data: Any = getattr(response, "data", None)
        code = str(data.get("error", "")) if isinstance(data, dict) else ""
        if status == 429 or code in {"ratelimited", "rate_limited", "message_limit_exceeded"}:
            after = _retry_after(response.headers)
            self._limiter.block(method, scope, after)
            return RateLimited(method, after)
        if not code or status >= 500 or code in _SLACK_FAILED:
            return OutcomeUnknown(method, code or f"http-{status}")
        details = data.get("response_metadata", {}).get("messages", [])
        return Rejected(method, code, tuple(map(str, details)))


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
