"""Several engines as one: each request goes to the engine that serves its profile. No torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from imaging.engine.device_arbiter import DeviceStatistics
from imaging.engine.engine import EngineLoad
from imaging.engine.protocol import ImageEngine
from imaging.engine.render_handle import RenderHandle
from imaging.engine.render_times import RenderTime
from imaging.errors import UnknownProfile
from imaging.request import ImageRequest, Operation, Priority


class CombinedEngine:
    """The engines of one worker. The first one with a device has the device's counters."""

    def __init__(self, engines: Sequence[ImageEngine]) -> None:
        self._engines = engines
        self._by_profile: Mapping[str, ImageEngine] = {
            name: engine for engine in engines for name in engine.load().profiles
        }

    def submit(
        self, request: ImageRequest, *, seconds: float | None = None, previews: bool = True
    ) -> RenderHandle:
        """Pass a request to its profile's engine."""
        engine = self._by_profile.get(request.profile)
        if engine is None:
            return self._refused(request)
        return engine.submit(request, seconds=seconds, previews=previews)

    def warm_up(self, profile: str, operation: Operation = Operation.IMAGINE) -> RenderHandle:
        """Prepare a profile."""
        engine = self._by_profile.get(profile)
        if engine is None:
            return self._refused(ImageRequest(operation, "", profile, 1, 1, seed=0))
        return engine.warm_up(profile, operation)

    def load(self) -> EngineLoad:
        """The sum of the loads; a stall of any engine is one of all."""
        loads = [engine.load() for engine in self._engines]
        waiting = Counter[Priority]()
        for load in loads:
            waiting.update(load.waiting)
        return EngineLoad(
            device=", ".join(load.device for load in loads if load.device),
            profiles=tuple(self._by_profile),
            slots=sum(load.slots for load in loads),
            running=sum(load.running for load in loads),
            waiting={priority: waiting[priority] for priority in Priority},
            free_slots=sum(load.free_slots for load in loads),
            stalled_seconds=max(load.stalled_seconds for load in loads),
            batch_limit=max(load.batch_limit for load in loads),
        )

    def render_times(self) -> tuple[RenderTime, ...]:
        """The measurements of all engines."""
        return tuple(time for engine in self._engines for time in engine.render_times())

    def device_statistics(self) -> DeviceStatistics:
        """The counters of the first engine that has a device."""
        found = (engine.device_statistics() for engine in self._engines)
        return next((one for one in found if one != DeviceStatistics()), DeviceStatistics())

    def stop(self, timeout: float = 10.0) -> bool:
        """Stop all engines; whether all ended in time."""
        ended = [engine.stop(timeout) for engine in self._engines]
        return all(ended)

    def _refused(self, request: ImageRequest) -> RenderHandle:
        handle = RenderHandle(request)
        handle.fail(self._unknown(request.profile))
        return handle

    def _unknown(self, name: str) -> UnknownProfile:
        known = ", ".join(self._by_profile)
        return UnknownProfile(
            f"This worker has no model {name!r}, only {known}.", name=name, known=known
        )
