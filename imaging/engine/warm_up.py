"""The discarded picture that a model draws first. Imports no torch."""

from __future__ import annotations

from PIL import Image

from imaging.engine.types import RenderInputs
from imaging.profiles import Profile
from imaging.request import ImageRequest, Operation, Priority

SOURCE = "warm-up"
"""The name of a source that is not stored."""


def warm_up_request(
    name: str, profile: Profile | None, operation: Operation = Operation.IMAGINE
) -> ImageRequest:
    """A request that the profile can serve; one that draws nothing by itself edits or fills."""
    width, height = profile.size("1:1") if profile else (64, 64)
    operation = _operation(profile, operation)
    return ImageRequest(
        operation=operation,
        prompt="a red star on a blue background",
        profile=name,
        width=width,
        height=height,
        seed=0,
        sources=() if operation is Operation.IMAGINE else (SOURCE,),
        mask=SOURCE if operation is Operation.FILL else None,
        priority=Priority.EXPRESS,
    )


def warm_up_inputs(request: ImageRequest) -> RenderInputs:
    """The inputs of a warm-up's request; none for another."""
    if SOURCE not in request.sources:
        return RenderInputs()
    size = (request.width, request.height)
    mask = Image.new("L", size, 255) if request.operation is Operation.FILL else None
    return RenderInputs(sources=(Image.new("RGB", size, (40, 90, 160)),), mask=mask)


def _operation(profile: Profile | None, wanted: Operation) -> Operation:
    can = profile.operations if profile else {wanted}
    order = (wanted, Operation.EDIT, Operation.FILL)
    return next((one for one in order if one in can), wanted)
