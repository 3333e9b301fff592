"""Thread pools for I/O and encoding, so that the device never waits for them.

Reading and writing use separate pools: hanging storage must not block finished pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog

from imaging.engine.error_summary import error_fields
from imaging.engine.render_handle import RenderHandle
from imaging.errors import EngineStopped, ImagingError, OutOfMemory

log = structlog.get_logger(__name__)


class IoThreads:
    """Runs actions for requests; an exception fails that request only."""

    def __init__(self, readers: int = 4, writers: int = 2) -> None:
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="engine-reader")
        self._writers = ThreadPoolExecutor(writers, thread_name_prefix="engine-writer")

    def read(self, handle: RenderHandle, action: Callable[[], None]) -> None:
        """Run an action that may block on storage."""
        _submit(self._readers, handle, action)

    def write(self, handle: RenderHandle, action: Callable[[], None]) -> None:
        """Run a CPU-bound action."""
        _submit(self._writers, handle, action)

    def shutdown(self) -> None:
        """Start no further action; running ones finish on their own."""
        for threads in (self._readers, self._writers):
            threads.shutdown(wait=False, cancel_futures=True)


def run_guarded(handle: RenderHandle, action: Callable[[], None]) -> None:
    """Run `action`; an exception fails `handle`, never the thread."""
    try:
        action()
    except ImagingError as error:
        handle.fail(error.with_traceback(None))  # a traceback references the frames' tensors
    except MemoryError as error:
        handle.fail(OutOfMemory(f"There was not enough memory for this picture: {error}"))
    except Exception as error:  # noqa: BLE001 - a bug fails one request, not the thread
        reason = f"The engine failed: {type(error).__name__}: {error}"
        log.error("engine-failed", reason=reason, **error_fields(error))  # noqa: TRY400 - no locals
        handle.fail(ImagingError(reason))


def _submit(threads: ThreadPoolExecutor, handle: RenderHandle, action: Callable[[], None]) -> None:
    try:
        threads.submit(run_guarded, handle, action)
    except RuntimeError:  # shut down meanwhile
        handle.fail(EngineStopped("The engine was stopped."))
