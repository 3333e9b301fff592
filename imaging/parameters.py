"""Parameters of a request that not every model follows. Pure; imports no torch."""

from __future__ import annotations

from enum import StrEnum

from imaging.request import ImageRequest, Operation


class Parameter(StrEnum):
    """What a request may ask beside its prompt and size."""

    NEGATIVE = "negative"
    SEED = "seed"
    STEPS = "steps"
    GUIDANCE = "guidance"
    STRENGTH = "strength"
    REFERENCE = "reference"  # a picture beside the prompt of an `imagine`


def unfollowed(request: ImageRequest, followed: frozenset[Parameter]) -> Parameter | None:
    """A parameter that a member typed and a model that follows `followed` ignores, or None."""
    typed = {
        Parameter.NEGATIVE: bool(request.negative),
        Parameter.STRENGTH: request.strength is not None,
        Parameter.REFERENCE: request.operation is Operation.IMAGINE and bool(request.sources),
    }
    return next((one for one in typed if typed[one] and one not in followed), None)
