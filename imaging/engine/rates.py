"""How long pictures take here, as measured. Pure; imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock

from imaging.request import Operation

NEWEST_WEIGHT = 0.3
"""What the newest measurement counts: three in four of the weight lie in the last four pictures."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Device seconds per picture of one kind: an average in which newer measurements count more.

    `steps` are those asked for. `pictures` is how many were measured.
    """

    profile: str
    operation: Operation
    width: int
    height: int
    steps: int
    seconds: float
    pictures: int


class Rates:
    """The measurements of one engine. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._rates: dict[tuple[str, Operation, int, int, int], Rate] = {}

    def record(self, measured: Rate) -> None:
        """Take a new measurement in."""
        kind = (
            measured.profile,
            measured.operation,
            measured.width,
            measured.height,
            measured.steps,
        )
        with self._lock:
            known = self._rates.get(kind)
            if known is not None:
                seconds = known.seconds + NEWEST_WEIGHT * (measured.seconds - known.seconds)
                measured = replace(
                    measured, seconds=seconds, pictures=known.pictures + measured.pictures
                )
            self._rates[kind] = measured

    def all(self) -> tuple[Rate, ...]:
        """All kinds that were measured."""
        with self._lock:
            return tuple(self._rates.values())

    def per_picture(self, profile: str) -> float | None:
        """Seconds a picture of this profile as it is mostly ordered; None where none was made."""
        with self._lock:
            kinds = [rate for rate in self._rates.values() if rate.profile == profile]
        return max(kinds, key=lambda rate: rate.pictures).seconds if kinds else None
