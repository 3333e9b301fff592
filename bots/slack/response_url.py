"""Replies to interactions at their `response_url`, valid five times within 30 minutes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp

from bots.slack.files import is_slack_file_url
from bots.slack.reply_target import Respond
from bots.slack.transport import OutcomeUnknown, Rejected, Web

RESPONSE_HOST = "https://hooks.slack.com/"


def responder(web: Web, url: str, api_url: str) -> Respond | None:
    """A function that replies at this URL; None where the URL is not Slack's."""
    if not (url.startswith(RESPONSE_HOST) or is_slack_file_url(url, api_url)):
        return None
    session = web.session

    async def respond(message: Mapping[str, Any]) -> None:
        body = {"response_type": "ephemeral", "replace_original": False, **message}
        if session is None:
            raise RuntimeError("replies to interactions need a session")
        try:
            async with session.post(url, json=body, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise Rejected("response_url", f"http-{answer.status}")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise OutcomeUnknown("response_url", type(error).__name__) from None

    return respond
