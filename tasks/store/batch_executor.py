"""Batches the calls of several threads: calls that arrive during a call share the next one.

This is group commit (DeWitt et al., "Implementation techniques for main memory database systems",
1984). A single call is not delayed; concurrent calls share a round trip, a plan and a disk write.
After a shared call, the next one waits half a millisecond, so that the threads which have just
been served can join it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from threading import Lock
from typing import Generic, TypeVar

from tasks.store.database import server_was_lost

GATHER_SECONDS = 0.0005

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True)
class BatchExecutor(Generic[Item, Result]):
    """Calls `work` with the items of several threads, at most `most` at a time.

    `work` returns a result for each item, in the same order.
    """

    work: Callable[[Sequence[Item]], Sequence[Result]]
    most: int = 32
    _waiting: deque[tuple[Item, Future[Result]]] = field(init=False, default_factory=deque)
    _turn: Lock = field(init=False, default_factory=Lock)
    _crowded: bool = field(init=False, default=False)  # whether the last call had several items

    def __call__(self, item: Item) -> Result:
        """The result for `item`. Raises what `work` raises for it."""
        future: Future[Result] = Future()
        self._waiting.append((item, future))
        while not future.done():
            # The thread with the lock serves every waiting item.
            with self._turn:
                if not future.done():
                    self._serve()
        return future.result()

    def submit(self, item: Item, threads: Executor) -> Future[Result]:
        """The same without blocking, on one of these threads."""
        future: Future[Result] = Future()
        self._waiting.append((item, future))
        threads.submit(self._serve_waiting)
        return future

    def _serve_waiting(self) -> None:
        with self._turn:
            if self._waiting:
                self._serve()

    def _serve(self) -> None:
        if self._crowded:
            time.sleep(GATHER_SECONDS)
        count = min(self.most, len(self._waiting))
        self._crowded = count > 1
        served = [self._waiting.popleft() for _ in range(count)]
        try:
            results = self.work([item for item, _ in served])
            outcomes = list(zip(served, results, strict=True))
        except Exception as error:  # noqa: BLE001  each future gets it
            self._retry_alone(served, error)
        except BaseException as error:  # the thread is being ended: no future may stay pending
            for _, future in served:
                future.set_exception(error)
            raise
        else:
            for (_, future), result in outcomes:
                future.set_result(result)

    def _retry_alone(self, served: Sequence[tuple[Item, Future[Result]]], error: Exception) -> None:
        """One item's error must not fail the others: try each alone, unless the server was lost."""
        for item, future in served:
            if len(served) == 1 or server_was_lost(error):
                future.set_exception(error)
                continue
            try:
                [result] = self.work([item])
            except Exception as own:  # noqa: BLE001  the item's future gets it
                future.set_exception(own)
            else:
                future.set_result(result)
