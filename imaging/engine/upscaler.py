"""Enlarges pictures with a network of the ESRGAN kind, loaded by spandrel, in overlapping tiles."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from imaging.engine.devices import Device
from imaging.engine.model_errors import run_load, run_model
from imaging.engine.types import RawImage, RenderInputs
from imaging.engine.upscale import enlarged_size
from imaging.errors import ModelUnavailable
from imaging.provenance import SourceType
from imaging.request import ImageRequest

TILE = 256
"""Pixels of a tile's side in the source."""
OVERLAP = 16
"""Pixels that a tile sees beyond each of its sides."""
MOST_PASSES = 3


@dataclass(frozen=True, slots=True)
class Upscaler:
    """A loaded network; `scale` is how much one pass enlarges."""

    network: Any
    scale: int
    device: torch.device

    @torch.no_grad()
    def once(self, image: Image.Image, check: Callable[[], None]) -> Image.Image:
        """The picture enlarged by `scale`; `check` is called before each tile."""
        whole = np.asarray(image.convert("RGB"), dtype=np.float32) / 255
        values = torch.from_numpy(whole).movedim(-1, 0)[None]
        _, _, height, width = values.shape
        result = torch.zeros((3, height * self.scale, width * self.scale))
        for top in range(0, height, TILE):
            for left in range(0, width, TILE):
                check()
                self._tile(values, result, top, left)
        bytes_ = (result.clamp(0, 1) * 255).round().to(torch.uint8)
        return Image.fromarray(bytes_.movedim(0, -1).numpy())

    def _tile(self, values: torch.Tensor, result: torch.Tensor, top: int, left: int) -> None:
        """Enlarge one tile with what is around it, and keep the tile."""
        scale, (height, width) = self.scale, values.shape[2:]
        bottom, right = min(top + TILE, height), min(left + TILE, width)
        above, before = max(0, top - OVERLAP), max(0, left - OVERLAP)
        seen = values[:, :, above : bottom + OVERLAP, before : right + OVERLAP]
        made = self.network(seen.to(self.device))[0].float().cpu()
        y, x = (top - above) * scale, (left - before) * scale
        tall, wide = (bottom - top) * scale, (right - left) * scale
        result[:, top * scale : bottom * scale, left * scale : right * scale] = made[
            :, y : y + tall, x : x + wide
        ]


def has_spandrel() -> bool:
    """Whether spandrel and torchvision, which it needs, are installed."""
    return all(importlib.util.find_spec(name) for name in ("spandrel", "torchvision"))


def load_upscaler(file: str, model: str, device: Device) -> Upscaler:
    """Load a safetensors file: pickles can run code. Raises ModelUnavailable, OutOfMemory."""
    if Path(file).suffix != ".safetensors":
        raise ModelUnavailable(
            f"The upscaler {file} of {model} is no safetensors file; a pickle can run code.",
            model=model,
        )
    if not has_spandrel():
        raise ModelUnavailable(
            f"The upscaler of {model} needs spandrel: pip install 'atelier[upscalers]'.",
            model=model,
        )

    def read() -> Upscaler:
        import spandrel

        found = spandrel.ModelLoader(device=device.torch_device).load_from_file(file)
        if not isinstance(found, spandrel.ImageModelDescriptor) or found.input_channels != 3:
            raise ModelUnavailable(f"{file} does not enlarge RGB pictures.", model=model)
        return Upscaler(found.eval(), found.scale, device.torch_device)

    return run_load(read, model)


def enlarge_with(
    upscaler: Upscaler,
    request: ImageRequest,
    inputs: RenderInputs,
    check: Callable[[], None] = lambda: None,
) -> list[RawImage]:
    """The source enlarged by `factor`, in as many passes as it takes. Raises PictureTooLarge.

    A picture that no model made is, enlarged so, one that a model edited.
    """
    image = inputs.sources[0]
    size = enlarged_size(request, image.size)
    for _ in range(MOST_PASSES):
        if image.width >= size[0] or upscaler.scale < 2:
            break
        image = run_model(partial(upscaler.once, image, check), request.profile)
    if image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    return [RawImage(image, request.seed, source_type=inputs.made_by or SourceType.EDITED)]
