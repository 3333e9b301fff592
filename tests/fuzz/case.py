"""One input of a fuzz target, and the target that makes it."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Case:
    """One input: what it does, how large it is, and how it is shown where it fails.

    `run` raises where the code under test did something unexpected. Work is compared between
    inputs of one `kind` and about the same size.
    """

    run: Callable[[], object]
    size: int
    shown: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """Something that reads what strangers write; `share` is its part of a whole run."""

    name: str
    share: float
    make: Callable[[Random], Case]
    counted: int = 8  # every so many inputs have their calls counted

    def case(self, number: int) -> Case:
        """The input of this number: always the same one."""
        return self.make(Random(number * 2**32 + zlib.crc32(self.name.encode())))
