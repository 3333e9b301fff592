"""Where the message of a job is, and which credentials may edit it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import discord

from tasks.jobs.job import Job


@dataclass(frozen=True, slots=True)
class MessageReference:
    """A job's message and the interaction token that may edit it. Ids are Discord's."""

    channel: int
    message: int | None = None
    application: int | None = None
    token: str | None = None
    token_at: float = 0.0  # when the interaction was created, in seconds since 1970
    private: bool = False
    original: bool = False  # the initial response, which the token addresses as "@original"
    asked_in: int | None = None  # the member's message that is answered, if it was one
    direct: bool = False  # in direct messages, because the token expired before a private answer
    size_limit: int = discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES

    @classmethod
    def of(cls, job: Job, memory: Mapping[str, Any] | None = None) -> MessageReference:
        """The job's message, from its order, its recorded placeholder and the delivery's memory."""
        answer, recorded = job.order.reply_to, {**job.placeholder, **(memory or {})}
        return cls(
            channel=int(recorded.get("channel") or answer.get("channel") or 0),
            message=_id(recorded.get("message")),
            application=_id(answer.get("application")),
            token=answer.get("token"),
            token_at=float(answer.get("at") or 0.0),
            private=bool(recorded.get("private", job.order.private)),
            original=bool(recorded.get("original")),
            asked_in=_id(answer.get("message")),
            direct=bool(recorded.get("direct")),
            size_limit=int(answer.get("size_limit") or discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES),
        )

    def memory(self) -> dict[str, Any]:
        """The part to keep in the job's record; the token is in the order already."""
        return {
            "channel": str(self.channel),
            "message": str(self.message) if self.message else None,
            "private": self.private,
            "original": self.original,
            "direct": self.direct,
        }


def nonce_of(job: Job, purpose: str = "") -> str:
    """A nonce of at most 25 characters, the same on every attempt."""
    return f"{purpose[:4]}{job.id.hex}"[:25]


def _id(value: object) -> int | None:
    return int(str(value)) if value else None
