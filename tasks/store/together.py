"""Calls of several threads as one: whoever comes while a call goes on has a part in the next one.

Group commit, as databases have it (DeWitt et al., 1984): a call that is alone is not slower, and
many at once share a round trip, a plan and a write to the disk. In a crowd, a moment's wait before
a call lets those have a part in it too whom the call before has just let go.
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
class Together(Generic[Item, Result]):
    """Carries out `work` on what several threads want at once, `most` at a time.

    `work` gives a result for each item, in the same order.
    """

    work: Callable[[Sequence[Item]], Sequence[Result]]
    most: int = 32
    _waiting: deque[tuple[Item, Future[Result]]] = field(init=False, default_factory=deque)
    _turn: Lock = field(init=False, default_factory=Lock)
    _crowded: bool = field(init=False, default=False)  # whether the last call was for several

    def __call__(self, item: Item) -> Result:
        """The result for `item`; raises what `work` raises for it."""
        mine: Future[Result] = Future()
        self._waiting.append((item, mine))
        while not mine.done():
            # Whoever's turn it is serves all that wait, most often also those next in turn.
            with self._turn:
                if not mine.done():
                    self._serve()
        return mine.result()

    def soon(self, item: Item, threads: Executor) -> Future[Result]:
        """The same without waiting, on one of these threads."""
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
            told = list(zip(served, results, strict=True))
        except Exception as error:  # noqa: BLE001  each of them is told
            self._part(served, error)
        except BaseException as error:  # the thread is made to end: nobody waits for ever
            for _, future in served:
                future.set_exception(error)
            raise
        else:
            for (_, future), result in told:
                future.set_result(result)

    def _part(self, served: Sequence[tuple[Item, Future[Result]]], error: Exception) -> None:
        """One item's mistake is not the others': each is tried alone, unless the server is away."""
        for item, future in served:
            if len(served) == 1 or server_was_lost(error):
                future.set_exception(error)
                continue
            try:
                [result] = self.work([item])
            except Exception as own:  # noqa: BLE001  the one who wanted it is told
                future.set_exception(own)
            else:
                future.set_result(result)
