"""Injected faults for the next calls of a method."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The kind of a fault."""

    LIMITED = "limited"  # 429 with Retry-After
    REFUSED = "refused"  # ok: false with an error code
    BROKEN = "broken"  # a 5xx page
    CUT_BEFORE = "cut-before"  # the connection closes before the call is executed
    CUT_AFTER = "cut-after"  # the connection closes after the call is executed
    SLOW = "slow"  # the response is delayed


@dataclass(frozen=True)
class Fault:
    """One fault of one call."""

    kind: Kind
    error: str = ""
    seconds: float = 0.0
    status: int = 503


class Faults:
    """A queue of faults per method; "upload" is the upload of bytes."""

    def __init__(self) -> None:
        self._planned: dict[str, deque[Fault]] = defaultdict(deque)

    def plan(self, method: str, *faults: Fault) -> None:
        """Inject these faults into the next calls of the method."""
        self._planned[method].extend(faults)

    def take(self, method: str) -> Fault | None:
        """The fault of this call, if one was planned."""
        planned = self._planned[method]
        return planned.popleft() if planned else None

    def clear(self) -> None:
        """Discard all planned faults."""
        self._planned.clear()


def limited(seconds: float) -> Fault:
    """`ratelimited`, with Retry-After."""
    return Fault(Kind.LIMITED, seconds=seconds)


def refused(error: str) -> Fault:
    """An error of the Web API."""
    return Fault(Kind.REFUSED, error=error)


def broken(status: int = 503) -> Fault:
    """A 5xx response that is not JSON."""
    return Fault(Kind.BROKEN, status=status)


def cut(after: bool) -> Fault:
    """The connection closes before or after the call is executed."""
    return Fault(Kind.CUT_AFTER if after else Kind.CUT_BEFORE)


def slow(seconds: float) -> Fault:
    """A delayed response."""
    return Fault(Kind.SLOW, seconds=seconds)
