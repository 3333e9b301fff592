"""Validates requests against profiles before any work is done. Imports no torch."""

from __future__ import annotations

from imaging.errors import ParameterUnsupported, Unsupported
from imaging.parameters import unfollowed
from imaging.profiles import Profile
from imaging.request import MAX_SEED, ImageRequest, Operation

MAX_PICTURES = 4
MAX_STEPS = 200

_SOURCES = {
    Operation.IMAGINE: (0, 1),
    Operation.VARY: (1, 1),
    Operation.EDIT: (1, 1),
    Operation.FILL: (1, 1),
    Operation.UPSCALE: (1, 1),
    Operation.BLEND: (2, 4),
}


def check_request(request: ImageRequest, profile: Profile) -> None:
    """Raise Unsupported or ParameterUnsupported if the profile cannot serve the request."""
    if request.operation not in profile.operations:
        raise Unsupported(
            f"The model {profile.name} cannot {request.operation}.",
            model=profile.name,
            operation=request.operation.value,
        )
    if (parameter := unfollowed(request, profile.parameters)) is not None:
        raise ParameterUnsupported(
            f"The model {profile.name} takes no {parameter}.",
            model=profile.name,
            parameter=parameter.value,
        )
    _check_numbers(request)
    _check_sources(request)
    if request.operation is Operation.UPSCALE:
        if request.factor not in {None, 2, 4}:
            raise Unsupported(
                "A picture is made 2 or 4 times as large.", factor=request.factor or 0
            )
    elif request.width * request.height > profile.largest_pixels:
        raise Unsupported(
            f"The model {profile.name} makes pictures of at most {profile.largest_pixels} pixels, "
            f"not {request.width} × {request.height}.",
            width=request.width,
            height=request.height,
            largest=profile.largest_pixels,
        )


def _check_numbers(request: ImageRequest) -> None:
    if not 1 <= request.count <= MAX_PICTURES:
        raise Unsupported(f"1 to {MAX_PICTURES} pictures can be made at once.", count=request.count)
    if request.width < 1 or request.height < 1:
        raise Unsupported("Both sides of a picture must be at least one pixel.")
    if request.steps is not None and not 1 <= request.steps <= MAX_STEPS:
        raise Unsupported(f"A picture takes 1 to {MAX_STEPS} steps.", steps=request.steps)
    if request.strength is not None and not 0 <= request.strength <= 1:
        raise Unsupported("The strength is a number from 0 to 1.", strength=request.strength)
    if not 0 <= request.seed <= MAX_SEED:
        raise Unsupported(f"A seed is a whole number from 0 to {MAX_SEED}.", seed=request.seed)


def _check_sources(request: ImageRequest) -> None:
    fewest, most = _SOURCES[request.operation]
    if not fewest <= len(request.sources) <= most:
        wanted = str(fewest) if fewest == most else f"{fewest} to {most}"
        raise Unsupported(
            f"To {request.operation} takes {wanted} source pictures, not {len(request.sources)}.",
            operation=request.operation.value,
            sources=len(request.sources),
        )
    if request.operation is Operation.FILL and request.mask is None:
        raise Unsupported("To fill takes a mask: white where the picture is to be painted anew.")
