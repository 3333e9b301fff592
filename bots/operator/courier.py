"""The terminal's courier: `atelier imagine` reads its job's row, so there is nothing to post."""

from __future__ import annotations

from imaging.request import Progress
from tasks.deliver import CourierDesk, Parcel, Receipt
from tasks.job import Job


class TerminalCourier:
    """Posts nothing; the pictures are in the record, where the command fetches them."""

    platform = "terminal"

    async def progress(self, job: Job, progress: Progress) -> None:
        """The worker publishes each step itself, and the command listens to it."""

    async def deliver(self, parcel: Parcel) -> Receipt:
        """There is no message; the job's own id stands for one."""
        return Receipt(str(parcel.job.id))

    async def close(self) -> None:
        """There is nothing to let go of."""


def connect(_desk: CourierDesk) -> TerminalCourier:
    """The courier that a worker finds under the entry point `terminal`."""
    return TerminalCourier()
