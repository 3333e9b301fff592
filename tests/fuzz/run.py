"""Runs targets in blocks of inputs and reports what was found.

A block is a range of input numbers of one target. Finished blocks are lines of a file, so a run
that was interrupted goes on where it was, and parts of a run can be computed apart.
"""

from __future__ import annotations

import contextlib
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from tests.fuzz.case import Target
from tests.fuzz.work import (
    NOISE,
    RATIO,
    Largest,
    best_seconds,
    calls_of,
    largest,
    processor_seconds,
    size_class,
)

BLOCK = 2500
MAX_SHOWN = 400  # characters of an input

Samples = dict[str, list[tuple[float, int]]]
"""Kind and size class → (work, number of the input)."""


@dataclass
class Block:
    """The result of a range of inputs: `first` and `count` number them."""

    target: str
    first: int
    count: int
    failures: list[str] = field(default_factory=list)
    calls: Samples = field(default_factory=dict)
    seconds: Samples = field(default_factory=dict)  # the slowest of each size, and the median


def blocks_of(target: Target, inputs: int) -> Iterator[Block]:
    """The blocks of a target in a run of so many inputs in all."""
    whole = round(inputs * target.share)
    for first in range(0, whole, BLOCK):
        yield Block(target.name, first, min(BLOCK, whole - first))


def run_block(target: Target, block: Block) -> Block:
    """Run a block's inputs and fill in its results."""
    calls: Samples = defaultdict(list)
    seconds: Samples = defaultdict(list)
    for number in range(block.first, block.first + block.count):
        case = target.case(number)
        size = f"{case.kind} {size_class(case.size)}"
        try:
            if number % target.counted == 0:
                calls[size].append((calls_of(case.run), number))
            else:
                seconds[size].append((processor_seconds(case.run), number))
        except Exception as error:  # noqa: BLE001  every one is a finding
            shown = f"{type(error).__name__}: {error}"[:MAX_SHOWN]
            block.failures.append(f"{target.name} {number}: {shown} | {case.shown[:MAX_SHOWN]}")
    block.calls, block.seconds = _recounted(target, calls), _slowest(target, seconds)
    return block


def _recounted(target: Target, calls: Samples) -> Samples:
    """The calls, with the most of each size counted again: a process imports and connects once."""
    for values in calls.values():
        most, number = max(values)
        with contextlib.suppress(Exception):
            again = calls_of(target.case(number).run)
            values[values.index((most, number))] = (min(most, again), number)
    return dict(calls)


def _slowest(target: Target, seconds: Samples) -> Samples:
    """The median and the slowest input of each size; a slow one is measured again first."""
    kept: Samples = {}
    for size, values in seconds.items():
        ordered = sorted(values)
        middle = ordered[len(ordered) // 2]
        most, number = ordered[-1]
        if most > NOISE:
            most = best_seconds(target.case(number).run)
        kept[size] = [middle, (most, number)]
    return kept


@dataclass(frozen=True, slots=True)
class Row:
    """What the table says of a target."""

    target: str
    inputs: int
    failures: Sequence[str]
    calls: Largest | None
    slow: Sequence[str]

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return not self.failures and not self.slow and (self.calls is None or self.within)

    @property
    def within(self) -> bool:
        """Whether no input makes too many calls for its size."""
        return self.calls is None or self.calls.ratio <= RATIO


def report(target: Target, blocks: Sequence[Block]) -> Row:
    """The blocks of one target as a row of the table."""
    calls: Samples = defaultdict(list)
    medians: dict[str, list[float]] = defaultdict(list)
    slowest: dict[str, tuple[float, int]] = {}
    for block in blocks:
        for size, values in block.calls.items():
            calls[size] += values
        for size, (middle, most) in block.seconds.items():
            medians[size].append(middle[0])
            slowest[size] = max(slowest.get(size, (0.0, 0)), most)
    slow = [
        _slow(target, most, number, typical)
        for size, (most, number) in slowest.items()
        if most > max(NOISE, RATIO * (typical := median(medians[size])))
    ]
    failures = [failure for block in blocks for failure in block.failures]
    inputs = sum(block.count for block in blocks)
    return Row(target.name, inputs, failures, largest(calls), slow)


def _slow(target: Target, most: float, number: int, typical: float) -> str:
    times = most / max(typical, 1e-6)
    return f"{target.name} {number}: {most * 1000:.0f} ms, {times:.0f} times the median"


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [
        "| part | inputs | unexpected exceptions | most calls, by the median of its size | slow |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        most = row.calls
        work = (
            f"{most.ratio:.1f} ({most.work:.0f} of {most.median:.0f}, input {most.number})"
            if most
            else "–"
        )
        lines.append(
            f"| {row.target} | {row.inputs:,} | {len(row.failures)} | {work} | {len(row.slow)} |"
        )
    total = sum(row.inputs for row in rows)
    failures = sum(len(row.failures) for row in rows)
    lines.append(f"| all | {total:,} | {failures} | | {sum(len(row.slow) for row in rows)} |")
    return "\n".join(lines)


def load(path: Path) -> list[Block]:
    """The finished blocks of a file; a last line that was cut off is ignored."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            values = json.loads(line)
        except ValueError:
            continue
        for name in ("calls", "seconds"):
            values[name] = {
                size: [(work, number) for work, number in each]
                for size, each in values[name].items()
            }
        found.append(Block(**values))
    return found


def store(path: Path, block: Block) -> None:
    """Append a finished block."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(block)) + "\n")
