"""Makes several candidates of each picture, keeps the best and corrects it, within one call of a
pipeline.

At pure noise, a denoiser's estimate of the picture does not depend on the noise. So the first step
is computed once. After it, the batch is extended: each picture continues from other noises as well.
After a later step a `CandidateSelector` compares the estimates with the prompt, one candidate of
each picture is kept, and the rest of the steps is computed for it alone.

After some of the steps the estimates are corrected: moved to where the selector finds the prompt
met more likely. The following steps draw what that left rough.

The pipeline is a stock one: its `callback_on_step_end` may replace latents and prompt embeddings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import sqrt
from typing import Any, Protocol

import torch

from imaging.engine.corrections import Corrections, Score
from imaging.profiles import CandidatePlan, CorrectionPlan
from imaging.request import MAX_SEED

INPUTS = ("latents", "prompt_embeds")
"""Tensors of the pipeline that `Candidates.after_step` needs."""
SEED_DISTANCE = 0x9E3779B9
"""Between the seeds of a picture's candidates; large, since the pictures of a request have seeds
that follow each other.
"""


class Selector(Protocol):
    """Compares latents `(n, c, h, w)` with hidden states of prompts `(n, length, width)`."""

    def scorer(self, states: torch.Tensor) -> Score:
        """The score of latents for these prompts."""
        ...


def scaled_plan(
    plan: CandidatePlan, steps: int, usual: int, area: float = 1.0
) -> CandidatePlan | None:
    """The plan for another number of steps than the `usual` one, and a picture of `area` times the
    model's square; None where there are too few steps.
    """
    until = max(2, round(plan.until * steps / usual))
    if until >= steps:
        return None
    correction = plan.correction and _scaled_correction(plan.correction, steps / usual, area)
    if correction is not None:
        # One picture is corrected, not its candidates, and a step follows.
        first, last = max(correction.first, until), min(correction.last, steps - 1)
        correction = replace(correction, first=first, last=last) if first <= last else None
    return replace(plan, until=until, correction=correction)


def _scaled_correction(plan: CorrectionPlan, steps: float, area: float) -> CorrectionPlan:
    """The plan for `steps` times as many steps, and more rounds for a larger picture: there is more
    in it to be put right. They grow as the square root of the area, about as the steps' time does.
    """
    return replace(
        plan,
        first=round(plan.first * steps),
        last=round(plan.last * steps),
        rounds=max(1, round(plan.rounds * sqrt(area))),
    )


class Candidates:
    """The candidates of one batch. `seeds` are those of its pictures."""

    def __init__(self, plan: CandidatePlan, selector: Selector, seeds: Sequence[int]) -> None:
        self._plan = plan
        self._selector = selector
        self._seeds = seeds
        self.group = 1  # candidates of each picture in the pipeline's batch
        self._corrections: Corrections | None = None

    def after_step(
        self, pipe: Any, step: int, estimate: torch.Tensor, tensors: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The tensors that the pipeline continues with after step number `step`, 1 or later.

        `estimate` are the step's clean latents, `tensors` are `INPUTS`. With guidance, the prompt
        embeddings are those of the negative prompts, then those of the prompts.
        """
        latents, embeds = tensors["latents"], tensors["prompt_embeds"]
        if step == 1:
            latents, embeds = self._extend(pipe, latents, embeds)
        if step == self._plan.until and self.group > 1:
            estimate, latents, embeds = self._choose(estimate, latents, embeds)
        plan = self._plan.correction
        if plan is not None and plan.first <= step <= plan.last:
            if self._corrections is None:
                score = self._selector.scorer(embeds[-len(latents) :])
                self._corrections = Corrections(plan, score)
            change = self._corrections(estimate) - estimate
            # The noise in the latents stays as it is.
            latents = latents + _alpha_after(pipe.scheduler, step).sqrt() * change.to(latents.dtype)
        return {"latents": latents, "prompt_embeds": embeds}

    def _extend(
        self, pipe: Any, latents: torch.Tensor, embeds: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Each picture's latents with its own noise, then with that of other seeds."""
        self.group = self._plan.count
        strength = (1 - _alpha_after(pipe.scheduler, 1)).sqrt()
        shape = latents.shape[1:]
        first = torch.cat([_noise(seed, shape, latents) for seed in self._seeds])
        clean = latents - strength * first
        noises = [
            torch.cat([_noise(_seed(seed, k), shape, latents) for k in range(self.group)])
            for seed in self._seeds
        ]
        extended = clean.repeat_interleave(self.group, 0) + strength * torch.cat(noises)
        return extended, embeds.repeat_interleave(self.group, 0)

    def _choose(
        self, estimate: torch.Tensor, latents: torch.Tensor, embeds: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        with torch.no_grad():
            scores = self._selector.scorer(embeds[-len(latents) :])(estimate).view(-1, self.group)
        first = torch.arange(len(scores), device=scores.device) * self.group
        best = (first + scores.argmax(1)).to(latents.device)
        self.group = 1
        # The embeddings of the prompts, after those of the negative prompts if there are any.
        places = [best + start for start in range(0, len(embeds), len(latents))]
        return estimate[best.to(estimate.device)], latents[best], embeds[torch.cat(places)]


def _seed(seed: int, candidate: int) -> int:
    return (seed + candidate * SEED_DISTANCE) % (MAX_SEED + 1)


def _noise(seed: int, shape: Sequence[int], like: torch.Tensor) -> torch.Tensor:
    """The noise `(1, c, h, w)` that a pipeline makes from a CPU generator with this seed."""
    generator = torch.Generator("cpu").manual_seed(seed)
    noise = torch.randn((1, *shape), generator=generator, dtype=like.dtype)
    return noise.to(like.device)


def _alpha_after(scheduler: Any, step: int) -> torch.Tensor:
    """The share of the picture's variance in the latents after DDIM's step `step`, not the last."""
    spacing = scheduler.config.num_train_timesteps // scheduler.num_inference_steps
    alpha: torch.Tensor = scheduler.alphas_cumprod[int(scheduler.timesteps[step - 1]) - spacing]
    return alpha
