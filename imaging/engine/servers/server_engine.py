"""An engine whose pictures another server draws. Imports no torch.

Requests wait in line by priority, and a bounded number is in flight. Sources, checks, provenance
and files are those of the in-process engine. Cancelling a request, or the end of its time, ends its
call. A dropped request waits again: it stays the same handle, and nobody but its viewers sees it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from threading import Condition, Lock
from typing import Any

import structlog
from PIL import Image

from imaging.engine.compositing import cover
from imaging.engine.device_arbiter import DeviceStatistics
from imaging.engine.encode import encode_pictures
from imaging.engine.engine import EngineLoad
from imaging.engine.error_summary import error_fields
from imaging.engine.inputs import Reader, read_inputs
from imaging.engine.io_threads import IoThreads
from imaging.engine.picture_checks import PictureChecks
from imaging.engine.render_handle import RenderHandle
from imaging.engine.render_times import RenderTime, RenderTimes
from imaging.engine.servers.backend import Backend, ServerCall
from imaging.engine.servers.loop_thread import LoopThread
from imaging.engine.servers.request_queue import QueuedRequest, RequestQueue
from imaging.engine.settings import EngineSettings
from imaging.engine.types import RawImage, RenderInputs
from imaging.engine.upscale import enlarge
from imaging.engine.validation import check_request
from imaging.errors import EngineStopped, ImagingError, UnknownProfile
from imaging.formats import decode, preview_jpeg
from imaging.profiles import Profile
from imaging.request import ImageRequest, Operation, Priority, Stage
from imaging.server_models import ServerModel

log = structlog.get_logger(__name__)


@dataclass(eq=False, slots=True)
class _Work:
    """A request, its place in line, and its call while it is in flight."""

    handle: RenderHandle
    inputs: RenderInputs = field(default_factory=RenderInputs)
    queued: QueuedRequest[_Work] | None = None
    task: asyncio.Task[None] | None = None
    dropped: bool = False  # its call is being ended for a more pressing request
    showing: bool = False  # a preview of it is being checked


class ServerEngine:
    """Serves one model of one server. Call `stop` at the end.

    `read` returns a source's bytes by name, as for the in-process engine. `checks` are shared with
    the worker's other server engines.
    """

    def __init__(
        self,
        model: ServerModel,
        backend: Backend,
        read: Reader,
        checks: PictureChecks,
        settings: EngineSettings | None = None,
    ) -> None:
        self._model = model
        self._backend = backend
        self._profile = backend.profile
        self._read = read
        self._checks = checks
        self._settings = settings or EngineSettings()
        self._render_times = RenderTimes()
        self._lock = Lock()
        self._idle = Condition(self._lock)
        self._queue: RequestQueue[_Work] = RequestQueue(model.in_flight, restarts=model.restarts)
        self._active: dict[RenderHandle, _Work] = {}  # not settled
        self._stopping = False
        self._io_threads = IoThreads()
        self._loop = LoopThread(f"server-{model.name}")

    @property
    def profile(self) -> Profile:
        """The model, with the parameters that it follows."""
        return self._profile

    # -- for callers ----------------------------------------------------------------------------

    def submit(
        self, request: ImageRequest, *, seconds: float | None = None, previews: bool = True
    ) -> RenderHandle:
        """Accept a request and return at once; `result` raises any error."""
        limit = self._settings.longest_seconds if seconds is None else seconds
        handle = RenderHandle(
            request,
            deadline=time.monotonic() + limit,
            on_settled=self._forget,
            previews=previews,
        )
        work = self._accepted(handle)
        if work is None:
            return handle
        try:
            if request.profile != self._profile.name:
                raise UnknownProfile(
                    f"This server has no model {request.profile!r}.",
                    name=request.profile,
                    known=self._profile.name,
                )
            check_request(request, self._profile)
        except ImagingError as error:
            handle.fail(error)
            return handle
        if request.sources:
            self._io_threads.read(handle, lambda: self._prepare(work))
        else:
            self._enqueue(work)
        return handle

    def warm_up(self, profile: str, operation: Operation = Operation.IMAGINE) -> RenderHandle:
        """Ask the server whether it answers; no picture is drawn, which may cost money.

        `result` is empty, or raises why the server cannot be used.
        """
        width, height = self._profile.size("1:1")
        request = ImageRequest(operation, "", profile, width, height, seed=0)
        handle = RenderHandle(request, on_settled=self._forget, previews=False, is_warmup=True)
        work = self._accepted(handle)
        if work is not None:
            self._loop.call(self._begin, work, self._check)
        return handle

    def load(self) -> EngineLoad:
        """The current load. A server never stalls this process."""
        with self._lock:
            waiting = {priority: self._queue.waiting(priority) for priority in Priority}
            free = max(0, self._model.in_flight - len(self._active))
            return EngineLoad(
                device=self._model.source,
                profiles=(self._profile.name,),
                slots=self._model.in_flight,
                running=max(0, len(self._active) - sum(waiting.values())),
                waiting=waiting,
                free_slots=0 if self._stopping else free,
                stalled_seconds=0.0,
            )

    def render_times(self) -> tuple[RenderTime, ...]:
        """Measured seconds per picture, as this process saw them."""
        return self._render_times.all()

    def device_statistics(self) -> DeviceStatistics:
        """Zeros: the device is the server's."""
        return DeviceStatistics()

    def stop(self, timeout: float = 10.0) -> bool:
        """Fail every open request with EngineStopped and end its call; once."""
        until = time.monotonic() + timeout
        with self._lock:
            if self._stopping:
                return True
            self._stopping = True
            still_open = list(self._active)
        for handle in still_open:
            handle.fail(EngineStopped("The engine was stopped."))
        with self._lock:
            ended = self._idle.wait_for(lambda: not self._queue.running, timeout)
        self._io_threads.shutdown()
        try:
            self._loop.run(self._backend.close(), max(0.1, until - time.monotonic()))
        except TimeoutError:
            ended = False
        self._loop.stop(1.0)
        return ended

    # -- on the callers' and the I/O threads ----------------------------------------------------

    def _accepted(self, handle: RenderHandle) -> _Work | None:
        """The work of a new handle; None where the engine stops, and the handle has failed."""
        work = _Work(handle)
        with self._lock:
            stopping = self._stopping
            if not stopping:
                self._active[handle] = work
        if stopping:
            handle.fail(EngineStopped("The engine was stopped."))
            return None
        return work

    def _prepare(self, work: _Work) -> None:
        """Read the sources. An upscale is done here: it needs no model."""
        request = work.handle.request
        work.inputs = read_inputs(request, self._read, self._settings.limits)
        work.handle.check()
        if request.operation is Operation.UPSCALE:
            self._deliver(work, enlarge(request, work.inputs))
        else:
            self._enqueue(work)

    def _deliver(self, work: _Work, raw: list[RawImage]) -> None:
        handle = work.handle
        handle.check()
        handle.report(Stage.FINISHING)
        checked = self._checks.checked(self._profile, raw)
        handle.check()
        handle.finish(encode_pictures(checked, handle.request, self._profile))

    def _enqueue(self, work: _Work) -> None:
        with self._lock:
            if work.handle not in self._active:
                return  # settled while its sources were read
            work.queued = self._queue.new(work, work.handle.request.priority)
            self._queue.add(work.queued)
            self._dispatch()

    def _dispatch(self) -> None:
        """Send what may be sent; drop what must give way. Must be called with the lock."""
        while (queued := self._queue.start()) is not None:
            work = queued.item
            self._loop.call(self._begin, work, self._serve)
        while (queued := self._queue.victim()) is not None:
            queued.item.dropped = True
            log.info("request-dropped", model=self._profile.name, drops=queued.drops)
            self._loop.call(self._end_call, queued.item)

    def _forget(self, handle: RenderHandle) -> None:
        """A request is settled: end its call, or take it out of the line."""
        with self._lock:
            work = self._active.pop(handle, None)
            if work is None:
                return
            if work.queued is not None and self._queue.remove(work.queued):
                return
        self._loop.call(self._end_call, work)

    # -- on the event loop ----------------------------------------------------------------------

    def _begin(self, work: _Work, call: Callable[[_Work], Coroutine[Any, Any, None]]) -> None:
        work.task = self._loop.task(call(work))
        work.task.add_done_callback(partial(self._ended, work))

    def _end_call(self, work: _Work) -> None:
        if work.task is not None:
            work.task.cancel()

    def _ended(self, work: _Work, task: asyncio.Task[None]) -> None:
        """A call has ended: fail its request for a bug, or let a dropped one wait again."""
        work.task = None
        if not task.cancelled() and (error := task.exception()) is not None:
            reason = f"The engine failed: {type(error).__name__}"
            if isinstance(error, Exception):
                log.error("engine-failed", reason=reason, **error_fields(error))
            work.handle.fail(ImagingError(reason))
        with self._lock:
            if work.queued is not None:
                self._queue.end(work.queued)
                if work.dropped and task.cancelled() and work.handle in self._active:
                    self._queue.add(work.queued)
                work.dropped = False
            self._dispatch()
            self._idle.notify_all()

    async def _check(self, work: _Work) -> None:
        try:
            description = await self._backend.check()
        except ImagingError as error:
            work.handle.fail(error)
        else:
            log.info("server-answers", model=self._profile.name, answer=description)
            work.handle.finish(())

    async def _serve(self, work: _Work) -> None:
        """Send one request. Its clock stands still while it waits again after a drop."""
        handle, request = work.handle, work.handle.request
        handle.resume()
        began = time.monotonic()
        size = self._model.drawn_size((request.width, request.height))
        limits = [self._model.timeout, handle.remaining]
        until = asyncio.get_running_loop().time() + min(one for one in limits if one is not None)
        call = ServerCall(handle, work.inputs, size, until, partial(self._preview, work))
        try:
            handle.check()
            images = await self._backend.render(call)
        except ImagingError as error:
            handle.fail(error.with_traceback(None))
        except asyncio.CancelledError:
            if work.dropped:
                handle.pause(publish=False)
                handle.report(Stage.WAITING)
            raise
        else:
            self._measure(handle, time.monotonic() - began)
            raw = [
                RawImage(cover(image, (request.width, request.height)), seed)
                for image, seed in zip(images, call.seeds, strict=True)
            ]
            self._io_threads.write(handle, lambda: self._deliver(work, raw))

    def _measure(self, handle: RenderHandle, seconds: float) -> None:
        request = handle.request
        began = handle.steps_began_at  # a server's own queue is not counted
        if began is not None:
            seconds = min(seconds, time.monotonic() - began)
        handle.seconds = seconds
        self._render_times.record(
            RenderTime(
                profile=self._profile.name,
                operation=request.operation,
                width=request.width,
                height=request.height,
                steps=request.steps or self._profile.steps_of(request.operation),
                seconds=seconds / request.count,
                pictures=request.count,
            )
        )

    def _preview(self, work: _Work, data: bytes) -> None:
        """Show a server's preview, decoded and checked on an I/O thread; one at a time."""
        handle = work.handle
        if not handle.previews or work.showing:
            return
        work.showing = True
        self._io_threads.read(handle, lambda: self._show(work, data))

    def _show(self, work: _Work, data: bytes) -> None:
        try:
            if (image := self._fit_preview(work.handle, data)) is not None:
                now = work.handle.progress
                if now.stage is Stage.STEPS:
                    small = preview_jpeg(image, self._settings.preview_side)
                    work.handle.report(now.stage, now.step, now.steps, small)
        finally:
            work.showing = False

    def _fit_preview(self, handle: RenderHandle, data: bytes) -> Image.Image | None:
        """The decoded preview, or None where it is damaged or may not be shown."""
        try:
            image = decode(data)
            shown = handle.request.show_unfit
            flagged = not shown and any(self._checks.flags(self._profile, [image]))
        except ImagingError as error:
            log.warning("preview-failed", reason=str(error), **error_fields(error))
            return None
        return None if flagged else image
