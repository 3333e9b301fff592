"""One request inside the engine: its progress, its cancelling, its result. Imports no torch.

A request is settled once, by the first of: the engine's pictures or error, the caller's `cancel`,
its deadline, or the engine's shutdown. The device thread learns of it at its next step from
`check`, which raises the error that settled it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from threading import Condition, Lock
from typing import Any, Protocol

from imaging.errors import ImagingError, RenderCancelled, RenderTimedOut
from imaging.request import FinishedPicture, ImageRequest, Progress, Stage


class DenoiserCall(Protocol):
    """One call of a denoising network, possibly run in a batch with calls of equal `key`."""

    @property
    def key(self) -> Hashable | None:
        """What two calls must have in common to share a batch; None to run alone."""

    def run(self) -> Any:
        """Run it alone: exactly the call that the pipeline made."""

    def run_with(self, others: tuple[DenoiserCall, ...]) -> tuple[Any, ...]:
        """Run one batch; returns the outputs of this call and of `others`."""

    def offload(self) -> int:
        """Move the request's tensors to the host while it is paused; returns the bytes."""

    def restore(self) -> None:
        """Move them back, before the call runs. Raises OutOfMemory."""


class DeviceTurn(Protocol):
    """A request's access to the device while it renders."""

    def yield_device(self) -> None:
        """Let more urgent requests use the device; returns when it is this request's turn again.

        Raises the error that settled the request meanwhile.
        """

    def call(self, denoiser_call: DenoiserCall) -> Any:
        """Yield, then run the call, possibly in a batch. Raises as `yield_device` does."""

    def account(self) -> None:
        """Add the device time of the current unit to the handle's `seconds` now."""

    def free_memory(self) -> int:
        """Move the tensors of paused requests to the host; returns the bytes."""


class ExclusiveTurn:
    """A turn without other requests: the device is never yielded."""

    def yield_device(self) -> None:
        """Return at once."""

    def call(self, denoiser_call: DenoiserCall) -> Any:
        """Run the call alone."""
        return denoiser_call.run()

    def account(self) -> None:
        """Nothing is measured."""

    def free_memory(self) -> int:
        """There are no other requests."""
        return 0


