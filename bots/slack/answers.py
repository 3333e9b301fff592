"""Answers to interactions at their `response_url`: good five times within half an hour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp

from bots.slack.files import allowed
from bots.slack.posting import Respond
from bots.slack.web import Lost, Refused, Web

HOOKS = "https://hooks.slack.com/"


def responder(web: Web, url: str, api_url: str) -> Respond | None:
    """A way to answer at this address; None where it is none of Slack's."""
    if not (url.startswith(HOOKS) or allowed(url, api_url)):
        return None
    session = web.session

    async def respond(shown: Mapping[str, Any]) -> None:
        body = {"response_type": "ephemeral", "replace_original": False, **shown}
        if session is None:
            raise RuntimeError("a Web that answers interactions needs a session")
        try:
            async with session.post(url, json=body, allow_redirects=False) as answer:
                if answer.status != 200:
                    raise Refused("response_url", f"http-{answer.status}")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Lost("response_url", type(error).__name__) from None

    return respond
