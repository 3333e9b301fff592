"""A day of demand: arrivals with tier, member and cost, recorded or drawn by `demand_shapes`."""

from __future__ import annotations

import csv
import json
import math
import zlib
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from tasks.jobs.tiers import Tier
from tasks.queue.fairness import RELAXED

LANES = (*(tier.value for tier in Tier), RELAXED)
"""Lanes by the number that a trace writes for them."""

COLUMNS = ("at", "tier", "member", "seconds")

MOST_SECONDS = 86_400.0
"""The most GPU seconds of one picture."""

LONGEST = 31 * 86_400.0
"""Seconds that a trace may span."""

_LEAST_SECONDS = 1e-6  # less is lost in a column of 32 bits

Arrival = tuple[float, int, int, float]
"""(seconds from the start, lane's number, member's number, GPU seconds)"""


class TraceError(Exception):
    """The file is not a valid trace; the message names the line and what is expected."""


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
        with path.open(encoding="utf-8-sig", newline="") as file:
            members: dict[str, int] = {}
            rows = enumerate(_rows(path, file), 1)
            arrivals = sorted(_arrival(path, number, row, members) for number, row in rows)
    except OSError as error:
        raise TraceError(f"The trace {path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise TraceError(f"The trace {path} is neither CSV nor JSON text: {error}.") from error
    first, last = (arrivals[0][0], arrivals[-1][0]) if arrivals else (0.0, 0.0)
    if last - first > LONGEST:
        days = (last - first) / 86_400
        raise TraceError(f"{path} spans {days:,.0f} days: at is in seconds, and a month the most.")
    return Trace(path.stem, ((at - first, *rest) for at, *rest in arrivals))  # type: ignore[misc]


def _rows(path: Path, file: TextIO) -> Iterable[object]:
    if path.suffix.lower() != ".json":
        table = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (table.fieldnames or ())]
        if missing:
            heading, lacks = ",".join(COLUMNS), ", ".join(missing)
            raise TraceError(f"{path}, line 1: expected the heading {heading}; it lacks {lacks}.")
        return table
    try:
        values = json.load(file)
    except json.JSONDecodeError as error:
        raise TraceError(f"{path}, line {error.lineno}: this is not JSON: {error}.") from error
    except RecursionError as error:
        raise TraceError(f"{path} is nested too deeply for a list of arrivals.") from error
    if not isinstance(values, list):
        raise TraceError(f"{path}: expected a list of arrivals, not one {type(values).__name__}.")
    return values


def _arrival(path: Path, number: int, row: object, members: dict[str, int]) -> Arrival:
    where = f"{path}, arrival {number}"
    fields = row if isinstance(row, dict) else {}
    missing = [name for name in COLUMNS if fields.get(name) in (None, "")]
    if missing:
        raise TraceError(f"{where}: expected {', '.join(COLUMNS)}; {missing[0]} is not there.")
    tier = fields["tier"]
    if tier not in LANES:
        raise TraceError(f"{where}: tier is one of {', '.join(LANES)}, not {tier!r}.")
    at, cost = (_number(where, name, fields[name]) for name in ("at", "seconds"))
    if not 0 < cost <= MOST_SECONDS:
        raise TraceError(
            f"{where}: seconds must be above 0 and at most {MOST_SECONDS:,.0f}, not {cost:g}."
        )
    member = members.setdefault(str(fields["member"]), len(members))
    return at, LANES.index(tier), member, max(cost, _LEAST_SECONDS)


def _number(where: str, name: str, value: object) -> float:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (ValueError, TypeError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise TraceError(f"{where}: {name} must be a number, not {str(value)[:40]!r}.")
    return number
