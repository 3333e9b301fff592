"""A runner without a model, for benches and tests: pictures of one colour, at a given pace.

It serves only the profile `blank`, and an engine has it only where it was built with one, so that
no member is ever given a blank picture. Everything else of the engine (queue, progress, cancel,
deadlines, files) is the real thing. Imports no torch.
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from imaging.engine.rendering import Rendering
from imaging.engine.work import Materials, Painted
from imaging.profiles import Profile
from imaging.request import MAX_SEED, Stage


@dataclass(frozen=True, slots=True)
class BlankRunner:
    """Takes `seconds_per_step` for each step, and paints in a colour made from the seed."""

    seconds_per_step: float = 0.0

    @property
    def device(self) -> str:
        """No device at all."""
        return "none"

    def render(
        self,
        profile: Profile,
        rendering: Rendering,
        materials: Materials,  # noqa: ARG002 - a Runner is given them; here they are not looked at
    ) -> list[Painted]:
        """One-colour pictures of the size ordered."""
        request = rendering.request
        steps = request.steps or profile.steps
        rendering.report(Stage.STEPS, 0, steps)
        for step in range(steps):
            rendering.pause(self.seconds_per_step)
            rendering.report(Stage.STEPS, step + 1, steps)
        seeds = [(request.seed + k) % (MAX_SEED + 1) for k in range(request.count)]
        size = (request.width, request.height)
        return [Painted(Image.new("RGB", size, _colour(seed)), seed) for seed in seeds]

    def close(self) -> None:
        """Nothing to let go of."""


def _colour(seed: int) -> tuple[int, int, int]:
    mixed = seed * 2654435761 % 2**32  # Knuth's multiplicative hash: near seeds, far colours
    return mixed & 255, mixed >> 8 & 255, mixed >> 16 & 255
