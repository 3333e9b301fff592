"""Deliveries as a worker passes them to the publisher, with memory across attempts."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

from PIL import Image

from imaging.request import ImageRequest, Operation
from tasks.delivery.publisher import Delivery, PictureAttachment
from tasks.jobs.job import Job, Order, Picture, Reason
from tasks.jobs.members import Member, Place
from tasks.jobs.states import JobState
from tasks.jobs.tiers import Tier


class Crash(BaseException):
    """The worker crashes at this point."""


@dataclass
class Record:
    """The stored state of one delivery."""

    job: Job
    pictures: list[bytes]
    memory: dict[str, Any] = field(default_factory=dict)
    crash_after: int | None = None  # number of writes to the memory

    def delivery(self) -> Delivery:
        """The delivery for one more attempt."""
        attachments = tuple(
            PictureAttachment(picture, data)
            for picture, data in zip(self.job.pictures, self.pictures, strict=True)
        )
        return Delivery(self.job, attachments, dict(self.memory), self._remember)

    async def _remember(self, what: Mapping[str, Any]) -> None:
        self.memory |= what
        if self.crash_after is not None:
            self.crash_after -= 1
            if self.crash_after < 0:
                raise Crash


def png(colour: str) -> bytes:
    """A PNG of one colour."""
    target = BytesIO()
    Image.new("RGB", (32, 32), colour).save(target, "PNG")
    return target.getvalue()


def finished(
    team: str, channel: str, user: str, thread: str, placeholder: Mapping[str, str], count: int = 1
) -> Record:
    """A job whose pictures are ready to be posted."""
    request = ImageRequest(Operation.IMAGINE, "a red house & <!channel>", "postcard", 128, 128, 7)
    order = Order(
        f"slack:{team}:{channel}:{thread}",
        "imagine",
        Member("slack", team, user),
        Place("slack", team, channel, thread),
        replace(request, count=count),
        reply_to={"channel": channel, "thread": thread, "user": user},
    )
    id_, now = uuid.uuid4(), datetime.now(UTC)
    pictures = tuple(
        Picture(
            uuid.uuid4(), id_, n, f"blob-{n}", "image/png", 32, 32, 7 + n, None,
            request.prompt, order.request, now,
        )
        for n in range(count)
    )  # fmt: skip
    job = Job(
        id_, order, Tier.FREE, JobState.DELIVERING, 1, 1.0, now - timedelta(minutes=2),
        started_at=now, pictures=pictures, placeholder=placeholder,
    )  # fmt: skip
    return Record(job, [png(colour) for colour in ("red", "blue", "green", "gold")[:count]])


def failed(record: Record, code: str) -> Record:
    """The same job as a failed one."""
    job = replace(record.job, state=JobState.FAILED, reason=Reason(code), pictures=())
    return Record(job, [])
