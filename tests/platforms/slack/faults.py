"""Faults made on purpose: what goes wrong with the next calls of a method."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a call goes wrong."""

    LIMITED = "limited"  # 429 with Retry-After
    REFUSED = "refused"  # ok: false with an error code
    BROKEN = "broken"  # a 5xx page
    CUT_BEFORE = "cut-before"  # the connection is closed and nothing was done
    CUT_AFTER = "cut-after"  # the connection is closed, but it was done
    SLOW = "slow"  # answered after a while


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong once."""

    kind: Kind
    error: str = ""
    seconds: float = 0.0
    status: int = 503


class Faults:
    """A queue of faults for each method; "upload" stands for the upload of bytes."""

    def __init__(self) -> None:
        self._planned: dict[str, deque[Fault]] = defaultdict(deque)

    def plan(self, method: str, *faults: Fault) -> None:
        """The next calls of the method go wrong, one after the other."""
        self._planned[method].extend(faults)

    def take(self, method: str) -> Fault | None:
        """The fault of this call, if one was planned."""
        planned = self._planned[method]
        return planned.popleft() if planned else None

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._planned.clear()


def limited(seconds: float) -> Fault:
    """`ratelimited`, with Retry-After."""
    return Fault(Kind.LIMITED, seconds=seconds)


def refused(error: str) -> Fault:
    """An error of the Web API."""
    return Fault(Kind.REFUSED, error=error)


def broken(status: int = 503) -> Fault:
    """A 5xx answer that is no JSON."""
    return Fault(Kind.BROKEN, status=status)


def cut(after: bool) -> Fault:
    """The connection closes before, or after, the call was carried out."""
    return Fault(Kind.CUT_AFTER if after else Kind.CUT_BEFORE)


def slow(seconds: float) -> Fault:
    """An answer that comes late."""
    return Fault(Kind.SLOW, seconds=seconds)
