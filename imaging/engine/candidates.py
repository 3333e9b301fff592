"""Makes several candidates of each picture and keeps the best, within one call of a pipeline.

At pure noise, a denoiser's estimate of the picture does not depend on the noise. So the first step
is computed once. After it, the batch is extended: each picture continues from other noises as well.
After a later step a `CandidateSelector` compares the estimates with the prompt, one candidate of
each picture is kept, and the rest of the steps is computed for it alone.

The pipeline is a stock one: its `callback_on_step_end` may replace latents and prompt embeddings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from imaging.profiles import CandidatePlan
from imaging.request import MAX_SEED

INPUTS = ("latents", "prompt_embeds")
"""Tensors of the pipeline that `Candidates.after_step` needs."""
SEED_DISTANCE = 0x9E3779B9
"""Between the seeds of a picture's candidates; large, since the pictures of a request have seeds
that follow each other.
"""


Score = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Hidden states of prompts `(n, length, width)` and latents `(n, c, h, w)` to scores `(n,)`."""


def scaled_plan(plan: CandidatePlan, steps: int, usual: int) -> CandidatePlan | None:
    """The plan, made for the `usual` number of steps, for another; None where there are too few."""
    until = max(2, round(plan.until * steps / usual))
    return replace(plan, until=until) if until < steps else None


class Candidates:
    """The candidates of one batch. `seeds` are those of its pictures."""

    def __init__(self, plan: CandidatePlan, score: Score, seeds: Sequence[int]) -> None:
        self._plan = plan
        self._score = score
        self._seeds = seeds
        self.group = 1  # candidates of each picture in the pipeline's batch

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
            latents, embeds = self._choose(estimate, latents, embeds)
        return {"latents": latents, "prompt_embeds": embeds}

    def _extend(
        self, pipe: Any, latents: torch.Tensor, embeds: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Each picture's latents with its own noise, then with that of other seeds."""
        self.group = self._plan.count
        strength = _noise_after_first_step(pipe.scheduler)
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
    ) -> tuple[torch.Tensor, torch.Tensor]:
        scores = self._score(embeds[-len(latents) :], estimate).view(-1, self.group)
        first = torch.arange(len(scores), device=scores.device) * self.group
        best = (first + scores.argmax(1)).to(latents.device)
        self.group = 1
        # The embeddings of the prompts, after those of the negative prompts if there are any.
        places = [best + start for start in range(0, len(embeds), len(latents))]
        return latents[best], embeds[torch.cat(places)]


def _seed(seed: int, candidate: int) -> int:
    return (seed + candidate * SEED_DISTANCE) % (MAX_SEED + 1)


def _noise(seed: int, shape: Sequence[int], like: torch.Tensor) -> torch.Tensor:
    """The noise `(1, c, h, w)` that a pipeline makes from a CPU generator with this seed."""
    generator = torch.Generator("cpu").manual_seed(seed)
    noise = torch.randn((1, *shape), generator=generator, dtype=like.dtype)
    return noise.to(like.device)


def _noise_after_first_step(scheduler: Any) -> torch.Tensor:
    """The factor of the noise in the latents after DDIM's first step from pure noise."""
    spacing = scheduler.config.num_train_timesteps // scheduler.num_inference_steps
    alpha: torch.Tensor = scheduler.alphas_cumprod[int(scheduler.timesteps[0]) - spacing]
    return (1 - alpha).sqrt()
