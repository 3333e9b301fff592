"""The safety checkers of profiles, shared by every engine. Imports torch with the first checker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from PIL.Image import Image

from imaging.engine.types import RawImage
from imaging.profiles import Profile
from imaging.safety import PictureChecker

if TYPE_CHECKING:
    from imaging.engine.devices import Device


class PictureChecks:
    """Checks pictures with their profile's checker, one call at a time. Thread-safe.

    `device` is asked for when a checker is loaded.
    """

    def __init__(self, device: Callable[[], Device]) -> None:
        self._device = device
        self._lock = Lock()
        self._checkers: dict[str, PictureChecker] = {}

    def flags(self, profile: Profile, images: Sequence[Image]) -> list[bool]:
        """For each picture, whether it must not be shown. Raises ModelUnavailable, OutOfMemory."""
        if profile.checker is None or not images:
            return [False] * len(images)
        from imaging.engine.model_errors import run_model

        with self._lock:
            checker = self._checker(profile.checker, profile.name)
            return run_model(lambda: checker.unfit(images), profile.name)

    def checked(self, profile: Profile, raw: Sequence[RawImage]) -> list[RawImage]:
        """The pictures, flagged where the checker says so. Raises as `flags` does."""
        flags = self.flags(profile, [picture.image for picture in raw])
        return [
            replace(picture, flagged=picture.flagged or flag)
            for picture, flag in zip(raw, flags, strict=True)
        ]

    def clear(self) -> None:
        """Release the checkers."""
        with self._lock:
            self._checkers.clear()

    def _checker(self, source: str, model: str) -> PictureChecker:
        if source not in self._checkers:
            from imaging.engine.safety_checker import load_checker

            self._checkers[source] = load_checker(source, model, self._device())
        return self._checkers[source]


def cpu() -> Device:
    """The CPU, for checkers of an engine without a device of its own."""
    from imaging.engine.devices import open_device

    return open_device("cpu", None)
