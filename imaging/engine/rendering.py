"""One request inside the engine: its progress, its cancelling, its result. Imports no torch.

A rendering is settled once, by whoever comes first: the engine with pictures or an error, the
caller with `cancel`, its own deadline, or the engine's stop. The engine's thread finds out at its
next step, through `check`, which raises what settled it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Condition

from imaging.errors import ImagingError, RenderCancelled, RenderTimedOut
from imaging.request import FinishedPicture, ImageRequest, Progress, Stage


class Rendering:
    """A request on its way. Safe to use from any thread.

    `deadline` is a moment of `time.monotonic()`, or None. `on_settled` is called once, when the
    rendering is over, on the thread that settled it.
    """

    def __init__(
        self,
        request: ImageRequest,
        *,
        deadline: float | None = None,
        on_settled: Callable[[Rendering], None] | None = None,
        previews: bool = True,
        rehearsal: bool = False,
    ) -> None:
        self.request = request
        self.previews = previews  # whether anyone wants to see it grow
        self.rehearsal = rehearsal  # a warm-up: its pictures go nowhere
        self.seconds = 0.0  # time that the engine's thread has spent on it
        self.steps_began_at: float | None = (
            None  # when the first step began, the model being loaded
        )
        self.touched_at = time.monotonic()  # when the engine last gave a sign of life for it
        self._deadline = deadline
        self._on_settled = on_settled
        self._changed = Condition()
        self._progress = Progress(Stage.WAITING)
        self._version = 0
        self._preview_version = 0
        self._pictures: tuple[FinishedPicture, ...] | None = None
        self._error: ImagingError | None = None

    # -- for the caller -------------------------------------------------------------------------

    @property
    def progress(self) -> Progress:
        """How far it is now, with the newest preview."""
        with self._changed:
            return self._progress

    @property
    def done(self) -> bool:
        """Whether the result, or the error, is there."""
        with self._changed:
            return self._ended()

    def updates(self) -> Iterator[Progress]:
        """Blocks for each change and yields it; ends when the rendering is over.

        A slow reader gets the newest state, not every one. `preview` is set only when it is new to
        this reader. The end is silent: ask `result` for how it ended.
        """
        version = -1
        while True:
            seen = version
            self._wait_for(lambda: self._version != seen, None)  # noqa: B023 - called before the next turn
            with self._changed:
                if self._ended():
                    return
                progress = self._progress
                fresh = self._preview_version > version
                version = self._version
            yield progress if fresh else replace(progress, preview=None)

    def cancel(self, reason: str = "cancelled") -> None:
        """Give it up: `result` raises RenderCancelled at once; the device finishes its step."""
        self.fail(RenderCancelled(f"The rendering was cancelled: {reason}.", reason=reason))

    def result(self, timeout: float | None = None) -> tuple[FinishedPicture, ...]:
        """The pictures, in the order of their seeds; blocks until they are there.

        Raises the ImagingError that the request ended with, or TimeoutError after `timeout` seconds
        (the rendering then goes on).
        """
        limit = None if timeout is None else time.monotonic() + timeout
        self._wait_for(lambda: False, limit)
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
        """Say how far it is. A report without a preview keeps the last one."""
        self.touched_at = time.monotonic()
        if stage is Stage.STEPS and self.steps_began_at is None:
            self.steps_began_at = self.touched_at
        with self._changed:
            self._version += 1
            if preview is not None:
                self._preview_version = self._version
            self._progress = Progress(stage, step, steps, preview or self._progress.preview)
            self._changed.notify_all()

    def check(self) -> None:
        """Raises what has ended this rendering, if anything has: called at every step."""
        self.touched_at = time.monotonic()
        self._lapse()
        with self._changed:
            error = self._error
        if error is not None:
            # A copy: a raised error keeps the frames it went through, and those keep device memory.
            raise type(error)(str(error), **error.details)

    def pause(self, seconds: float) -> None:
        """Sleep so long, or until it is settled; then as `check`."""
        self._wait_for(lambda: False, time.monotonic() + seconds)
        self.check()

    def finish(self, pictures: tuple[FinishedPicture, ...]) -> None:
        """Settle with pictures, unless something else came first."""
        self._settle(pictures, None)

    def fail(self, error: ImagingError) -> None:
        """Settle with an error, unless something else came first."""
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
                self._on_settled(self)  # before any waiter learns of it, so that counts are right
        finally:
            with self._changed:
                self._changed.notify_all()

    def _ended(self) -> bool:
        return self._pictures is not None or self._error is not None

    def _lapse(self) -> None:
        """Settle it if its time has passed. Not to be called with the lock held."""
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self.fail(RenderTimedOut("The picture took longer than it may."))

    def _wait_for(self, ready: Callable[[], bool], limit: float | None) -> None:
        """Wait until `ready`, until it is settled, or until the moment `limit`."""
        while True:
            self._lapse()
            now = time.monotonic()
            with self._changed:
                if self._ended() or ready() or (limit is not None and now >= limit):
                    return
                moments = [moment for moment in (limit, self._deadline) if moment is not None]
                self._changed.wait(max(0.0, min(moments) - now) if moments else None)
