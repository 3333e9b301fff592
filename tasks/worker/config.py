"""How a worker works: its name, and the lanes it leases from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LEASE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Lanes:
    """The lanes that a worker leases from, heaviest first, and those that express slots serve."""

    every: Sequence[str]
    express: Sequence[str]


@dataclass(frozen=True, slots=True)
class WorkerConfig:
    """`attempts` is how many times a job may begin before it fails."""

    name: str
    lanes: Lanes
    attempts: int
    lease_seconds: float = LEASE_SECONDS
