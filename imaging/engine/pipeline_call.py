"""Translates a request into the arguments of a diffusers pipeline, per operation."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import log
from typing import Any

import torch
from PIL import Image

from imaging.engine.compositing import cover, multiple_exposure
from imaging.engine.denoiser import GUIDERS, isolate
from imaging.engine.long_prompts import embedded
from imaging.engine.model_errors import run_model
from imaging.engine.model_loading import Model
from imaging.engine.types import RenderInputs
from imaging.masks import cover_mask, grow
from imaging.model_files import with_triggers
from imaging.pipeline_families import Family
from imaging.profiles import Profile
from imaging.request import ImageRequest, Operation
from imaging.sizes import Size, snap_up

LATENT_CELL = 8
"""Pixels of a latent pixel's side, where a pipeline does not tell."""


@dataclass(frozen=True, slots=True)
class PipelineCall:
    """A pipeline and its arguments, except seeds and callbacks.

    `size` is the requested one, rounded up to the model's multiple; a class that draws its own
    sizes returns another. Where not `batched`, a call makes one picture.
    """

    pipe: Any
    size: Size
    arguments: Mapping[str, Any]
    accepted: frozenset[str] = field(repr=False)
    batched: bool = True

    @property
    def steps(self) -> int:
        """Steps that are actually run: image to image skips some, depending on strength."""
        steps = int(self.arguments["num_inference_steps"])
        if "strength" in self.accepted and "strength" in self.arguments:
            return max(1, min(steps, int(steps * float(self.arguments["strength"]))))
        return steps

    @property
    def supports_batch(self) -> bool:
        """Whether it supports several pictures of one prompt in one call."""
        return self.batched and "num_images_per_prompt" in self.accepted

    @property
    def has_step_callback(self) -> bool:
        """Whether it accepts a step callback."""
        return "callback_on_step_end" in self.accepted

    @property
    def _one_source_a_picture(self) -> bool:
        """Whether a list of images means one per picture, not several references for all.

        Given a single image, some pipelines encode it with the first picture's generator only, and
        the first picture would then depend on its batch.
        """
        return bool(self.accepted & {"strength", "image_guidance_scale"})

    def __call__(self, seeds: Sequence[int], **more: Any) -> Any:
        """Generate one picture per seed.

        Each picture has its own CPU generator, so that a seed reproduces the same noise on any
        device and in any batch.
        """
        generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
        wanted = {
            **self.arguments,
            "generator": generators,
            "num_images_per_prompt": len(seeds),
            "output_type": "np",
            **more,
        }
        if self._one_source_a_picture:
            for name in ("image", "mask_image"):
                if name in wanted:
                    wanted[name] = [wanted[name]] * len(seeds)
        return self.pipe(**{key: wanted[key] for key in wanted if key in self.accepted})


def build_call(
    model: Model, profile: Profile, request: ImageRequest, inputs: RenderInputs
) -> PipelineCall:
    """The pipeline call for `request` on a loaded model. Raises Unsupported."""
    wanted = snap_up((request.width, request.height), profile.multiple)
    size = _drawn_size(model.family, wanted)
    pipe, pictures = _pictures(model, profile, request, inputs, size)
    pipeline_class: Any = type(pipe)
    call = PipelineCall(
        isolate(pipe),
        wanted,
        {**_common(model, profile, request, size), **pictures, **_long(pipe, profile, request)},
        _accepted(pipeline_class),
        batched=model.family.batched,
    )
    _set_guiders(call.pipe, _guidance(profile, request))
    return call


def _long(pipe: Any, profile: Profile, request: ImageRequest) -> dict[str, Any]:
    """The encoded prompt, in the place of one that is longer than the pipeline reads."""
    if profile.prompt_windows < 2:
        return {}

    def encode() -> dict[str, Any]:
        return embedded(pipe, request.prompt, request.negative, profile.prompt_windows)

    found = run_model(encode, profile.name)
    return {**found, "prompt": None, "negative_prompt": None} if found else {}


