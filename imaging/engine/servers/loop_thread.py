"""An event loop on a thread of its own: the engine's callers are threads. Imports no torch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from threading import Thread
from typing import Any


class LoopThread:
    """A running event loop. The thread is a daemon and does not block the process's exit."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def call(self, action: Callable[..., object], *arguments: Any) -> None:
        """Run a function on the loop, in the order of the calls; nothing once it is stopped."""
        try:
            self._loop.call_soon_threadsafe(action, *arguments)
        except RuntimeError:  # closed
            return

    def task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task on the loop. Must be called on the loop."""
        return self._loop.create_task(work)

    def run(self, work: Coroutine[Any, Any, Any], timeout: float) -> None:
        """Run a coroutine to its end, at most `timeout` seconds. Raises what it raises."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    def stop(self, timeout: float) -> None:
        """Stop the loop; its tasks must have ended."""
        self.call(self._loop.stop)
        self._thread.join(timeout)
        if not self._thread.is_alive() and not self._loop.is_closed():
            self._loop.close()
