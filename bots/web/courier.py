"""The playground's courier: the job's row is its message, so there is nothing to post."""

from __future__ import annotations

from imaging.request import Progress
from tasks.deliver import CourierDesk, Parcel, Receipt
from tasks.job import Job


class WebCourier:
    """Posts nothing, so nothing can be posted twice; the worker's events tell the pages."""

    platform = "web"

    async def progress(self, job: Job, progress: Progress) -> None:
        """The worker publishes each step itself, and pages read it there."""

    async def deliver(self, parcel: Parcel) -> Receipt:
        """The pictures are in the record, which is what the page shows."""
        return Receipt(str(parcel.job.id))

    async def close(self) -> None:
        """There is nothing to let go of."""


def connect(_desk: CourierDesk) -> WebCourier:
    """The courier that a worker finds under the entry point `web`."""
    return WebCourier()
