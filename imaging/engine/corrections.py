"""Corrects the estimates of a batch's pictures while they are made.

This is guidance by the gradient of a score on the clean estimate (Bansal et al. 2023, "Universal
Guidance for Diffusion Models"; He et al. 2024, "Manifold Preserving Guided Diffusion").
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from imaging.profiles import CorrectionPlan

Score = Callable[[torch.Tensor], torch.Tensor]
"""Latents `(n, c, h, w)` to the log-likelihood `(n,)` that they show what is asked for."""
TINY = 1e-6


class Corrections:
    """Moves the estimates of one batch, step after step, to where their score is higher.

    A round changes a picture by the plan's strength (root mean square) where it surely does not
    show what is asked for, and by less the likelier it does. Its direction is an average of this
    round's gradient and the earlier ones: a single gradient of a network is rough.
    """

    def __init__(self, plan: CorrectionPlan, score: Score) -> None:
        """`score` is that of the batch's pictures; it can be differentiated."""
        self._plan = plan
        self._score = score
        self._direction: torch.Tensor | None = None

    def __call__(self, estimate: torch.Tensor) -> torch.Tensor:
        """The corrected estimate."""
        moved = estimate.detach().float()
        for _ in range(self._plan.rounds):
            scores, gradient = self._gradient(moved)
            unmet = (1 - scores.exp()).view(-1, 1, 1, 1)
            moved = moved + self._plan.strength * unmet * self._averaged(gradient)
        return moved.to(estimate.dtype)

    def _gradient(self, latents: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.enable_grad():
            latents = latents.detach().requires_grad_(True)
            scores = self._score(latents)
            (gradient,) = torch.autograd.grad(scores.sum(), latents)
        return scores.detach(), gradient

    def _averaged(self, gradient: torch.Tensor) -> torch.Tensor:
        """The direction with this gradient, of size 1."""
        direction = _of_size_one(gradient)
        if self._direction is not None:
            direction = direction + self._plan.momentum * self._direction
        self._direction = direction
        return _of_size_one(direction)


def _of_size_one(values: torch.Tensor) -> torch.Tensor:
    """Each picture's values divided by their root mean square."""
    size: torch.Tensor = values.square().mean((1, 2, 3), keepdim=True).sqrt()
    return values / (size + TINY)