def _pictures(
    model: Model, profile: Profile, request: ImageRequest, inputs: RenderInputs, size: Size
) -> tuple[Any, dict[str, Any]]:
    """The pipeline for the request's operation and sources, and its arguments for them."""
    family = model.family
    if request.operation is Operation.FILL:
        pipe = model.inpainting()
        cell = int(getattr(pipe, "vae_scale_factor", LATENT_CELL))
        return pipe, _fill(profile, request, inputs, size, cell)
    if request.operation is Operation.EDIT or _as_references(family, request, inputs):
        covered = [cover(source, size) for source in inputs.sources]
        image = covered if family.references > 1 else covered[0]
        return model.base, {"image": image, "image_guidance_scale": profile.image_guidance}
    if inputs.sources:
        return model.image_to_image(), _from_pictures(family, profile, request, inputs, size)
    return model.base, {}


def _as_references(family: Family, request: ImageRequest, inputs: RenderInputs) -> bool:
    """Whether the sources go beside the prompt rather than being what the picture starts from."""
    if not inputs.sources or family.references < len(inputs.sources):
        return False
    if request.operation is Operation.BLEND or not family.follows_strength:
        return True
    return request.operation is Operation.IMAGINE and request.strength is None


def _drawn_size(family: Family, size: Size) -> Size:
    """The size to ask the pipeline for: `size`, or the nearest of its own list."""
    ratio = size[0] / size[1]
    return min(family.drawn_sizes, key=lambda one: abs(log(one[0] / one[1] / ratio)), default=size)


def _set_guiders(pipe: Any, guidance: float) -> None:
    for name in GUIDERS:
        guider = getattr(pipe, name, None)
        if guider is not None:
            guider.guidance_scale = guidance


@cache
def _accepted(pipeline_class: Any) -> frozenset[str]:
    return frozenset(inspect.signature(pipeline_class.__call__).parameters)


def _guidance(profile: Profile, request: ImageRequest) -> float:
    usual = profile.guidance_of(request.operation)
    return usual if request.guidance is None else request.guidance


def _common(model: Model, profile: Profile, request: ImageRequest, size: Size) -> dict[str, Any]:
    family, own = model.family, model.source == profile.source
    guidance = _guidance(profile, request)
    argument = profile.guidance_argument if own else family.guidance_argument
    steps = request.steps or profile.steps_of(request.operation)
    values: dict[str, Any] = {
        "prompt": with_triggers(request.prompt, profile.files.triggers),
        "width": size[0],
        "height": size[1],
        "max_area": size[0] * size[1],
        "num_inference_steps": steps,
        **family.arguments,
    }
    if argument:
        values[argument] = guidance
    if steps != family.steps:
        values |= family.other_steps_arguments
    if request.negative:
        values["negative_prompt"] = request.negative
    elif argument == "true_cfg_scale" and guidance > 1:
        values["negative_prompt"] = " "  # without one these pipelines disable guidance
    return values


def _fill(
    profile: Profile, request: ImageRequest, inputs: RenderInputs, size: Size, cell: int
) -> dict[str, Any]:
    """The arguments of inpainting; `cell` is the side of a latent pixel, in pixels."""
    steps = request.steps or profile.steps
    mask = inputs.mask or Image.new("L", size, 255)
    source = inputs.sources[0]
    return {
        "image": cover(source, size),
        # A latent cell follows one of its pixels: half a cell more keeps thin lines.
        "mask_image": grow(cover_mask(mask, size, source.size), cell // 2),
        # Full noise inside the mask by default.
        "strength": _strength(request, 1.0, steps),
    }


def _from_pictures(
    family: Family, profile: Profile, request: ImageRequest, inputs: RenderInputs, size: Size
) -> dict[str, Any]:
    steps = request.steps or profile.steps
    start = (
        multiple_exposure(inputs.sources, size)
        if request.operation is Operation.BLEND
        else cover(inputs.sources[0], size)
    )
    found = {"image": start, "strength": _strength(request, profile.strength, steps)}
    if family.image_class is None:
        found["mask_image"] = Image.new("L", size, 255)
    return found


def _strength(request: ImageRequest, usual: float, steps: int) -> float:
    """The strength, at least one step: diffusers runs `int(steps × strength)` steps."""
    strength = usual if request.strength is None else request.strength
    # The epsilon keeps steps × (1 / steps) from rounding below one.
    return min(1.0, max(strength, 1 / steps + 1e-6))
