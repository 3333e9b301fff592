"""Placeholders: the one message of each job, posted once although Slack has no idempotency key.

The message carries the job's id as metadata. Where the response to posting it was lost, the message
is searched for before it is posted again.
https://docs.slack.dev/messaging/message-metadata
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from bots.slack.app_spec import METADATA_EVENT
from bots.slack.transport import Rejected, SlackError, Web
from tasks.jobs.job import Job

SEARCH_LIMIT = 100  # messages
CLOCK_SKEW = 120.0  # seconds by which this clock may be ahead of Slack's


@dataclass(frozen=True, slots=True)
class PlaceholderTarget:
    """Where a placeholder is posted. `channel` may be a user id, for their direct messages."""

    channel: str
    thread: str | None


def placeholder_target(reply_to: Mapping[str, Any], user: str, private: bool) -> PlaceholderTarget:
    """Where a job's message goes: the conversation, or direct messages for private results."""
    if private and not str(reply_to["channel"]).startswith(("D", "U", "W")):
        return PlaceholderTarget(user, None)
    return PlaceholderTarget(str(reply_to["channel"]), reply_to.get("thread"))


def metadata(job: UUID) -> dict[str, Any]:
    """The message metadata that identifies a job."""
    return {"event_type": METADATA_EVENT, "event_payload": {"job": str(job)}}


async def post(
    web: Web, target: PlaceholderTarget, job: UUID, text: str, blocks: list[Any]
) -> dict[str, str]:
    """Post a job's message; the `channel` and `ts` to store. Raises SlackError."""
    answer = await web.call(
        "chat.postMessage",
        max_wait=15.0,
        channel=target.channel,
        thread_ts=target.thread,
        text=text,
        blocks=blocks,
        metadata=metadata(job),
        unfurl_links=False,
        unfurl_media=False,
    )
    return {"channel": str(answer["channel"]), "ts": str(answer["ts"])}


async def delete_duplicate(web: Web, message: Mapping[str, str]) -> None:
    """Delete a second placeholder: another process had already posted the job's message.

    A message that cannot be deleted stays, without pictures, and is logged.
    """
    try:
        await web.call("chat.delete", max_wait=15.0, channel=message["channel"], ts=message["ts"])
    except SlackError as error:
        structlog.get_logger().warning("duplicate-placeholder-kept", reason=str(error))


def rejected_placeholder(code: str) -> dict[str, str]:
    """What is stored where no message could be posted and the member was notified."""
    return {"refused": code}


async def find(web: Web, target: PlaceholderTarget, job: Job) -> dict[str, str] | None:
    """A job's existing message, or None. Raises RateLimited or OutcomeUnknown."""
    method = "conversations.replies" if target.thread else "conversations.history"
    try:
        channel = await _channel(web, target.channel)
        page = await web.call(
            method,
            channel=channel,
            include_all_metadata=True,
            limit=SEARCH_LIMIT,
            oldest=f"{job.created_at.timestamp() - CLOCK_SKEW:.6f}",
            ts=target.thread,
        )
    except Rejected:
        return None  # the channel is unavailable; posting reports the reason
    for message in page.get("messages", []):
        metadata_ = message.get("metadata") or {}
        payload = metadata_.get("event_payload") or {}
        if metadata_.get("event_type") == METADATA_EVENT and payload.get("job") == str(job.id):
            return {"channel": channel, "ts": str(message["ts"])}
    return None


async def _channel(web: Web, name: str) -> str:
    """The channel id; opens the direct messages of a user id."""
    if not name.startswith(("U", "W")):
        return name
    return str((await web.call("conversations.open", users=name))["channel"]["id"])
