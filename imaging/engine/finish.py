"""From what a model painted to finished files: metadata and encoding. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageFilter

from imaging.engine.work import Painted
from imaging.errors import Unsafe
from imaging.formats import encode_png
from imaging.profiles import Profile
from imaging.provenance import Provenance, SourceType
from imaging.request import FinishedPicture, ImageRequest, Operation

_FROM_A_PICTURE = frozenset({Operation.VARY, Operation.EDIT, Operation.FILL, Operation.BLEND})


def finish(
    painted: Sequence[Painted], request: ImageRequest, profile: Profile
) -> tuple[FinishedPicture, ...]:
    """Files with their provenance inside; a flagged picture becomes a blurred stand-in.

    Raises Unsafe where every picture was flagged. Neither happens where the request shows them.
    """
    if painted and not request.show_unfit and all(picture.flagged for picture in painted):
        raise Unsafe("The safety check refused every picture.", pictures=len(painted))
    return tuple(_file(picture, request, profile) for picture in painted)


def _file(picture: Painted, request: ImageRequest, profile: Profile) -> FinishedPicture:
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


def _provenance(picture: Painted, request: ImageRequest, profile: Profile) -> Provenance:
    enlarged = request.operation is Operation.UPSCALE
    drawn = not enlarged
    return Provenance(
        operation=request.operation,
        prompt=request.prompt,
        negative=request.negative,
        model=profile.name,
        seed=picture.seed,
        steps=(request.steps or profile.steps_of(request.operation)) if drawn else None,
        guidance=_or(request.guidance, profile.guidance_of(request.operation)) if drawn else None,
        strength=request.strength,
        width=picture.image.width,
        height=picture.image.height,
        source_type=picture.source_type or _source_type(request),
        method="lanczos" if enlarged else "diffusion",
    )


def _source_type(request: ImageRequest) -> SourceType:
    if request.operation is Operation.UPSCALE:
        return SourceType.ENLARGED
    if request.operation in _FROM_A_PICTURE or request.sources:
        return SourceType.EDITED
    return SourceType.MADE


def _or(value: float | None, default: float) -> float:
    return default if value is None else value


def _blurred(image: Image.Image) -> Image.Image:
    """Nothing of the picture but its colours: an eighth of its longer side as radius."""
    return image.filter(ImageFilter.GaussianBlur(max(image.size) / 8))