class RenderHandle:
    """A submitted request. Thread-safe.

    `deadline` is a `time.monotonic()` timestamp, or None. `on_settled` is called once, on the
    thread that settled the request.
    """

    def __init__(
        self,
        request: ImageRequest,
        *,
        deadline: float | None = None,
        on_settled: Callable[[RenderHandle], None] | None = None,
        previews: bool = True,
        is_warmup: bool = False,
    ) -> None:
        self.request = request
        self.previews = previews  # whether previews are wanted
        self.is_warmup = is_warmup  # its pictures are discarded
        self.seconds = 0.0  # device seconds spent on it
        self.unit_seconds: list[float] = []  # how long it kept the device each time
        self.steps_began_at: float | None = None  # monotonic; model loading is not included
        self.paused_seconds = 0.0  # since the first step; not counted towards the deadline
        self.turn: DeviceTurn = ExclusiveTurn()
        self.last_activity_at = time.monotonic()  # monotonic; the engine's last progress on it
        self._deadline = deadline
        self._on_settled = on_settled
        lock = Lock()
        self._changed = Condition(lock)
        self._settled = Condition(lock)  # of the same lock: progress does not wake `result`
        self._progress = Progress(Stage.WAITING)
        self._paused_at: float | None = None
        self._version = 0
        self._preview_version = 0
        self._pictures: tuple[FinishedPicture, ...] | None = None
        self._error: ImagingError | None = None

    # -- for the caller -------------------------------------------------------------------------

    @property
    def progress(self) -> Progress:
        """The current progress, with the latest preview."""
        with self._changed:
            return self._progress

    @property
    def done(self) -> bool:
        """Whether it is settled."""
        with self._changed:
            return self._ended()

    @property
    def remaining(self) -> float | None:
        """Seconds until the deadline, at least 0; None while none runs."""
        with self._changed:
            due_at = self._due_at()
        return None if due_at is None else max(0.0, due_at - time.monotonic())

    def updates(self) -> Iterator[Progress]:
        """Block for and yield each change until the request is settled.

        A slow reader gets the latest state only. `preview` is set only if it is new to this reader.
        `result` returns or raises the outcome.
        """
        version = -1
        while True:
            seen = version
            self._wait(self._changed, None, lambda: self._version != seen)  # noqa: B023 - called before the next iteration
            with self._changed:
                if self._ended():
                    return
                progress = self._progress
                fresh = self._preview_version > version
                version = self._version
            yield progress if fresh else replace(progress, preview=None)

    def cancel(self, reason: str = "cancelled") -> None:
        """Cancel: `result` raises RenderCancelled at once; the device finishes its current step."""
        self.fail(RenderCancelled(f"The rendering was cancelled: {reason}.", reason=reason))

    def result(self, timeout: float | None = None) -> tuple[FinishedPicture, ...]:
        """The pictures in the order of their seeds; blocks until settled.

        Raises the request's ImagingError, or TimeoutError after `timeout` seconds (the request then
        continues).
        """
        limit = None if timeout is None else time.monotonic() + timeout
        self._wait(self._settled, limit)
        with self._changed:
            if self._error is not None:
                raise self._error
            if self._pictures is None:
                raise TimeoutError(f"not finished within {timeout} s")
            return self._pictures

    # -- for the engine -------------------------------------------------------------------------

    def report(
        self, stage: Stage, step: int = 0, steps: int = 0, preview: bytes | None = None
    ) -> None:
        """Publish progress. Without `preview` the last one is kept."""
        self.last_activity_at = time.monotonic()
        if stage is Stage.STEPS and self.steps_began_at is None:
            self.steps_began_at = self.last_activity_at
        with self._changed:
            self._version += 1
            if preview is not None:
                self._preview_version = self._version
            self._progress = Progress(stage, step, steps, preview or self._progress.preview)
            self._changed.notify_all()

    def check(self) -> None:
        """Raise the error that settled this request, if any; called at every step."""
        self.last_activity_at = time.monotonic()
        self._expire_if_due()
        with self._changed:
            error = self._error
        if error is not None:
            # A copy: a raised error references its frames, and these reference device memory.
            raise type(error)(str(error), **error.details)

    def pause(self, *, publish: bool) -> None:
        """Stop the clock of the deadline; with `publish`, show the pause as progress."""
        with self._changed:
            self._paused_at = time.monotonic()
            progress = self._progress
        if publish:
            self.report(Stage.PAUSED, progress.step, progress.steps)

    def resume(self) -> None:
        """Continue after `pause`."""
        with self._changed:
            if self._paused_at is None:
                return
            paused = time.monotonic() - self._paused_at
            self._paused_at = None
            self.paused_seconds += paused
            if self._deadline is not None:
                self._deadline += paused
            progress = self._progress
            self._notify()  # of the new deadline
        if progress.stage is Stage.PAUSED:
            self.report(Stage.STEPS, progress.step, progress.steps)

    def sleep(self, seconds: float) -> None:
        """Sleep for `seconds` or until settled, then `check`."""
        self._wait(self._settled, time.monotonic() + seconds)
        self.check()

    def finish(self, pictures: tuple[FinishedPicture, ...]) -> None:
        """Settle with pictures, unless already settled."""
        self._settle(pictures, None)

    def fail(self, error: ImagingError) -> None:
        """Settle with an error, unless already settled."""
        self._settle(None, error)

    def _settle(
        self, pictures: tuple[FinishedPicture, ...] | None, error: ImagingError | None
    ) -> None:
        with self._changed:
            if self._pictures is not None or self._error is not None:
                return
            self._pictures, self._error = pictures, error
        try:
            if self._on_settled is not None:
                self._on_settled(self)  # before waiters wake, so that load counts are right
        finally:
            with self._changed:
                self._notify()

    def _notify(self) -> None:
        self._changed.notify_all()
        self._settled.notify_all()

    def _due_at(self) -> float | None:
        """The deadline; None while it does not run."""
        return self._deadline if self._paused_at is None else None

    def _ended(self) -> bool:
        return self._pictures is not None or self._error is not None

    def _expire_if_due(self) -> None:
        """Settle it if its deadline has passed. Must be called without the lock."""
        with self._changed:
            due_at = self._due_at()
        if due_at is not None and time.monotonic() >= due_at:
            self.fail(RenderTimedOut("The picture took longer than it may."))

    def _wait(
        self,
        condition: Condition,
        limit: float | None,
        ready: Callable[[], bool] = lambda: False,
    ) -> None:
        """Wait until `ready`, until settled, or until the timestamp `limit`."""
        while True:
            self._expire_if_due()
            now = time.monotonic()
            with condition:
                if self._ended() or ready() or (limit is not None and now >= limit):
                    return
                moments = [moment for moment in (limit, self._due_at()) if moment is not None]
                condition.wait(max(0.0, min(moments) - now) if moments else None)
