"""A worker whose renders are empty and whose courier posts nothing: what is left is the queue.

Run as `python -m tasks.bench.empty_worker PLACES`, with so many jobs at once. Everything else is
the worker that an operator runs.
"""

from __future__ import annotations

import sys
from typing import cast

from imaging.engine.engine import Engine, EngineLoad
from imaging.engine.rendering import Rendering
from imaging.request import ImageRequest, Progress
from tasks.deliver import CourierDesk, Parcel, Receipt
from tasks.job import Job
from tasks.worker import Equipment, main


class EmptyEngine:
    """Has every picture at once: none."""

    def __init__(self, slots: int) -> None:
        self._slots = slots

    def submit(self, request: ImageRequest, *, seconds: float | None = None) -> Rendering:  # noqa: ARG002
        """A rendering that is over."""
        rendering = Rendering(request)
        rendering.finish(())
        return rendering

    def warm_up(self, profile: str) -> Rendering:  # noqa: ARG002
        """Nothing to load."""
        return self.submit(ImageRequest.__new__(ImageRequest))

    def load(self) -> EngineLoad:
        """Never busy."""
        return EngineLoad("none", ("blank",), self._slots, 0, {}, self._slots, 0.0)

    def rates(self) -> tuple[()]:
        """None."""
        return ()

    def stop(self, timeout: float = 10.0) -> bool:  # noqa: ARG002
        """Nothing to stop."""
        return True


class EmptyCourier:
    """Posts nothing."""

    platform = "bench"

    async def progress(self, job: Job, progress: Progress) -> None:
        """Nothing to show."""

    async def deliver(self, parcel: Parcel) -> Receipt:
        """Delivered at once."""
        return Receipt(parcel.job.short)

    async def close(self) -> None:
        """Nothing to let go of."""


def connect(_desk: CourierDesk) -> EmptyCourier:
    """The courier of the bench's platform."""
    return EmptyCourier()


if __name__ == "__main__":
    engine = cast(Engine, EmptyEngine(int(sys.argv[1])))
    sys.exit(main(Equipment(engine=engine, couriers={"bench": connect})))
