"""Deletes a job's message and its files; what is gone already is no error."""

from __future__ import annotations

from typing import Any

from bots.slack.transport import FILE_GONE, MESSAGE_GONE, RateLimited, Rejected, SlackError, Web
from tasks.delivery.publisher import TryLater, Undeliverable
from tasks.store.removals import Removal

ALREADY_GONE = FILE_GONE | MESSAGE_GONE | {"channel_not_found"}


async def remove_message(web: Web, removal: Removal) -> None:
    """Delete the files first: a deleted message would leave them in the workspace.

    What Slack does not let the app delete keeps nothing else. Raises TryLater, or Undeliverable
    with Slack's own error code.
    """
    files = [
        str(value)
        for name, value in sorted(removal.memory.items())
        if name.startswith("file") and value
    ]
    message = removal.placeholder or removal.memory.get("placeholder") or {}
    try:
        refused = [await _delete(web, "files.delete", file=file) for file in files]
        if message.get("channel") and message.get("ts"):
            where = {"channel": message["channel"], "ts": message["ts"]}
            refused.append(await _delete(web, "chat.delete", **where))
    except RateLimited as error:
        raise TryLater(str(error), after=error.after) from None
    except SlackError as error:
        raise TryLater(str(error)) from None
    if first := next(filter(None, refused), None):
        raise Undeliverable(first.code, str(first))


async def _delete(web: Web, method: str, **arguments: Any) -> Rejected | None:
    """Slack's refusal, if it refused."""
    try:
        await web.call(method, **arguments)
    except Rejected as error:
        return None if error.code in ALREADY_GONE else error
    return None
