"""A worker whose renders are empty and whose courier posts nothing: what is left is the queue.

Run as `python -m tasks.bench.empty_worker PLACES`, with so many jobs at once. Everything else is
the worker that an operator runs.
"""

from __future__ import annotations

import sys

from imaging.engine.device_arbiter import DeviceStatistics
from imaging.engine.engine import EngineLoad
from imaging.engine.render_handle import RenderHandle
from imaging.profiles import BLANK, profile_for
from imaging.request import ImageRequest, Operation, Progress
from tasks.delivery.publisher import Delivery, DeliveryResult, PublisherContext
from tasks.jobs.job import Job
from tasks.worker.engines import WorkerEngine
from tasks.worker.process import WorkerOverrides, main


class EmptyEngine:
    """Has every picture at once: none."""

    def __init__(self, slots: int) -> None:
        self._slots = slots

    def submit(
        self,
        request: ImageRequest,
        *,
        seconds: float | None = None,  # noqa: ARG002
        previews: bool = True,  # noqa: ARG002
    ) -> RenderHandle:
        """A rendering that is over."""
        rendering = RenderHandle(request)
        rendering.finish(())
        return rendering

    def warm_up(
        self,
        profile: str,  # noqa: ARG002
        operation: Operation = Operation.IMAGINE,  # noqa: ARG002
    ) -> RenderHandle:
        """Nothing to load."""
        return self.submit(ImageRequest.__new__(ImageRequest))

    def load(self) -> EngineLoad:
        """Never busy."""
        return EngineLoad("none", ("blank",), self._slots, 0, {}, self._slots, 0.0)

    def render_times(self) -> tuple[()]:
        """None."""
        return ()

    def device_statistics(self) -> DeviceStatistics:
        """No device."""
        return DeviceStatistics()

    def stop(self, timeout: float = 10.0) -> bool:  # noqa: ARG002
        """Nothing to stop."""
        return True


class NullPublisher:
    """Posts nothing."""

    platform = "bench"

    async def progress(self, job: Job, progress: Progress) -> float:  # noqa: ARG002
        """Nothing to show."""
        return 0.0

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        """Delivered at once."""
        return DeliveryResult(delivery.job.short)

    async def close(self) -> None:
        """Nothing to let go of."""


def connect(_desk: PublisherContext) -> NullPublisher:
    """The courier of the bench's platform."""
    return NullPublisher()


if __name__ == "__main__":
    served = WorkerEngine(EmptyEngine(int(sys.argv[1])), [profile_for(BLANK)])
    sys.exit(main(WorkerOverrides(engines=[served], publishers={"bench": connect})))
