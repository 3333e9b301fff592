"""Placeholders: the one message of each job, posted once though Slack has no idempotency key.

The message carries the job's id as metadata. Where the answer to posting it was lost, it is looked
for before it is posted again.
https://docs.slack.dev/messaging/message-metadata
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from bots.slack.surface import METADATA_EVENT
from bots.slack.web import Refused, SlackFault, Web
from tasks.job import Job

LOOKED_THROUGH = 100  # messages
CLOCKS_DIFFER = 120.0  # seconds by which our clock may be ahead of Slack's


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a placeholder is to stand. `channel` may be a user's id: their direct message."""

    channel: str
    thread: str | None


def spot_of(reply_to: Mapping[str, Any], user: str, private: bool) -> Spot:
    """The spot for a job's message: the conversation, or the member's own for private results."""
    if private and not str(reply_to["channel"]).startswith(("D", "U", "W")):
        return Spot(user, None)
    return Spot(str(reply_to["channel"]), reply_to.get("thread"))


def metadata(job: UUID) -> dict[str, Any]:
    """What marks a message as this job's."""
    return {"event_type": METADATA_EVENT, "event_payload": {"job": str(job)}}


async def post(web: Web, spot: Spot, job: UUID, text: str, blocks: list[Any]) -> dict[str, str]:
    """Post a job's message; what is to be stored. Raises Limited, Lost or Refused."""
    answer = await web.call(
        "chat.postMessage",
        patience=15.0,
        channel=spot.channel,
        thread_ts=spot.thread,
        text=text,
        blocks=blocks,
        metadata=metadata(job),
        unfurl_links=False,
        unfurl_media=False,
    )
    return {"channel": str(answer["channel"]), "ts": str(answer["ts"])}


async def take_back(web: Web, placed: Mapping[str, str]) -> None:
    """Delete a message that is one too many: another process had posted the job's already.

    A second try is left to nobody: what cannot be deleted stays, without pictures, and is logged.
    """
    try:
        await web.call("chat.delete", patience=15.0, channel=placed["channel"], ts=placed["ts"])
    except SlackFault as fault:
        structlog.get_logger().warning("a second placeholder stays", why=str(fault))


def refused(code: str) -> dict[str, str]:
    """Stored in place of a message: there is none and will be none, and the member knows why."""
    return {"refused": code}


async def find(web: Web, spot: Spot, job: Job) -> dict[str, str] | None:
    """A job's message that was posted already, or None. Raises Limited or Lost."""
    method = "conversations.replies" if spot.thread else "conversations.history"
    try:
        channel = await _channel(web, spot.channel)
        page = await web.call(
            method,
            channel=channel,
            include_all_metadata=True,
            limit=LOOKED_THROUGH,
            oldest=f"{job.created_at.timestamp() - CLOCKS_DIFFER:.6f}",
            ts=spot.thread,
        )
    except Refused:
        return None  # the place is gone; posting will say why
    for message in page.get("messages", []):
        mark = message.get("metadata") or {}
        payload = mark.get("event_payload") or {}
        if mark.get("event_type") == METADATA_EVENT and payload.get("job") == str(job.id):
            return {"channel": channel, "ts": str(message["ts"])}
    return None


async def _channel(web: Web, name: str) -> str:
    """The channel; the direct messages of a user have one of their own."""
    if not name.startswith(("U", "W")):
        return name
    return str((await web.call("conversations.open", users=name))["channel"]["id"])
