"""The stock diffusers pipelines on a folder of weights, called as its `atelier.json` says.

Several candidates of each picture are made, and the best is corrected: see
`imaging.engine.candidates`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    DiffusionPipeline,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionPipeline,
)
from PIL import Image

from imaging.engine.candidate_selector import CandidateSelector
from imaging.engine.candidates import INPUTS, Candidates, scaled_plan
from imaging.engine.latent_preview import LatentCapture
from imaging.engine.model_optimisation import load_selector, optimise
from imaging.postcard import vocabulary as words
from imaging.profiles import CandidatePlan, Profile, folder_profile

WEIGHTS = Path(__file__).parent / "weights"

ImageGenerator = Callable[[list[str], list[int]], list[Image.Image]]
ImageEditor = Callable[[list[str], list[Image.Image], list[int]], list[Image.Image]]


def _noise(seeds: list[int]) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def defaults(folder: Path) -> dict[str, Any]:
    """The content of the folder's `atelier.json`."""
    return dict(json.loads((folder / "atelier.json").read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Choice:
    """How many candidates are made of each picture in the profile's usual number of steps, and what
    compares them.
    """

    plan: CandidatePlan
    selector: CandidateSelector
    usual_steps: int

    def scaled(self, steps: int, area: float) -> "Choice | None":
        """The same for so many steps and so many times the square's area; None for too few."""
        plan = scaled_plan(self.plan, steps, self.usual_steps, area)
        return None if plan is None else replace(self, plan=plan)


@dataclass(frozen=True)
class Model:
    """The pipelines of a folder of weights with its defaults; `choice` is None where one picture is
    made of each prompt.
    """

    given: dict[str, Any]
    pipeline: StableDiffusionPipeline
    choice: Choice | None

    def generator(self, aspect: str = "1:1") -> ImageGenerator:
        """A function from prompts and seeds to pictures of that aspect."""
        self.pipeline.set_progress_bar_config(disable=True)
        width, height = words.ASPECTS[aspect]
        square = words.ASPECTS["1:1"]
        area = width * height / (square[0] * square[1])
        steps = int(self.given["steps"])
        choosing = None if self.choice is None else self.choice.scaled(steps, area)

        def generate(prompts: list[str], seeds: list[int]) -> list[Image.Image]:
            capture = LatentCapture()
            with capture.attached_to(self.pipeline.scheduler):
                made = self.pipeline(
                    prompts,
                    width=width,
                    height=height,
                    num_inference_steps=steps,
                    guidance_scale=self.given["guidance"],
                    generator=_noise(seeds),
                    **_choosing(choosing, seeds, capture),
                )
            return list(made.images)

        return generate


def load_model(weights: Path = WEIGHTS, device: str = "cpu", *, plain: bool = False) -> Model:
    """The generating model of a folder of weights on a device, with the engine's settings; with
    `plain`, the stock pipeline without them.
    """
    profile = folder_profile("postcard", weights)
    pipeline = StableDiffusionPipeline.from_pretrained(str(weights)).to(device)
    if plain:
        return Model(defaults(weights), pipeline, None)
    optimise(pipeline, profile)
    return Model(defaults(weights), pipeline, _load_choice(profile, device))


def _load_choice(profile: Profile, device: str) -> Choice | None:
    selector = load_selector(profile, device)
    if profile.candidates is None or selector is None:
        return None
    return Choice(profile.candidates, selector, profile.steps)


def _choosing(choice: Choice | None, seeds: list[int], capture: LatentCapture) -> dict[str, Any]:
    """The pipeline's arguments for candidates of the pictures with these seeds."""
    if choice is None:
        return {}
    candidates = Candidates(choice.plan, choice.selector, seeds)

    def after_step(pipe: Any, index: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        if capture.latents is None:
            raise RuntimeError("the noise schedule made no step")
        return candidates.after_step(pipe, index + 1, capture.latents, tensors)

    return {
        "callback_on_step_end": after_step,
        "callback_on_step_end_tensor_inputs": [*INPUTS],
    }


def pipeline_editor(
    pipeline: StableDiffusionInstructPix2PixPipeline, given: dict[str, Any]
) -> ImageEditor:
    """A function from instructions, pictures and seeds to edited pictures, by the stock pipeline;
    `given` are the defaults of the weights.
    """
    pipeline.set_progress_bar_config(disable=True)

    def edit(texts: list[str], sources: list[Image.Image], seeds: list[int]) -> list[Image.Image]:
        made = pipeline(
            texts,
            image=sources,
            num_inference_steps=given["steps"],
            guidance_scale=given["edit_guidance"],
            image_guidance_scale=given["image_guidance"],
            generator=_noise(seeds),
        )
        return list(made.images)

    return edit


def randomize_weights(pipeline: DiffusionPipeline, seed: int = 0) -> DiffusionPipeline:
    """Replace denoiser and text encoder by randomly initialised ones; returns `pipeline`."""
    torch.manual_seed(seed)
    pipeline.unet = type(pipeline.unet).from_config(pipeline.unet.config).eval()
    pipeline.text_encoder = type(pipeline.text_encoder)(pipeline.text_encoder.config).eval()
    return pipeline
