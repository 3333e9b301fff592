"""What the engine's thread hands to a runner, and what it gets back. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from PIL.Image import Image

from imaging.engine.rendering import Rendering
from imaging.profiles import Profile
from imaging.provenance import SourceType


@dataclass(frozen=True, slots=True)
class Materials:
    """The decoded pictures of a request: RGB sources, and a mask of mode "L"."""

    sources: tuple[Image, ...] = ()
    mask: Image | None = None
    made_by: SourceType | None = None  # what the first source's file says of its origin


@dataclass(frozen=True, slots=True)
class Painted:
    """One picture as it was made, RGB, of exactly the size that was ordered.

    `source_type` is set where the picture's origin is not that of its operation.
    """

    image: Image
    seed: int
    flagged: bool = False
    source_type: SourceType | None = None


class Runner(Protocol):
    """Carries a request out on a device. Used by one thread only."""

    @property
    def device(self) -> str:
        """What it runs on, in words ("cpu, 2 threads")."""

    def render(self, profile: Profile, rendering: Rendering, materials: Materials) -> list[Painted]:
        """Make the pictures, calling `rendering.report` and `rendering.check` at every step.

        Raises ImagingError; whatever else it raises is a fault of the program.
        """

    def close(self) -> None:
        """Let go of models and device memory."""
