"""A finished job prepared for its publisher, from what the worker has in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from imaging.request import FinishedPicture, ImageRequest
from tasks.delivery.publisher import PictureAttachment
from tasks.jobs.job import Job, Picture
from tasks.jobs.states import JobState
from tasks.store.transitions import NewPicture, Rendered


@dataclass(frozen=True, slots=True)
class PreparedDelivery:
    """A job that can be published without reading it: no bot is editing its placeholder."""

    job: Job
    attachments: Sequence[PictureAttachment]


def prepare_delivery(
    job: Job,
    stored: Sequence[NewPicture],
    finished: Sequence[FinishedPicture],
    rendered: Rendered,
) -> PreparedDelivery:
    """The job as the database has it now, with its pictures, without reading them."""
    attachments = [
        PictureAttachment(_picture(job, new), one.data)
        for new, one in zip(stored, finished, strict=True)
    ]
    delivering = replace(
        job,
        state=JobState.DELIVERING,
        pictures=tuple(one.picture for one in attachments),
        placeholder=rendered.placeholder,
    )
    return PreparedDelivery(delivering, attachments)


def _picture(job: Job, new: NewPicture) -> Picture:
    return Picture(
        id=new.id,
        job=job.id,
        index=new.index,
        blob=new.blob,
        mime=new.mime,
        width=new.width,
        height=new.height,
        seed=new.seed,
        parent=job.order.parent,
        instruction=job.order.request.prompt,
        request=ImageRequest.from_json(new.request),
        created_at=datetime.now(UTC),
        flagged=new.flagged,
    )
