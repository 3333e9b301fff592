"""Reusable daemon threads. Imports no torch.

A thread that is reused keeps its OpenMP team, which is slow to create. A daemon thread does not
block the exit of the process, which `concurrent.futures` would.
"""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread


class DaemonThreads:
    """Starts every action at once, on an idle thread or on a new one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = Lock()
        self._idle: list[SimpleQueue[Callable[[], None] | None]] = []
        self._started = 0
        self._closed = False

    def start(self, action: Callable[[], None]) -> None:
        """Run `action`, which must not raise."""
        with self._lock:
            inbox = self._idle.pop() if self._idle else None
            if inbox is None:
                inbox = SimpleQueue()
                self._started += 1
                name = f"{self._name}-{self._started}"
                Thread(target=self._run, args=(inbox,), name=name, daemon=True).start()
        inbox.put(action)

    def close(self) -> None:
        """End idle threads now and the others after their action."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for inbox in idle:
            inbox.put(None)

    def _run(self, inbox: SimpleQueue[Callable[[], None] | None]) -> None:
        while (action := inbox.get()) is not None:
            action()
            del action  # an idle thread must not reference the last request
            with self._lock:
                if self._closed:
                    return
                self._idle.append(inbox)
