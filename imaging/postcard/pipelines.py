"""The stock diffusers pipelines on a folder of weights, called as its `atelier.json` says."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    DiffusionPipeline,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionPipeline,
)
from PIL import Image

WEIGHTS = Path(__file__).parent / "weights"

ImageGenerator = Callable[[list[str], list[int]], list[Image.Image]]
ImageEditor = Callable[[list[str], list[Image.Image], list[int]], list[Image.Image]]


def _noise(seeds: list[int]) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def defaults(folder: Path) -> dict[str, Any]:
    """The content of the folder's `atelier.json`."""
    return dict(json.loads((folder / "atelier.json").read_text(encoding="utf-8")))


def pipeline_generator(
    pipeline: StableDiffusionPipeline,
    steps: int,
    guidance: float,
    size: tuple[int, int] = (128, 128),
) -> ImageGenerator:
    """A function from prompts and seeds to pictures of one size, by the stock pipeline."""
    pipeline.set_progress_bar_config(disable=True)

    def generate(prompts: list[str], seeds: list[int]) -> list[Image.Image]:
        made = pipeline(
            prompts,
            width=size[0],
            height=size[1],
            num_inference_steps=steps,
            guidance_scale=guidance,
            generator=_noise(seeds),
        )
        return list(made.images)

    return generate


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
