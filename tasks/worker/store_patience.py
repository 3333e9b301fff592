"""Waiting for the blob store: a finished picture is not lost because its store is unreachable."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import TypeVar

import structlog

from tasks.runtime.blobs import BlobStoreUnavailable

T = TypeVar("T")

log = structlog.get_logger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0  # seconds


@dataclass(slots=True)
class StorePatience:
    """Repeats calls to the blob store until they succeed, or until there is no point in it."""

    longest_pause: float = LONGEST_PAUSE
    _shutdown: Event = field(init=False, default_factory=Event)

    def call(self, work: Callable[[], T], needed: Callable[[], bool] = lambda: True) -> T:
        """The result of `work`.

        Raises BlobStoreUnavailable once `needed` is false, or the worker shuts down.
        """
        pause, began = min(FIRST_PAUSE, self.longest_pause), time.monotonic()
        while True:
            try:
                return work()
            except BlobStoreUnavailable as error:
                waited = round(time.monotonic() - began)
                log.warning("blob-store-unreachable", error=str(error), seconds=waited)
                if self._shutdown.wait(pause) or not needed():
                    raise
                pause = min(2 * pause, self.longest_pause)

    def shut_down(self) -> None:
        """End all waits."""
        self._shutdown.set()
