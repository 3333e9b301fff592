"""The playground's publisher: a job's row is its message, so nothing is posted."""

from __future__ import annotations

from imaging.request import Progress
from tasks.delivery.publisher import Delivery, DeliveryResult, PublisherContext
from tasks.jobs.job import Job


class WebPublisher:
    """Posts nothing; pages read the record and the worker's events."""

    platform = "web"

    async def progress(self, job: Job, progress: Progress) -> float:  # noqa: ARG002
        """Nothing to do: the worker publishes each step as an event."""
        return 0.0

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        """The pictures are in the record, which the page shows."""
        return DeliveryResult(str(delivery.job.id))

    async def close(self) -> None:
        """Nothing to close."""


def connect(_context: PublisherContext) -> WebPublisher:
    """The publisher that a worker loads from the entry point `web`."""
    return WebPublisher()
