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

import structlog
import torch
from PIL import Image

from imaging.engine.traces import trace_of
from imaging.sizes import Size

log = structlog.get_logger(__name__)

Developer = Callable[[torch.Tensor, Size], Image.Image]
"""From one sample's latents as the pipeline holds them, `(1, c, h, w)` or packed `(1, cells, c)`,
and the picture's size in pixels, to a small picture.
"""

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
    """How to show this pipeline's latents; None where their layout is not known or does not fit.

    A model without previews is worth more than none: what goes wrong here is logged.
    """
    try:
        return _make(pipe)
    except Exception as error:  # noqa: BLE001 - the libraries raise anything
        log.warning("engine.no_previews", reason=str(error), **trace_of(error))
        return None


def _make(pipe: Any) -> Developer | None:
    vae: Any = getattr(pipe, "vae", None)
    kind = type(vae).__name__
    packed = hasattr(pipe, "_pack_latents")
    if kind == "AutoencoderKL" and not packed:
        if sum(part.numel() for part in vae.parameters()) < TINY:
            return functools.partial(_decode, vae)
        return _projection(vae, _scale(vae), _plain_cells)
    if kind == "AutoencoderKL" and packed:
        return _projection(vae, _scale(vae) * 2, functools.partial(_flux_cells, pipe))
    if kind == "AutoencoderKLFlux2":
        return _projection(vae, _scale(vae) * 2, functools.partial(_flux2_cells, pipe))
    return None


def _scale(vae: Any) -> int:
    return int(2 ** (len(vae.config.block_out_channels) - 1))


# -- decoding -------------------------------------------------------------------------------


@torch.no_grad()
def _decode(vae: Any, latents: torch.Tensor, _size: Size) -> Image.Image:
    latents = latents.to(vae.dtype) / vae.config.scaling_factor + (vae.config.shift_factor or 0.0)
    return _picture(vae.decode(latents, return_dict=False)[0][0])


# -- projecting -----------------------------------------------------------------------------

Cells = Callable[[Any, torch.Tensor], torch.Tensor]
"""From an autoencoder and pictures `(1, 3, h, w)` to a pipeline's latent cells `(n, c)`."""


def _projection(vae: Any, scale: int, cells_of: Cells) -> Developer:
    return functools.partial(_project, fit_colours(vae, scale, cells_of), scale)


@torch.no_grad()
def fit_colours(vae: Any, scale: int, cells_of: Cells, side: int = 32) -> torch.Tensor:
    """The `(channels + 1, 3)` matrix that best gives each cell's mean colour.

    Fitted by least squares on one drawn sheet of smooth random colours, `side` cells of `scale`
    pixels wide.
    """
    chance = torch.Generator().manual_seed(0)
    patches = torch.rand((1, 3, side // 4, side // 4), generator=chance) * 2 - 1
    colours = torch.nn.functional.interpolate(patches, size=(side, side), mode="bilinear")
    sheet = torch.nn.functional.interpolate(colours, scale_factor=scale, mode="bilinear")
    with _exact(vae):
        cells = cells_of(vae, sheet.to(vae.device, vae.dtype)).float().cpu()
    known = torch.cat([cells, torch.ones(len(cells), 1)], dim=1)
    wanted = torch.nn.functional.avg_pool2d(sheet, scale).flatten(2)[0].T
    # Packed cells have more channels than colours need: a ridge keeps the rest of them quiet.
    ridge = 1e-4 * len(cells) * torch.eye(known.shape[1])
    matrix: torch.Tensor = torch.linalg.solve(known.T @ known + ridge, known.T @ wanted)
    return matrix


@contextmanager
def _exact(vae: Any) -> Iterator[None]:
    """In single precision, where the autoencoder overflows in half (SDXL's says so of itself)."""
    if vae.dtype is not torch.float16 or not getattr(vae.config, "force_upcast", False):
        yield
        return
    vae.to(torch.float32)
    try:
        yield
    finally:
        vae.to(torch.float16)


def _plain_cells(vae: Any, pictures: torch.Tensor) -> torch.Tensor:
    return _scaled(vae, pictures).flatten(2)[0].T


def _flux_cells(pipe: Any, vae: Any, pictures: torch.Tensor) -> torch.Tensor:
    latents = _scaled(vae, pictures)
    packed: torch.Tensor = pipe._pack_latents(latents, *latents.shape)[0]
    return packed


def _flux2_cells(pipe: Any, vae: Any, pictures: torch.Tensor) -> torch.Tensor:
    """Flux 2 packs four cells into one and normalises them by the autoencoder's statistics."""
    patches = pipe._patchify_latents(vae.encode(pictures).latent_dist.mode())
    mean = vae.bn.running_mean.view(1, -1, 1, 1)
    spread = torch.sqrt(vae.bn.running_var.view(1, -1, 1, 1) + vae.config.batch_norm_eps)
    packed: torch.Tensor = pipe._pack_latents((patches - mean) / spread)[0]
    return packed


def _scaled(vae: Any, pictures: torch.Tensor) -> torch.Tensor:
    latents: torch.Tensor = vae.encode(pictures).latent_dist.mode()
    shift, scale = float(vae.config.shift_factor or 0.0), float(vae.config.scaling_factor)
    return (latents - shift) * scale


@torch.no_grad()
def _project(matrix: torch.Tensor, scale: int, latents: torch.Tensor, size: Size) -> Image.Image:
    width, height = size[0] // scale, size[1] // scale
    cells = latents[0].float().cpu()
    if cells.ndim == 3:
        cells = cells.flatten(1).T
    colours = cells @ matrix[:-1] + matrix[-1]
    return _picture(colours.T.reshape(3, height, width))


def _picture(values: torch.Tensor) -> Image.Image:
    """From `(3, h, w)` in -1…1."""
    bytes_ = ((values.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return Image.fromarray(bytes_.movedim(0, -1).cpu().numpy())
