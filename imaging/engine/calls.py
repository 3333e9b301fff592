"""A request in the words of a diffusers pipeline: its arguments, for each operation."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from PIL import Image

from imaging.engine.composition import blended, fitted, fitted_mask
from imaging.engine.loading import Model
from imaging.engine.work import Materials
from imaging.profiles import Profile
from imaging.request import ImageRequest, Operation
from imaging.sizes import Size, snap_up


@dataclass(frozen=True, slots=True)
class Call:
    """A pipeline and what it is called with, but for seeds and callbacks.

    `size` is what the model paints: the ordered size, brought up to what it can paint.
    """

    pipe: Any
    size: Size
    arguments: Mapping[str, Any]
    accepted: frozenset[str] = field(repr=False)

    @property
    def steps(self) -> int:
        """Steps that will really be taken: image to image skips those before its strength."""
        steps = int(self.arguments["num_inference_steps"])
        if "strength" in self.accepted and "strength" in self.arguments:
            return max(1, min(steps, int(steps * float(self.arguments["strength"]))))
        return steps

    @property
    def batches(self) -> bool:
        """Whether it can make several pictures of one prompt at once."""
        return "num_images_per_prompt" in self.accepted

    @property
    def watched(self) -> bool:
        """Whether it tells of its steps."""
        return "callback_on_step_end" in self.accepted

    @property
    def _one_source_a_picture(self) -> bool:
        """Whether a list of images means one for each picture, not several references for all.

        Given a single one, some pipelines draw from the first picture's generator only while they
        encode it, and the first picture would depend on the batch it is in.
        """
        return bool(self.accepted & {"strength", "image_guidance_scale"})

    def __call__(self, seeds: Sequence[int], **more: Any) -> Any:
        """Make one picture for each seed.

        Noise is drawn on the CPU by one generator a picture, so that a seed gives the same picture
        on any device and in any batch.
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


def make_call(model: Model, profile: Profile, request: ImageRequest, materials: Materials) -> Call:
    """The call that carries `request` out on a loaded model. Raises Unsupported."""
    size = snap_up((request.width, request.height), profile.multiple)
    arguments = _common(profile, request, size)
    if request.operation is Operation.FILL:
        pipe = model.inside_mask()
        arguments |= _fill(profile, request, materials, size)
    elif request.operation is Operation.EDIT:
        pipe = model.from_text()
        arguments |= {
            "image": fitted(materials.sources[0], size),
            "image_guidance_scale": profile.image_guidance,
        }
    elif materials.sources:
        pipe = model.from_picture()
        arguments |= _from_pictures(profile, request, materials, size)
    else:
        pipe = model.from_text()
    accepted = frozenset(inspect.signature(pipe.__call__).parameters)
    return Call(pipe, size, arguments, accepted)


def _common(profile: Profile, request: ImageRequest, size: Size) -> dict[str, Any]:
    usual = profile.guidance_of(request.operation)
    guidance = usual if request.guidance is None else request.guidance
    values: dict[str, Any] = {
        "prompt": request.prompt,
        "width": size[0],
        "height": size[1],
        "num_inference_steps": request.steps or profile.steps_of(request.operation),
        profile.guidance_argument: guidance,
    }
    if request.negative:
        values["negative_prompt"] = request.negative
    elif profile.guidance_argument == "true_cfg_scale" and guidance > 1:
        values["negative_prompt"] = " "  # without one these pipelines leave guidance out
    return values


def _fill(
    profile: Profile, request: ImageRequest, materials: Materials, size: Size
) -> dict[str, Any]:
    steps = request.steps or profile.steps
    mask = materials.mask or Image.new("L", size, 255)
    return {
        "image": fitted(materials.sources[0], size),
        "mask_image": fitted_mask(mask, size),
        # All noise inside the mask, unless what was there shall shine through.
        "strength": _strength(request, 1.0, steps),
    }


def _from_pictures(
    profile: Profile, request: ImageRequest, materials: Materials, size: Size
) -> dict[str, Any]:
    if request.operation is Operation.BLEND and profile.edits_itself:
        # A model that reads several pictures is given them as they are.
        return {"image": [fitted(source, size) for source in materials.sources]}
    steps = request.steps or profile.steps
    start = (
        blended(materials.sources, size)
        if request.operation is Operation.BLEND
        else fitted(materials.sources[0], size)
    )
    return {"image": start, "strength": _strength(request, profile.strength, steps)}


def _strength(request: ImageRequest, usual: float, steps: int) -> float:
    """The share of the steps to be taken, at least one; diffusers takes `int(steps × strength)`."""
    strength = usual if request.strength is None else request.strength
    # The crumb keeps steps × (1 / steps) from falling below one.
    return min(1.0, max(strength, 1 / steps + 1e-6))
