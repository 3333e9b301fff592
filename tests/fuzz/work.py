"""How much work an input causes: counted calls, never seconds on a clock.

A call is one Python function or one function in C. A regular expression that backtracks is one call
whatever it does, so the processor time of each input is looked at as well; one that seems slow is
measured again, and counts only where its best time is far above those of its size.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from types import FrameType

RATIO = 100.0
FEWEST = 20  # measured inputs of one size, below which there is no median
REPEATS = 5
NOISE = 0.02  # seconds; less than this is never slow, whatever the median


def size_class(size: int) -> int:
    """Inputs of one class differ in size by less than a factor of two."""
    return max(0, size).bit_length()


class CallCounter:
    """Counts the calls of this thread inside `with`."""

    def __init__(self) -> None:
        self.calls = 0

    def __enter__(self) -> CallCounter:
        sys.setprofile(self._count)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _count(self, _frame: FrameType, event: str, _argument: object) -> None:
        if event in ("call", "c_call"):
            self.calls += 1


def calls_of(run: Callable[[], object]) -> int:
    """The calls that a function makes."""
    with CallCounter() as counter:
        run()
    return counter.calls


def processor_seconds(run: Callable[[], object]) -> float:
    """The processor time that a function takes in this thread."""
    before = time.thread_time()
    run()
    return time.thread_time() - before


def best_seconds(run: Callable[[], object]) -> float:
    """The least of several processor times."""
    return min(processor_seconds(run) for _ in range(REPEATS))


@dataclass(frozen=True, slots=True)
class Largest:
    """The largest work relative to the median of its size class."""

    ratio: float
    work: float
    median: float
    number: int  # of the input


def largest(samples: Mapping[str, Iterable[tuple[float, int]]]) -> Largest | None:
    """The largest ratio over all classes; `samples` has (work, input's number) by class.

    A class is named by its kind and its size. The median counts as one call for each unit of the
    size at least: reading an input whole is usual, even where most of its size are ignored.
    """
    found: Largest | None = None
    for name, values in samples.items():
        measured = sorted(values)
        if len(measured) < FEWEST:
            continue
        smallest = 2 ** max(0, int(name.rpartition(" ")[2]) - 1)
        middle = max(smallest, median(work for work, _ in measured))
        work, number = measured[-1]
        if found is None or work / middle > found.ratio:
            found = Largest(work / middle, work, middle, number)
    return found
