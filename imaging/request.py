"""The engine's unit of work and its results. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import IntEnum, StrEnum
from typing import Any

MAX_SEED = 2**32 - 1


class Operation(StrEnum):
    """The kind of image operation."""

    IMAGINE = "imagine"  # from a prompt, optionally with a reference picture and a strength
    VARY = "vary"  # image to image from one source, at a strength
    EDIT = "edit"  # by an instruction, one whole source
    FILL = "fill"  # by an instruction, inside a mask
    UPSCALE = "upscale"  # enlarge one source
    BLEND = "blend"  # combine two to four sources


class Priority(IntEnum):
    """Scheduling class inside the engine; lower numbers are more urgent."""

    EXPRESS = 0  # paid
    NORMAL = 10  # free
    RELAXED = 20  # paid beyond the fast credits


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """One request for pictures, independent of members and platforms.

    `width` and `height` are pixels of one result. `sources` and `mask` are names of stored
    pictures, which the engine's reader resolves, so that a request is small JSON. `steps`,
    `guidance` and `strength` default to the profile's values. Pictures flagged by the safety check
    are blurred, and the request fails if all are flagged; with `show_unfit` they are returned
    unchanged and flagged. `from_flagged` tells that a source was flagged, so that every result is.
    Picture k of `count` uses the seed `seed + k`, so that each can be
    reproduced alone.
    """

    operation: Operation
    prompt: str
    profile: str
    width: int
    height: int
    seed: int
    count: int = 1
    negative: str = ""
    steps: int | None = None
    guidance: float | None = None
    strength: float | None = None
    factor: int | None = None
    sources: tuple[str, ...] = ()
    mask: str | None = None
    priority: Priority = Priority.NORMAL
    show_unfit: bool = False
    from_flagged: bool = False

    @property
    def megapixels(self) -> float:
        """Pixels of one result, in millions."""
        return self.width * self.height / 1_000_000

    def to_json(self) -> dict[str, Any]:
        """The request as JSON values; `from_json` restores it."""
        values = {name: getattr(self, name) for name in _FIELDS}
        return values | {"sources": list(self.sources)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ImageRequest:
        """The request that `to_json` serialised."""
        return cls(
            **{
                **values,
                "operation": Operation(values["operation"]),
                "priority": Priority(values["priority"]),
                "sources": tuple(values["sources"]),
            }
        )

    def with_priority(self, priority: Priority) -> ImageRequest:
        """A copy with another priority."""
        return replace(self, priority=priority)


_FIELDS = tuple(one.name for one in fields(ImageRequest))


class Stage(StrEnum):
    """The phase of a request inside the engine."""

    WAITING = "waiting"
    LOADING = "loading"  # the model is being loaded
    STEPS = "steps"
    PAUSED = "paused"  # between two steps, while a more urgent request uses the device
    FINISHING = "finishing"  # decoding, checking, writing metadata


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a request. `preview` is a small JPEG of the current estimate, or None."""

    stage: Stage
    step: int = 0
    steps: int = 0
    preview: bytes | None = None

    @property
    def share(self) -> float:
        """Fraction of steps done, 0 to 1."""
        return self.step / self.steps if self.steps else 0.0


@dataclass(frozen=True, slots=True)
class FinishedPicture:
    """One result: an encoded file with embedded provenance."""

    data: bytes = field(repr=False)
    mime: str  # "image/png"
    width: int
    height: int
    seed: int
    flagged: bool = False  # by the safety check; `data` is blurred unless `show_unfit`
