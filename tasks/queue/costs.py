"""The cost of a request in GPU seconds, learnt from renders and robust against outliers.

Pure. A `LearntCost` is a running estimate on the logarithm: each sample moves it by a clipped step,
so that a render behind a cold model load, or next to a busy process, moves it little.
(P. J. Huber, "Robust estimation of a location parameter", 1964, as a running update.) Outliers on
the same side one after the other are no outliers: the cost has changed, as it does when a backlog
lets pictures share batches, and each moves the estimate by more than the one before it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from imaging.request import ImageRequest

FIRST_GUESS = 5.0
"""GPU seconds of one unit of work (a megapixel, twenty steps) before anything is known."""

LEAST_GUESS = 1.0
"""GPU seconds of a picture before anything is known: small ones take their time, too."""

USUAL_STEPS = 20
_SLOWEST_LEARNING = 0.05  # the last twenty or so samples count
_FIRST_SPREAD = 0.5
_CLIP = 2.0  # spreads
_RUN_STEP = 1 / 8
"""Each outlier after the first on one side adds this to the share by which a sample counts."""

_FASTEST_LEARNING = 0.5


@dataclass(frozen=True, slots=True)
class Shape:
    """The parameters that determine the cost of one picture. Sizes in pixels."""

    profile: str
    operation: str
    width: int
    height: int
    steps: int

    @property
    def work(self) -> float:
        """Work of one picture, in units that render time is roughly proportional to."""
        return max(0.01, self.width * self.height / 1_000_000) * self.steps / USUAL_STEPS

    @property
    def key(self) -> str:
        """As one text: `postcard/imagine/256x256/8`."""
        return f"{self.profile}/{self.operation}/{self.width}x{self.height}/{self.steps}"


def shape_of(request: ImageRequest, usual_steps: int | None = None) -> Shape:
    """The shape of a request's pictures; `usual_steps` is used where it names no steps."""
    return Shape(
        request.profile,
        str(request.operation),
        request.width,
        request.height,
        request.steps or usual_steps or USUAL_STEPS,
    )


@dataclass(frozen=True, slots=True)
class LearntCost:
    """A running estimate of seconds: its logarithm, the spread and the number of samples.

    `outliers` counts samples beyond two spreads in a row, below 0 where they were lower; another
    sample takes one off.
    """

    log_seconds: float = math.log(FIRST_GUESS)
    spread: float = _FIRST_SPREAD
    samples: int = 0
    outliers: int = 0

    @property
    def seconds(self) -> float:
        """The estimate itself."""
        return math.exp(self.log_seconds)

    def learn(self, seconds: float) -> LearntCost:
        """The estimate after one more sample. Raises ValueError unless `seconds` is above 0."""
        if not (seconds > 0 and math.isfinite(seconds)):
            raise ValueError(f"A cost must be a number of seconds above 0, not {seconds}.")
        sample = math.log(seconds)
        if self.samples == 0:
            return LearntCost(sample, _FIRST_SPREAD, 1)
        reach = _CLIP * self.spread
        off = max(-reach, min(reach, sample - self.log_seconds))
        outliers = self._outliers_after(sample - self.log_seconds, reach)
        changed = min(_FASTEST_LEARNING, _RUN_STEP * (abs(outliers) - 1))
        step = max(_SLOWEST_LEARNING, 1 / (self.samples + 1), changed)
        return LearntCost(
            self.log_seconds + step * off,
            max(0.02, self.spread + step * (abs(off) - self.spread)),
            self.samples + 1,
            outliers,
        )

    def _outliers_after(self, off: float, reach: float) -> int:
        side = (self.outliers > 0) - (self.outliers < 0)
        if abs(off) <= reach:
            return self.outliers - side
        found = 1 if off > 0 else -1
        return self.outliers + found if side == found else found


def expected_seconds(
    shape: Shape, count: int, known: LearntCost | None, per_work: LearntCost | None
) -> float:
    """GPU seconds of `count` pictures: from this shape, else from the profile's unit of work.

    `per_work` is the profile's cost of one unit (`Shape.work`) over all shapes.
    """
    if known is not None and known.samples:
        return count * known.seconds
    if per_work is not None and per_work.samples:
        return count * per_work.seconds * shape.work
    return count * max(LEAST_GUESS, FIRST_GUESS * shape.work)
