"""The engine: renders requests on one device, a step at a time.

`submit` validates a request; an I/O thread reads and decodes its sources; the request waits for the
device; its own thread renders it and yields the device between steps to more urgent requests; an
I/O thread encodes the files. The device never waits for a download or a PNG, and a failure affects
only its own request.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from threading import Lock

from imaging.engine.blank_runner import BlankRunner
from imaging.engine.device_arbiter import DeviceArbiter, DeviceStatistics, Turn
from imaging.engine.encode import encode_pictures
from imaging.engine.inputs import Reader, read_inputs
from imaging.engine.io_threads import IoThreads, run_guarded
from imaging.engine.render_handle import RenderHandle
from imaging.engine.render_times import RenderTime, RenderTimes
from imaging.engine.settings import EngineSettings
from imaging.engine.step_scheduler import Arrival
from imaging.engine.types import ModelsInUse, RawImage, RenderInputs, Runner
from imaging.engine.upscale import enlarge
from imaging.engine.validation import check_request
from imaging.engine.warm_up import warm_up_inputs, warm_up_request
from imaging.errors import (
    EngineStopped,
    ImagingError,
    ModelUnavailable,
    UnknownProfile,
)
from imaging.profiles import BLANK, Profile
from imaging.request import ImageRequest, Operation, Priority, Stage


@dataclass(frozen=True, slots=True)
class EngineLoad:
    """A snapshot of the engine's load.

    `running` counts requests on the device or being encoded, `waiting` those queued for the device,
    by priority. `free_slots` is the number of further requests to submit. `stalled_seconds` is the
    time since the busy device thread last made progress; a hung process should be restarted.
    `batch_limit` is how many requests of the kinds in progress usefully share a denoiser call.
    """

    device: str
    profiles: tuple[str, ...]
    slots: int
    running: int
    waiting: Mapping[Priority, int]
    free_slots: int
    stalled_seconds: float
    batch_limit: int = 1


@dataclass(eq=False, slots=True)
class _Work:
    """A request with its profile and inputs."""

    handle: RenderHandle
    profile: Profile
    arrival: Arrival
    inputs: RenderInputs
    turn: Turn | None = None  # once it waits for the device


class Engine:
    """Serves the given profiles. One per process; call `stop` at the end.

    `read` returns a source's bytes by name; it may block and runs on an I/O thread;
    FileNotFoundError means that the picture was deleted. `blank`, for benchmarks and tests, enables
    the profile `blank`. Raises UnknownProfile for that profile without it. `clock` measures device
    time in seconds.
    """

    def __init__(
        self,
        profiles: Iterable[Profile],
        read: Reader,
        settings: EngineSettings | None = None,
        *,
        blank: BlankRunner | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._profiles = {profile.name: profile for profile in profiles}
        if BLANK in self._profiles and blank is None:
            raise UnknownProfile("The profile blank is for benchmarks only.", name=BLANK)
        self._read = read
        self._settings = settings or EngineSettings()
        self._blank = blank
        self._runner: Runner | None = None
        self._render_times = RenderTimes()
        self._lock = Lock()
        self._arbiter = DeviceArbiter(clock=clock)
        self._active: dict[RenderHandle, _Work | None] = {}  # not settled
        self._blocked: list[_Work] = []  # until no model is in use
        self._stopping = False
        self._io_threads = IoThreads()

    # -- for callers ----------------------------------------------------------------------------

    def submit(
        self, request: ImageRequest, *, seconds: float | None = None, previews: bool = True
    ) -> RenderHandle:
        """Accept a request and return at once; `result` raises any error.

        `seconds` limits its total time, waiting included. Disabling `previews` saves up to 10 % of
        the time.
        """
        limit = self._settings.longest_seconds if seconds is None else seconds
        deadline = time.monotonic() + limit
        return self._accept(
            RenderHandle(request, deadline=deadline, on_settled=self._forget, previews=previews)
        )

    def warm_up(self, profile: str, operation: Operation = Operation.IMAGINE) -> RenderHandle:
        """Load a profile and render a discarded picture, so that the first real one is fast.

        `operation` is `imagine`, or `edit` for the editing model; a model that draws nothing by
        itself edits or fills instead. `result` is empty or raises the error. `render_times` then
        has a measurement.
        """
        request = warm_up_request(profile, self._profiles.get(profile), operation)
        return self._accept(
            RenderHandle(request, on_settled=self._forget, previews=False, is_warmup=True)
        )

    def replace_profile(self, profile: Profile) -> None:
        """Describe a served profile anew, for requests from now on: its files are here."""
        self._profiles[profile.name] = profile

    def render_times(self) -> tuple[RenderTime, ...]:
        """Measured device seconds per picture, by profile, operation, size and steps."""
        return self._render_times.all()

    def device_statistics(self) -> DeviceStatistics:
        """Counters of device use since the start."""
        return self._arbiter.statistics()

    def load(self) -> EngineLoad:
        """The current load."""
        waiting = self._waiting()
        holder = self._arbiter.holder
        # Loading is not a stall: a download from the hub may take an hour.
        if holder is not None and holder.progress.stage is Stage.LOADING:
            holder = None
        with self._lock:
            return EngineLoad(
                device=self._runner.device if self._runner else "",
                profiles=tuple(self._profiles),
                slots=self._settings.slots,
                running=max(0, len(self._active) - sum(waiting.values())),
                waiting=waiting,
                free_slots=self._free_slots(),
                stalled_seconds=time.monotonic() - holder.last_activity_at if holder else 0.0,
                batch_limit=self._arbiter.batch_limit(),
            )

    def stop(self, timeout: float = 10.0) -> bool:
        """Fail every open request with EngineStopped; the holder of the device ends after its step.

        Returns whether the device was released within `timeout` seconds. The threads are daemons.
        """
        with self._lock:
            self._stopping = True
            still_open = list(self._active)
        for handle in still_open:
            handle.fail(EngineStopped("The engine was stopped."))
        released = self._arbiter.close(timeout)
        self._io_threads.shutdown()
        if released and self._runner is not None:
            self._runner.close()
            self._runner = None
        return released

    def _waiting(self) -> dict[Priority, int]:
        with self._lock:
            blocked = Counter(work.handle.request.priority for work in self._blocked)
        return {one: self._arbiter.waiting(one) + blocked[one] for one in Priority}

    def _free_slots(self) -> int:
        if self._stopping:
            return 0
        return max(0, self._settings.slots - len(self._active))

    # -- accepting a request --------------------------------------------------------------------

    def _accept(self, handle: RenderHandle) -> RenderHandle:
        arrival = self._arbiter.next_arrival()
        with self._lock:
            stopping = self._stopping
            if not stopping:
                self._active[handle] = None
        try:
            if stopping:
                raise EngineStopped("The engine was stopped.")
            profile = self._profile(handle.request.profile)
            check_request(handle.request, profile)
        except ImagingError as error:
            handle.fail(error)
            return handle
        work = _Work(handle, profile, arrival, warm_up_inputs(handle.request))
        if handle.request.sources and not handle.is_warmup:
            self._io_threads.read(handle, lambda: self._prepare(work))
        else:
            self._enqueue(work)
        return handle

    def _profile(self, name: str) -> Profile:
        if name not in self._profiles:
            available = ", ".join(self._profiles)
            raise UnknownProfile(
                f"This worker has no model {name!r}, only {available}.", name=name, known=available
            )
        return self._profiles[name]

    def _prepare(self, work: _Work) -> None:
        """Read and decode the sources; an upscale that needs no network is then done at once."""
        request = work.handle.request
        work.inputs = read_inputs(request, self._read, self._settings.limits)
        work.handle.check()
        plain = work.profile.checker is None and work.profile.upscaler is None
        if request.operation is Operation.UPSCALE and plain:
            work.handle.report(Stage.FINISHING)
            self._deliver(work, enlarge(request, work.inputs))
        else:
            self._enqueue(work)

    def _enqueue(self, work: _Work) -> None:
        handle, request = work.handle, work.handle.request
        with self._lock:
            if handle not in self._active:
                return  # settled while its sources were read
            self._active[handle] = work
            if any(one.handle.request.priority <= request.priority for one in self._blocked):
                self._blocked.append(work)  # or those before it would wait for ever
                return
            work.turn = self._arbiter.submit(
                handle,
                work.arrival,
                lambda: run_guarded(handle, lambda: self._serve(work)),
                seconds=self._expected_seconds(work),
                group=None if self._settings.strict else _group(request),
            )

    def _block(self, work: _Work) -> None:
        """Keep a request until no model is in use: its own does not fit beside them.

        Later requests wait behind it, unless they are more urgent.
        """
        work.handle.report(Stage.WAITING)
        with self._lock:
            if work.handle in self._active:
                self._blocked.append(work)

    def _unblock(self) -> None:
        """Schedule the blocked requests once no model is in use."""
        if self._runner is None or self._runner.has_models_in_use:
            return
        with self._lock:
            blocked, self._blocked = self._blocked, []
        for work in blocked:
            self._enqueue(work)

    def _expected_seconds(self, work: _Work) -> float | None:
        request = work.handle.request
        steps = request.steps or work.profile.steps_of(request.operation)
        each = self._render_times.expected(
            work.profile.name, request.operation, (request.width, request.height), steps
        )
        return None if each is None else each * request.count

    def _forget(self, handle: RenderHandle) -> None:
        """Remove a settled request from the schedule and the load."""
        with self._lock:
            work = self._active.pop(handle, None)
            self._blocked = [one for one in self._blocked if one is not work]
        if work is not None and work.turn is not None:
            self._arbiter.withdraw(work.turn)

    # -- on a request's thread, while it has the device -----------------------------------------

    def _serve(self, work: _Work) -> None:
        handle = work.handle
        handle.check()
        try:
            raw = self._runner_for(work.profile).render(work.profile, handle, work.inputs)
        except ModelsInUse:
            self._block(work)
            return
        finally:
            self._unblock()
        handle.turn.account()  # before the result is visible
        self._measure(work, len(raw))
        steps = handle.progress.steps
        handle.report(Stage.FINISHING, steps, steps)
        self._io_threads.write(handle, lambda: self._deliver(work, raw))

    def _runner_for(self, profile: Profile) -> Runner:
        if profile.name == BLANK and self._blank is not None:
            return self._blank
        if self._runner is None:
            try:
                from imaging.engine.library_setup import configure_libraries

                configure_libraries()
                from imaging.engine.diffusers_runner import DiffusersRunner
            except ImportError as error:
                raise ModelUnavailable(
                    f"The model libraries are missing ({error}): pip install 'atelier[worker]'.",
                    model=profile.name,
                ) from error
            self._runner = DiffusersRunner(self._settings)
        return self._runner

    def _measure(self, work: _Work, pictures: int) -> None:
        request, began = work.handle.request, work.handle.steps_began_at
        if began is None or not pictures:
            return
        self._render_times.record(
            RenderTime(
                profile=work.profile.name,
                operation=request.operation,
                width=request.width,
                height=request.height,
                steps=request.steps or work.profile.steps_of(request.operation),
                seconds=(time.monotonic() - began - work.handle.paused_seconds) / pictures,
                pictures=pictures,
            )
        )

    def _deliver(self, work: _Work, raw: list[RawImage]) -> None:
        handle = work.handle
        handle.check()
        if handle.is_warmup:
            handle.finish(())
        else:
            handle.finish(encode_pictures(raw, handle.request, work.profile))


def _group(request: ImageRequest) -> Hashable:
    """Requests of one group are expected to make denoiser calls that can share a batch."""
    return request.profile, request.operation, request.width, request.height, request.count
