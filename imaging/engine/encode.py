"""Encodes raw images into finished files with provenance. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PIL import Image, ImageFilter

from imaging.engine.types import RawImage
from imaging.errors import Unsafe
from imaging.formats import encode_png
from imaging.parameters import Parameter
from imaging.profiles import Profile
from imaging.provenance import Provenance, SourceType
from imaging.request import FinishedPicture, ImageRequest, Operation

_DERIVED_OPERATIONS = frozenset({Operation.VARY, Operation.EDIT, Operation.FILL, Operation.BLEND})


def encode_pictures(
    raw: Sequence[RawImage], request: ImageRequest, profile: Profile
) -> tuple[FinishedPicture, ...]:
    """Encoded files with embedded provenance; flagged pictures are blurred.

    A picture made from a flagged one is flagged. Raises Unsafe if every picture is flagged. With
    `show_unfit` neither blurring nor the error applies.
    """
    if request.from_flagged:
        raw = [replace(picture, flagged=True) for picture in raw]
    if raw and not request.show_unfit and all(picture.flagged for picture in raw):
        raise Unsafe("The safety check refused every picture.", pictures=len(raw))
    return tuple(_file(picture, request, profile) for picture in raw)


def _file(picture: RawImage, request: ImageRequest, profile: Profile) -> FinishedPicture:
    covered = picture.flagged and not request.show_unfit
    image = _blurred(picture.image) if covered else picture.image
    info = _provenance(picture, request, profile).png_info()
    return FinishedPicture(
        data=encode_png(image, info),
        mime="image/png",
        width=image.width,
        height=image.height,
        seed=picture.seed,
        flagged=picture.flagged,
    )


def _provenance(picture: RawImage, request: ImageRequest, profile: Profile) -> Provenance:
    enlarged = request.operation is Operation.UPSCALE
    follows = frozenset[Parameter]() if enlarged else profile.parameters
    return Provenance(
        operation=request.operation,
        prompt=request.prompt,
        negative=request.negative,
        model=profile.name,
        seed=picture.seed,
        steps=(request.steps or profile.steps_of(request.operation))
        if Parameter.STEPS in follows
        else None,
        guidance=_or(request.guidance, profile.guidance_of(request.operation))
        if Parameter.GUIDANCE in follows
        else None,
        strength=request.strength,
        width=picture.image.width,
        height=picture.image.height,
        source_type=picture.source_type or _source_type(request),
        method=_method(request, profile),
    )


def _method(request: ImageRequest, profile: Profile) -> str:
    if request.operation is not Operation.UPSCALE:
        return "diffusion"
    return "lanczos" if profile.upscaler is None else "super-resolution"


def _source_type(request: ImageRequest) -> SourceType:
    if request.operation is Operation.UPSCALE:
        return SourceType.ENLARGED
    if request.operation in _DERIVED_OPERATIONS or request.sources:
        return SourceType.EDITED
    return SourceType.MADE


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def _blurred(image: Image.Image) -> Image.Image:
    """Blurred beyond recognition: the radius is an eighth of the longer side."""
    return image.filter(ImageFilter.GaussianBlur(max(image.size) / 8))
