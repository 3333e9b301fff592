"""A day of demand: who asked for how much, and when. Recorded in a file, or drawn by `shapes`."""

from __future__ import annotations

import csv
import json
import zlib
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path

from tasks.fairness import RELAXED
from tasks.tiers import Tier

LANES = (*(tier.value for tier in Tier), RELAXED)
"""Lanes by the number that a trace writes for them."""

Arrival = tuple[float, int, int, float]
"""(seconds from the start, lane's number, member's number, GPU seconds)"""


class TraceError(Exception):
    """The file is no trace; the message names the line and what is expected."""


class Trace:
    """Arrivals in order of time, as four columns: ten million take some 170 MB."""

    def __init__(self, name: str, arrivals: Iterable[Arrival] = (), seconds: float = 0.0) -> None:
        self.name = name
        self.at = array("d")
        self.lane = array("b")
        self.member = array("i")
        self.cost = array("f")
        self.extend(arrivals)
        self._seconds = seconds

    def extend(self, arrivals: Iterable[Arrival]) -> None:
        """Add arrivals, each no earlier than the one before."""
        for at, lane, member, cost in arrivals:
            self.at.append(at)
            self.lane.append(lane)
            self.member.append(member)
            self.cost.append(cost)

    def __len__(self) -> int:
        return len(self.at)

    def __iter__(self) -> Iterator[Arrival]:
        return zip(self.at, self.lane, self.member, self.cost, strict=True)

    @property
    def seconds(self) -> float:
        """How long the trace lasts."""
        return max(self._seconds, self.at[-1] if self.at else 0.0)

    @property
    def work(self) -> float:
        """GPU seconds that are asked for."""
        return sum(self.cost)

    def only(self, lanes: Iterable[str]) -> Trace:
        """The same day with these lanes alone."""
        wanted = {LANES.index(lane) for lane in lanes}
        return Trace(self.name, (a for a in self if a[1] in wanted), self.seconds)

    def thinned(self, keep_one_in: int) -> Trace:
        """A day with one in so many members, and all that each of them asks."""
        kept = (a for a in self if _scattered(a[2], a[1]) % keep_one_in == 0)
        return Trace(self.name, kept, self.seconds)


def _scattered(member: int, lane: int) -> int:
    return zlib.crc32(b"%d:%d" % (lane, member))


def read(path: Path) -> Trace:
    """A trace from CSV (heading `at,tier,member,seconds`) or a JSON list of such objects.

    `at` is in seconds from any zero, `tier` a lane's name, `member` any text, `seconds` GPU
    seconds. Raises TraceError.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TraceError(f"The trace {path} cannot be read: {error}.") from error
    rows: Iterable[object]
    if path.suffix == ".json":
        try:
            rows = json.loads(text)
        except json.JSONDecodeError as error:
            raise TraceError(f"{path}, line {error.lineno}: this is not JSON: {error}.") from error
    else:
        rows = csv.DictReader(text.splitlines())
    members: dict[str, int] = {}
    arrivals = sorted(_arrival(path, n, row, members) for n, row in enumerate(rows, 1))
    first = arrivals[0][0] if arrivals else 0.0
    return Trace(path.stem, ((at - first, *rest) for at, *rest in arrivals))  # type: ignore[misc]


def _arrival(path: Path, number: int, row: object, members: dict[str, int]) -> Arrival:
    fields = row if isinstance(row, dict) else {}
    try:
        member = members.setdefault(str(fields["member"]), len(members))
        lane = LANES.index(fields["tier"])
        at, cost = float(fields["at"]), float(fields["seconds"])
    except (KeyError, ValueError, TypeError) as error:
        lanes = ", ".join(LANES)
        raise TraceError(
            f"{path}, arrival {number}: expected at, tier ({lanes}), member and seconds; {error}."
        ) from error
    if not cost > 0:
        raise TraceError(f"{path}, arrival {number}: seconds must be above 0, not {cost:g}.")
    return at, lane, member, cost
