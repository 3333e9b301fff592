"""Corrections of estimates along the gradient of a score."""

from __future__ import annotations

import pytest
import torch

from imaging.engine.corrections import Corrections
from imaging.profiles import CorrectionPlan

PLAN = CorrectionPlan(first=3, last=7, strength=0.2, rounds=3, momentum=0.6)


def far_from_zero(latents: torch.Tensor) -> torch.Tensor:
    """Log-likelihood 0 for latents that are 0."""
    return -latents.square().mean((1, 2, 3))


def sizes(latents: torch.Tensor) -> torch.Tensor:
    return latents.square().mean((1, 2, 3)).sqrt()


def test_every_round_raises_the_score_within_its_strength() -> None:
    estimate = torch.randn(3, 4, 8, 8) * 2
    before = far_from_zero(estimate)
    for rounds in (1, 2, 3):
        plan = CorrectionPlan(3, 7, strength=0.2, rounds=rounds, momentum=0.6)
        found = Corrections(plan, far_from_zero)(estimate)
        assert bool((far_from_zero(found) > before).all())
        change = sizes(found - estimate)
        assert bool((change <= 0.2 * rounds + 1e-4).all())
        assert bool((change > 0.2 * rounds - 0.05).all())


@pytest.mark.parametrize("likelihood", [0.9, 0.5, 0.1])
def test_the_likelier_the_less_a_picture_changes(likelihood: float) -> None:
    plan = CorrectionPlan(3, 7, strength=0.2)
    estimate = torch.randn(1, 4, 8, 8)
    bias = torch.tensor(likelihood).log() - estimate.sum((1, 2, 3))
    found = Corrections(plan, lambda latents: latents.sum((1, 2, 3)) + bias)(estimate)
    assert float(sizes(found - estimate)) == pytest.approx(0.2 * (1 - likelihood), rel=1e-2)


def test_pictures_of_a_batch_are_corrected_apart() -> None:
    estimate = torch.randn(2, 4, 8, 8)
    together = Corrections(PLAN, far_from_zero)(estimate)
    alone = [Corrections(PLAN, far_from_zero)(one[None]) for one in estimate]
    assert torch.allclose(together, torch.cat(alone), atol=1e-6)


def test_directions_are_averaged_over_rounds_and_steps() -> None:
    """After a gradient to the right, one upwards leads between them, weighted by the momentum."""
    right, up = torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)
    right[..., 0, 0], up[..., 1, 1] = 2.0, 2.0  # of size 1
    towards = [right, up]
    plan = CorrectionPlan(3, 7, strength=0.1, momentum=0.5)
    corrections = Corrections(plan, lambda latents: (latents * towards[0]).sum((1, 2, 3)) - 50)
    start = torch.zeros(1, 1, 2, 2)
    first = corrections(start)
    assert torch.allclose(first, 0.1 * right, atol=1e-5)
    towards.pop(0)
    second = corrections(start)
    expected = (up + 0.5 * right) / (1 + 0.25) ** 0.5
    assert torch.allclose(second, 0.1 * expected, atol=1e-5)


def test_a_picture_without_a_gradient_stays() -> None:
    estimate = torch.randn(1, 4, 8, 8)
    found = Corrections(PLAN, lambda latents: (latents * 0).sum((1, 2, 3)) - 5)(estimate)
    assert torch.equal(found, estimate)


def test_corrections_work_where_gradients_are_off() -> None:
    """Pipelines run without gradients, and keep the precision of their latents."""
    with torch.no_grad():
        found = Corrections(PLAN, far_from_zero)(torch.randn(1, 4, 8, 8).half())
    assert found.dtype is torch.float16
    assert not found.requires_grad
