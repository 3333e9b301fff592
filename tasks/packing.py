"""A finished job made ready for its courier, from what the worker has in its hands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from imaging.request import FinishedPicture, ImageRequest
from tasks.deliver import Enclosure
from tasks.job import Job, JobState, Picture
from tasks.store.transitions import NewPicture, Rendered


@dataclass(frozen=True, slots=True)
class Packed:
    """A job that is ready to be posted: nothing of it has to be read, and no bot is editing it."""

    job: Job
    enclosures: Sequence[Enclosure]


def pack(
    job: Job,
    made: Sequence[NewPicture],
    finished: Sequence[FinishedPicture],
    settled: Rendered,
) -> Packed:
    """What is to be posted, as the record has it now, without reading it again."""
    enclosures = [
        Enclosure(
            Picture(
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
            ),
            one.data,
        )
        for new, one in zip(made, finished, strict=True)
    ]
    now = replace(
        job,
        state=JobState.DELIVERING,
        pictures=tuple(one.picture for one in enclosures),
        placeholder=settled.placeholder,
    )
    return Packed(now, enclosures)
