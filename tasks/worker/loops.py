"""A worker's periodic loops, and the watchdog that ends a hung process."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Thread

import structlog
from sqlalchemy.exc import DBAPIError

from imaging.engine.engine import EngineLoad

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Loop:
    """Calls `work` every `every` seconds in a thread of its own, through restarts of Postgres."""

    name: str
    work: Callable[[], None]
    every: float
    _stop: Event = field(init=False, default_factory=Event)
    _thread: Thread | None = field(init=False, default=None)

    def start(self) -> None:
        """Start the thread."""
        self._thread = Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop after the call in progress."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self.every):
            try:
                self.work()
            except DBAPIError as error:
                log.warning("loop-interrupted", loop=self.name, error=str(error).strip())
            except Exception:
                log.exception("loop-crashed", loop=self.name)


def end_if_hung(
    load: Callable[[], EngineLoad], limit: float, end: Callable[[int], None] = os._exit
) -> None:
    """End the process when the engine has made no progress for `limit` seconds.

    A hung thread cannot be stopped. The leases expire, the jobs begin again on other workers, and
    the supervisor restarts this process.
    """
    quiet = load().stalled_seconds
    if quiet > limit:
        log.critical("engine-hung", seconds=round(quiet))
        end(70)
