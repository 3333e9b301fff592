"""Inputs, outputs and the protocol of a runner. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from PIL.Image import Image

from imaging.engine.render_handle import RenderHandle
from imaging.profiles import Profile
from imaging.provenance import SourceType


@dataclass(frozen=True, slots=True)
class RenderInputs:
    """Decoded inputs of a request: RGB sources and a mask in mode "L"."""

    sources: tuple[Image, ...] = ()
    mask: Image | None = None
    made_by: SourceType | None = None  # source type in the first source's metadata


@dataclass(frozen=True, slots=True)
class RawImage:
    """One generated picture in mode RGB, of exactly the requested size.

    `source_type` overrides the operation's default source type.
    """

    image: Image
    seed: int
    flagged: bool = False
    source_type: SourceType | None = None


class ModelsInUse(Exception):
    """The request's model does not fit beside those of the requests in progress."""


class Runner(Protocol):
    """Renders requests on a device. Used by one thread only."""

    @property
    def device(self) -> str:
        """Display text of the device ("cpu (2 threads)")."""

    @property
    def has_models_in_use(self) -> bool:
        """Whether a request in progress, paused ones included, uses a model."""

    def render(
        self, profile: Profile, handle: RenderHandle, inputs: RenderInputs
    ) -> list[RawImage]:
        """Render the pictures, calling `handle.report` and `handle.check` at every step.

        Raises ModelsInUse before anything is drawn, or ImagingError; any other exception is a bug.
        """

    def close(self) -> None:
        """Release models and device memory."""
