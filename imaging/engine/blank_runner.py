"""A runner without a model, for benchmarks and tests: single-colour pictures at a given pace.

It serves only the profile `blank`, and only in an engine that was constructed with it, so that no
member ever receives a blank picture. Imports no torch.
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from imaging.engine.render_handle import RenderHandle
from imaging.engine.types import RawImage, RenderInputs
from imaging.profiles import Profile
from imaging.request import MAX_SEED, Stage


@dataclass(frozen=True, slots=True)
class BlankRunner:
    """Sleeps `seconds_per_step` for each step; the colour is derived from the seed."""

    seconds_per_step: float = 0.0

    @property
    def device(self) -> str:
        """Always "none"."""
        return "none"

    @property
    def has_models_in_use(self) -> bool:
        """It has no models."""
        return False

    def render(
        self,
        profile: Profile,
        handle: RenderHandle,
        inputs: RenderInputs,  # noqa: ARG002 - part of the Runner protocol
    ) -> list[RawImage]:
        """Single-colour pictures of the requested size."""
        request = handle.request
        steps = request.steps or profile.steps
        handle.report(Stage.STEPS, 0, steps)
        for step in range(steps):
            handle.sleep(self.next_step_seconds())
            handle.report(Stage.STEPS, step + 1, steps)
            handle.turn.yield_device()
        seeds = [(request.seed + k) % (MAX_SEED + 1) for k in range(request.count)]
        size = (request.width, request.height)
        return [RawImage(Image.new("RGB", size, _colour(seed)), seed) for seed in seeds]

    def next_step_seconds(self) -> float:
        """How long the next step takes; for subclasses that change the pace during a render."""
        return self.seconds_per_step

    def close(self) -> None:
        """Nothing to release."""


def _colour(seed: int) -> tuple[int, int, int]:
    mixed = (
        seed * 2654435761 % 2**32
    )  # Knuth's multiplicative hash: adjacent seeds get distinct colours
    return mixed & 255, mixed >> 8 & 255, mixed >> 16 & 255
