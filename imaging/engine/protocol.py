"""What a worker needs of an engine, wherever it renders. Imports no torch."""

from __future__ import annotations

from typing import Protocol

from imaging.engine.device_arbiter import DeviceStatistics
from imaging.engine.engine import EngineLoad
from imaging.engine.render_handle import RenderHandle
from imaging.engine.render_times import RenderTime
from imaging.request import ImageRequest, Operation


class ImageEngine(Protocol):
    """Renders requests for the profiles it serves. Every method may be called from any thread."""

    def submit(
        self, request: ImageRequest, *, seconds: float | None = None, previews: bool = True
    ) -> RenderHandle:
        """Accept a request and return at once; the handle has its progress and its result.

        `seconds` limits its total time, waiting included.
        """

    def warm_up(self, profile: str, operation: Operation = Operation.IMAGINE) -> RenderHandle:
        """Prepare a profile for its first request of an operation, `imagine` or `edit`.

        `result` is empty or raises why the profile cannot be used.
        """

    def load(self) -> EngineLoad:
        """How busy the engine is."""

    def render_times(self) -> tuple[RenderTime, ...]:
        """Measured seconds per picture, by profile, operation, size and steps."""

    def device_statistics(self) -> DeviceStatistics:
        """Counters of the use of this process's device; zeros for an engine without one."""

    def stop(self, timeout: float = 10.0) -> bool:
        """Fail every open request with EngineStopped; whether all ended in time (seconds)."""
