"""What a single file of weights holds, by its tensors' names and shapes. Imports no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from imaging.errors import ModelUnavailable

Shapes = Mapping[str, tuple[int, ...]]
DENOISER = "denoiser"
LARGEST_HEADER = 100_000_000  # bytes; the format's own limit

_LDM = "model.diffusion_model."
_SD15_TEXT = "cond_stage_model.transformer."
_SDXL_TEXT = "conditioner.embedders."
_VAE = "first_stage_model."
_PARTS = {
    _LDM: "unet",
    _SD15_TEXT: "text_encoder",
    f"{_SDXL_TEXT}0.": "text_encoder",
    f"{_SDXL_TEXT}1.": "text_encoder_2",
    _VAE: "vae",
}
"""Components of whole checkpoints by the beginning of their tensors' names."""
_OTHER_PARTS = ("text_encoders.", "vae.")
"""Beginnings of what ComfyUI adds to a file with a denoiser; it is not read."""
_FLUX = "double_blocks.0.img_attn.norm.key_norm.scale"
_GUIDANCE = "guidance_in.in_layer.bias"


@dataclass(frozen=True, slots=True)
class Layout:
    """`family` is the diffusers pipeline class; `base` the hub id of its usual other parts.

    `whole` tells that the file has the text encoders and the autoencoder, too. `distilled` is None
    where the tensors do not tell.
    """

    family: str
    base: str
    whole: bool
    distilled: bool | None = None

    @property
    def changes(self) -> Mapping[str, int | float]:
        """The usual values that differ from those of the family."""
        return {"steps": 4, "guidance": 0.0} if self.distilled else {}


def read_shapes(path: Path, model: str) -> Shapes:
    """The tensors of a safetensors file. Raises ModelUnavailable where it is not one."""
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            fits = 2 <= size <= min(LARGEST_HEADER, path.stat().st_size - 8)
            header = json.loads(file.read(size) if fits else b"")
        return {
            name: tuple(int(side) for side in value["shape"])
            for name, value in header.items()
            if name != "__metadata__"
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelUnavailable(
            f"{path} cannot be read as safetensors; it may be cut off ({error}).", model=model
        ) from error


def layout_of(shapes: Shapes) -> Layout | None:
    """The layout of a checkpoint as the community writes them; None for an unknown one."""
    has_text = any(name.startswith((_SD15_TEXT, _SDXL_TEXT)) for name in shapes)
    has_vae = any(name.startswith(_VAE) for name in shapes)
    whole = has_text and has_vae
    if _FLUX in shapes or f"{_LDM}{_FLUX}" in shapes:
        guided = _GUIDANCE in shapes or f"{_LDM}{_GUIDANCE}" in shapes
        owner = "black-forest-labs"
        base = f"{owner}/FLUX.1-dev" if guided else f"{owner}/FLUX.1-schnell"
        return Layout("FluxPipeline", base, False, not guided)
    if any(name.startswith(_SDXL_TEXT) for name in shapes):
        base = "stabilityai/stable-diffusion-xl-base-1.0"
        return Layout("StableDiffusionXLPipeline", base, whole)
    if any(name.startswith(_SD15_TEXT) for name in shapes):
        base = "stable-diffusion-v1-5/stable-diffusion-v1-5"
        return Layout("StableDiffusionPipeline", base, whole)
    return None


def parts_of(shapes: Shapes, layout: Layout | None) -> Mapping[str, int]:
    """The number of weights of each component that is read from a checkpoint, by its name.

    Without a layout with all components, the file is a denoiser, called "denoiser" here.
    """
    counts: dict[str, int] = {}
    for name, shape in shapes.items():
        part = _part(name) if layout is not None and layout.whole else _denoiser_part(name)
        if part is not None:
            counts[part] = counts.get(part, 0) + prod(shape)
    return counts


def _part(name: str) -> str | None:
    """None for what diffusers does not load, such as averaged weights and the noise schedule."""
    return next((part for start, part in _PARTS.items() if name.startswith(start)), None)


def _denoiser_part(name: str) -> str | None:
    others = (*_OTHER_PARTS, *(start for start in _PARTS if start != _LDM))
    return None if name.startswith(others) else DENOISER
