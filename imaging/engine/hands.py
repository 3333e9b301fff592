"""The engine's hands: threads for what needs no model, so that the device never waits for it.

Reading and writing have threads of their own: storage that hangs must not keep finished pictures
from being written.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog

from imaging.engine.rendering import Rendering
from imaging.engine.traces import trace_of
from imaging.errors import EngineStopped, ImagingError, OutOfMemory

log = structlog.get_logger(__name__)


class Hands:
    """Acts for renderings, each on a thread; what goes wrong ends that rendering."""

    def __init__(self, readers: int = 4, writers: int = 2) -> None:
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="engine-reader")
        self._writers = ThreadPoolExecutor(writers, thread_name_prefix="engine-writer")

    def read(self, rendering: Rendering, act: Callable[[], None]) -> None:
        """Do what may wait for storage."""
        _begin(self._readers, rendering, act)

    def write(self, rendering: Rendering, act: Callable[[], None]) -> None:
        """Do what takes the CPU only."""
        _begin(self._writers, rendering, act)

    def let_go(self) -> None:
        """Begin nothing any more; what has begun may end by itself."""
        for threads in (self._readers, self._writers):
            threads.shutdown(wait=False, cancel_futures=True)


def guarded(rendering: Rendering, act: Callable[[], None]) -> None:
    """Act; whatever goes wrong ends this rendering, never the thread."""
    try:
        act()
    except ImagingError as error:
        rendering.fail(error)
    except MemoryError as error:
        rendering.fail(OutOfMemory(f"There was not enough memory for this picture: {error}"))
    except Exception as error:  # noqa: BLE001 - a fault of ours ends one request, not the thread
        reason = f"The engine failed: {type(error).__name__}: {error}"
        log.error("engine.fault", reason=reason, **trace_of(error))  # noqa: TRY400 - no locals
        rendering.fail(ImagingError(reason))


def _begin(threads: ThreadPoolExecutor, rendering: Rendering, act: Callable[[], None]) -> None:
    try:
        threads.submit(guarded, rendering, act)
    except RuntimeError:  # they were let go meanwhile
        rendering.fail(EngineStopped("The engine was stopped."))
