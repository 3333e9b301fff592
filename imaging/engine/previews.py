"""What a picture is going to be, shown while it is made.

Two parts: `Glimpse` gets the model's present guess of the finished latents out of the noise
schedule, and a `Developer` turns latents into a small picture: with the autoencoder itself where
that is tiny, else with a linear map from latent channels to colours, fitted by least squares when
the model is loaded.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from PIL import Image

Developer = Callable[[torch.Tensor], Image.Image]
"""From one sample's latents `(1, c, h, w)`, as the pipeline holds them, to a picture."""

TINY = 5_000_000
"""An autoencoder of fewer parameters decodes a preview in a few milliseconds, even on a CPU."""


class Glimpse:
    """The newest guess of the finished latents, `(n, c, h, w)`; None before the first step."""

    def __init__(self) -> None:
        self.latents: torch.Tensor | None = None

    @contextmanager
    def watching(self, schedule: Any) -> Iterator[None]:
        """Look on as `schedule.step` is called; the schedule is as before when this is left."""
        step = schedule.step

        @functools.wraps(step)
        def watched(model_output: Any, timestep: Any, sample: Any, *args: Any, **more: Any) -> Any:
            index = getattr(schedule, "step_index", None)
            result = step(model_output, timestep, sample, *args, **more)
            self.latents = _guess(schedule, index, model_output, sample, result)
            return result

        schedule.step = watched
        try:
            yield
        finally:
            del schedule.step  # the class's own method shows again


def _guess(schedule: Any, index: int | None, output: Any, sample: Any, result: Any) -> Any:
    """The finished latents as the model sees them now.

    Most schedules return their guess beside the next sample. Flow matching does not; there a
    sample is `(1 - s) x + s noise` and the output `noise - x` (Lipman et al. 2023), so `x = sample
    - s output`. Where neither holds, the noisy sample itself.
    """
    if isinstance(result, tuple) and len(result) > 1 and torch.is_tensor(result[1]):
        return result[1]
    if type(schedule).__name__.startswith("FlowMatchEuler"):
        place = index if index is not None else getattr(schedule, "begin_index", None) or 0
        return sample - schedule.sigmas[place].to(sample) * output
    return sample


def make_developer(pipe: Any) -> Developer | None:
    """How to show this pipeline's latents; None where they are not plain `(n, c, h, w)` pictures.
    """
    vae: Any = getattr(pipe, "vae", None)
    if type(vae).__name__ != "AutoencoderKL" or hasattr(pipe, "_unpack_latents"):
        return None
    if sum(part.numel() for part in vae.parameters()) < TINY:
        return functools.partial(_decode, vae)
    return functools.partial(_project, _fit(vae))


@torch.no_grad()
def _decode(vae: Any, latents: torch.Tensor) -> Image.Image:
    latents = latents.to(vae.dtype) / vae.config.scaling_factor + (vae.config.shift_factor or 0.0)
    return _picture(vae.decode(latents, return_dict=False)[0][0])


@torch.no_grad()
def _fit(vae: Any) -> torch.Tensor:
    """The `(channels + 1, 3)` matrix that best gives a patch's mean colour from its latent cell.

    Fitted on one drawn sheet of smooth random colours, which holds about all colours there are.
    """
    cells = 32
    scale = 2 ** (len(vae.config.block_out_channels) - 1)
    chance = torch.Generator().manual_seed(0)
    patches = torch.rand((1, 3, cells // 4, cells // 4), generator=chance) * 2 - 1
    colours = torch.nn.functional.interpolate(patches, size=(cells, cells), mode="bilinear")
    sheet = torch.nn.functional.interpolate(colours, scale_factor=scale, mode="bilinear")
    encoded = vae.encode(sheet.to(vae.device, vae.dtype)).latent_dist.mode().float().cpu()
    latents = (encoded - (vae.config.shift_factor or 0.0)) * vae.config.scaling_factor
    known = latents.flatten(2)[0].T
    known = torch.cat([known, torch.ones(len(known), 1)], dim=1)
    matrix: torch.Tensor = torch.linalg.lstsq(known, colours.flatten(2)[0].T).solution
    return matrix


@torch.no_grad()
def _project(matrix: torch.Tensor, latents: torch.Tensor) -> Image.Image:
    cells = latents[0].float().cpu().movedim(0, -1)
    return _picture((cells @ matrix[:-1] + matrix[-1]).movedim(-1, 0))


def _picture(values: torch.Tensor) -> Image.Image:
    """From `(3, h, w)` in -1…1."""
    bytes_ = ((values.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return Image.fromarray(bytes_.movedim(0, -1).cpu().numpy())
