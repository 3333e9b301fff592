"""The engine's unit of work and what comes back of it. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import Any

MAX_SEED = 2**32 - 1


class Operation(StrEnum):
    """What is done to make the picture."""

    IMAGINE = "imagine"  # from a prompt alone, or with a reference picture and a strength
    VARY = "vary"  # image to image from one source, at a strength
    EDIT = "edit"  # by an instruction, the whole of one source
    FILL = "fill"  # by an instruction, inside a mask
    UPSCALE = "upscale"  # the same picture, larger
    BLEND = "blend"  # two to four sources into one


class Priority(IntEnum):
    """Who goes first inside the engine; a lower number goes first."""

    EXPRESS = 0  # paid
    NORMAL = 10  # free
    RELAXED = 20  # paid beyond the fast credits


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """One order of pictures, free of people and platforms.

    `width` and `height` are pixels of one result. `sources` and `mask` name stored pictures,
    which the engine's reader turns into bytes: a request is small and can be written as JSON.
    Where `steps`, `guidance` or `strength` is None the profile's default is used.
    What the safety check finds unfit is blurred, and nothing is given where all of it is; with
    `show_unfit` it is given as it is, flagged, for a platform that covers it or may show it.
    Picture k of `count` uses the seed `seed + k`, so that any one of them can be made again alone.
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

    @property
    def megapixels(self) -> float:
        """Size of one result, in millions of pixels."""
        return self.width * self.height / 1_000_000

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; `from_json` gives an equal request back."""
        return asdict(self) | {"sources": list(self.sources)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ImageRequest:
        """The request that `to_json` wrote."""
        return cls(
            **{
                **values,
                "operation": Operation(values["operation"]),
                "priority": Priority(values["priority"]),
                "sources": tuple(values["sources"]),
            }
        )

    def with_priority(self, priority: Priority) -> ImageRequest:
        """The same request at another priority."""
        return replace(self, priority=priority)


class Stage(StrEnum):
    """Where a request is inside the engine."""

    WAITING = "waiting"
    LOADING = "loading"  # the model is being read
    STEPS = "steps"
    FINISHING = "finishing"  # decoding, checking, writing metadata


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a request is. `preview` is a small JPEG of what there is by now, or None."""

    stage: Stage
    step: int = 0
    steps: int = 0
    preview: bytes | None = None

    @property
    def share(self) -> float:
        """Steps done, from 0 to 1."""
        return self.step / self.steps if self.steps else 0.0


@dataclass(frozen=True, slots=True)
class FinishedPicture:
    """One result: an encoded file with its metadata inside, and what it takes to make it again."""

    data: bytes = field(repr=False)
    mime: str  # "image/png"
    width: int
    height: int
    seed: int
    flagged: bool = False  # the safety check found it unfit: `data` is blurred, unless ordered so
