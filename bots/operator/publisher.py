"""The publisher for `atelier imagine`, which reads its job's row, so that nothing is posted."""

from __future__ import annotations

from imaging.request import Progress
from tasks.delivery.publisher import Delivery, DeliveryResult, PublisherContext
from tasks.jobs.job import Job


class TerminalPublisher:
    """Posts nothing; the command fetches the pictures itself."""

    platform = "terminal"

    async def progress(self, job: Job, progress: Progress) -> float:  # noqa: ARG002
        """Do nothing: the command listens to the worker's events."""
        return 0.0

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        """Return the job's id in place of a message's."""
        return DeliveryResult(str(delivery.job.id))

    async def close(self) -> None:
        """Nothing to close."""


def connect(_context: PublisherContext) -> TerminalPublisher:
    """The publisher behind the entry point `terminal`."""
    return TerminalPublisher()
