"""Measured device time per picture. Pure; imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from threading import Lock

from imaging.request import Operation
from imaging.sizes import Size

NEWEST_WEIGHT = 0.3
"""Weight of a new measurement in the exponential moving average."""


@dataclass(frozen=True, slots=True)
class RenderTime:
    """Device seconds per picture of one kind, as an exponential moving average.

    `steps` is the requested number. `pictures` counts the measured pictures.
    """

    profile: str
    operation: Operation
    width: int
    height: int
    steps: int
    seconds: float
    pictures: int


class RenderTimes:
    """The measurements of one engine. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._render_times: dict[tuple[str, Operation, int, int, int], RenderTime] = {}

    def record(self, measured: RenderTime) -> None:
        """Add a measurement."""
        kind = (
            measured.profile,
            measured.operation,
            measured.width,
            measured.height,
            measured.steps,
        )
        with self._lock:
            existing = self._render_times.get(kind)
            if existing is not None:
                seconds = existing.seconds + NEWEST_WEIGHT * (measured.seconds - existing.seconds)
                measured = replace(
                    measured, seconds=seconds, pictures=existing.pictures + measured.pictures
                )
            self._render_times[kind] = measured

    def all(self) -> tuple[RenderTime, ...]:
        """The averages of all measured kinds."""
        with self._lock:
            return tuple(self._render_times.values())

    def expected(self, profile: str, operation: Operation, size: Size, steps: int) -> float | None:
        """Estimated seconds per picture, scaled from the most similar kind; None without one."""
        with self._lock:
            kinds = [entry for entry in self._render_times.values() if entry.profile == profile]
        if not kinds:
            return None
        pixels = size[0] * size[1]
        nearest = min(
            kinds,
            key=lambda entry: (
                entry.operation is not operation,
                abs(entry.width * entry.height - pixels),
                abs(entry.steps - steps),
            ),
        )
        scale = pixels / (nearest.width * nearest.height) * steps / nearest.steps
        return nearest.seconds * scale

    def per_picture(self, profile: str) -> float | None:
        """Seconds per picture of the profile's most frequent kind, or None without measurements."""
        with self._lock:
            kinds = [entry for entry in self._render_times.values() if entry.profile == profile]
        return max(kinds, key=lambda entry: entry.pictures).seconds if kinds else None
