"""Previews of a picture during denoising.

`LatentCapture` obtains the current estimate of the clean latents from the noise schedule. A
`PreviewDecoder` turns latents into a small picture: a tiny autoencoder decodes directly; otherwise
a linear projection from latent channels to RGB, fitted by least squares at load time, is used.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
import torch
from PIL import Image

from imaging.engine.error_summary import error_fields
from imaging.sizes import Size

log = structlog.get_logger(__name__)

PreviewDecoder = Callable[[torch.Tensor, Size], Image.Image]
"""Converts one sample's latents, `(1, c, h, w)` or packed `(1, cells, c)`, and the picture's size
in pixels to a small picture.
"""

TINY_VAE_PARAMETERS = 5_000_000
"""Below this size an autoencoder decodes a preview within milliseconds on a CPU."""


AUTOENCODERS = frozenset(
    {
        "AutoencoderKL",
        "AutoencoderKLFlux2",
        "AutoencoderDC",
        "AutoencoderKLHunyuanImage",
        "AutoencoderKLQwenImage",
    }
)
"""Autoencoders whose latents are projected to colours."""
PROBE_SIDE = 256
"""Pixels of a picture that is encoded to learn the size of a cell."""


class LatentCapture:
    """The latest estimate of the clean latents, `(n, c, h, w)`; None before the first step.

    `sample` are the noisy latents of the next step.
    """

    def __init__(self) -> None:
        self.latents: torch.Tensor | None = None
        self.sample: torch.Tensor | None = None

    @contextmanager
    def attached_to(
        self, schedule: Any, on_step: Callable[[], None] = lambda: None
    ) -> Iterator[None]:
        """Wrap `schedule.step` inside the context and call `on_step` after it; restored on exit."""
        step = schedule.step

        @functools.wraps(step)
        def captured_step(
            model_output: Any, timestep: Any, sample: Any, *args: Any, **more: Any
        ) -> Any:
            index = getattr(schedule, "step_index", None)
            result = step(model_output, timestep, sample, *args, **more)
            self.latents = _estimate_clean_latents(schedule, index, model_output, sample, result)
            self.sample = result[0] if isinstance(result, tuple) else result.prev_sample
            on_step()
            return result

        schedule.step = captured_step
        try:
            yield
        finally:
            del schedule.step  # the class's method becomes visible again


def _estimate_clean_latents(
    schedule: Any, index: int | None, output: Any, sample: Any, result: Any
) -> Any:
    """The current estimate of the clean latents.

    Most schedules return the estimate beside the next sample. Flow matching does not: there a
    sample is `(1 - s) x + s noise` and the output `noise - x` (Lipman et al. 2023), so `x = sample
    - s output`. For other schedules, the noisy sample.
    """
    if isinstance(result, tuple) and len(result) > 1 and torch.is_tensor(result[1]):
        return result[1]
    if type(schedule).__name__.startswith("FlowMatchEuler"):
        position = index if index is not None else getattr(schedule, "begin_index", None) or 0
        return sample - schedule.sigmas[position].to(sample) * output
    return sample


def make_preview_decoder(pipe: Any, *, direct: bool = True) -> PreviewDecoder | None:
    """A decoder for this pipeline's latents; None for an unknown layout.

    Without `direct`, even a tiny autoencoder is projected: using it would move other components.
    Failures are logged, not raised: a model without previews is still usable.
    """
    try:
        return _make(pipe, direct=direct)
    except Exception as error:  # noqa: BLE001 - the libraries raise anything
        log.warning("preview-decoder-unavailable", reason=str(error), **error_fields(error))
        return None


def _make(pipe: Any, *, direct: bool) -> PreviewDecoder | None:
    vae: Any = getattr(pipe, "vae", None)
    if type(vae).__name__ not in AUTOENCODERS:
        return None
    unpacked = not hasattr(pipe, "_pack_latents")
    if type(vae).__name__ == "AutoencoderKL" and unpacked and direct and _is_tiny(vae):
        return functools.partial(_decode, vae)
    cells_of = functools.partial(_cells, pipe)
    matrix = fit_colour_projection(vae, _scale(pipe, cells_of), cells_of)
    # SANA-Sprint's schedule keeps latents at another scale.
    schedule = getattr(getattr(pipe, "scheduler", None), "config", None)
    matrix[:-1] /= float(getattr(schedule, "sigma_data", None) or 1.0)
    return functools.partial(_project, matrix)


def _is_tiny(vae: Any) -> bool:
    """Whether it decodes a preview at once, from latents of the usual kind."""
    few = sum(part.numel() for part in vae.parameters()) < TINY_VAE_PARAMETERS
    return few and getattr(vae.config, "latents_mean", None) is None


# -- decoding -------------------------------------------------------------------------------


@torch.no_grad()
def _decode(vae: Any, latents: torch.Tensor, _size: Size) -> Image.Image:
    if latents.ndim == 5:  # frames with the channels last, as Kandinsky has them
        latents = latents[:, 0].movedim(-1, 1)
    latents = latents.to(vae.dtype) / vae.config.scaling_factor + (vae.config.shift_factor or 0.0)
    return _picture(vae.decode(latents, return_dict=False)[0][0])


# -- projecting -----------------------------------------------------------------------------

Cells = Callable[[Any, torch.Tensor], torch.Tensor]
"""Encodes pictures `(1, 3, h, w)` with an autoencoder to latent cells `(n, c)`."""


def _scale(pipe: Any, cells_of: Cells) -> int:
    """Pixels of a cell's side, as the pipeline packs them."""
    probe = torch.zeros((1, 3, PROBE_SIDE, PROBE_SIDE), device=pipe.vae.device)
    with torch.no_grad(), _full_precision(pipe.vae):
        cells = len(cells_of(pipe.vae, probe.to(pipe.vae.dtype)))
    return PROBE_SIDE // round(math.sqrt(cells))


@torch.no_grad()
def fit_colour_projection(vae: Any, scale: int, cells_of: Cells, side: int = 32) -> torch.Tensor:
    """The `(channels + 1, 3)` matrix from a latent cell to its mean colour.

    Fitted by least squares on one image of smooth random colours, `side` cells of `scale` pixels
    wide.
    """
    chance = torch.Generator().manual_seed(0)
    patches = torch.rand((1, 3, side // 4, side // 4), generator=chance) * 2 - 1
    colours = torch.nn.functional.interpolate(patches, size=(side, side), mode="bilinear")
    sheet = torch.nn.functional.interpolate(colours, scale_factor=scale, mode="bilinear")
    with _full_precision(vae):
        cells = cells_of(vae, sheet.to(vae.device, vae.dtype)).float().cpu()
    known = torch.cat([cells, torch.ones(len(cells), 1)], dim=1)
    wanted = torch.nn.functional.avg_pool2d(sheet, scale).flatten(2)[0].T
    # Ridge regularisation, because packed cells have redundant channels.
    ridge = 1e-4 * len(cells) * torch.eye(known.shape[1])
    matrix: torch.Tensor = torch.linalg.solve(known.T @ known + ridge, known.T @ wanted)
    return matrix


@contextmanager
def _full_precision(vae: Any) -> Iterator[None]:
    """Upcast an autoencoder that overflows in float16 (`force_upcast`, as in SDXL)."""
    if vae.dtype is not torch.float16 or not getattr(vae.config, "force_upcast", False):
        yield
        return
    vae.to(torch.float32)
    try:
        yield
    finally:
        vae.to(torch.float16)


def _cells(pipe: Any, vae: Any, pictures: torch.Tensor) -> torch.Tensor:
    """Encoded pictures as the pipeline's denoiser sees them, packed where it packs them."""
    latents = _encoded(vae, pictures)
    if type(vae).__name__ == "AutoencoderKLFlux2":
        # FLUX.2 makes one cell of four and normalises them by batch-norm statistics.
        patches = pipe._patchify_latents(latents)
        mean = vae.bn.running_mean.view(1, -1, 1, 1)
        spread = torch.sqrt(vae.bn.running_var.view(1, -1, 1, 1) + vae.config.batch_norm_eps)
        latents = (patches - mean) / spread
    elif hasattr(pipe, "_pack_latents"):
        packed: torch.Tensor = pipe._pack_latents(latents, *latents.shape)[0]
        return packed
    return latents.flatten(2)[0].T


def _encoded(vae: Any, pictures: torch.Tensor) -> torch.Tensor:
    """Normalised latents `(1, c, h, w)`."""
    config = vae.config
    if type(vae).__name__ == "AutoencoderKLQwenImage":  # of videos, here of one frame
        encoded = vae.encode(pictures.unsqueeze(2)).latent_dist.mode().squeeze(2)
    else:
        found = vae.encode(pictures)
        encoded = found.latent if hasattr(found, "latent") else found.latent_dist.mode()
    latents: torch.Tensor = encoded
    if getattr(config, "latents_mean", None) is not None:
        mean, spread = (
            torch.tensor(values, device=latents.device, dtype=latents.dtype).view(1, -1, 1, 1)
            for values in (config.latents_mean, config.latents_std)
        )
        return (latents - mean) / spread
    shift = float(getattr(config, "shift_factor", None) or 0.0)
    return (latents - shift) * float(getattr(config, "scaling_factor", None) or 1.0)


@torch.no_grad()
def _project(matrix: torch.Tensor, latents: torch.Tensor, size: Size) -> Image.Image:
    cells, width = _laid_out(latents[0].float().cpu(), len(matrix) - 1, size)
    colours = cells @ matrix[:-1] + matrix[-1]
    return _picture(colours.T.reshape(3, -1, width))


def _laid_out(latents: torch.Tensor, channels: int, size: Size) -> tuple[torch.Tensor, int]:
    """One sample's cells `(n, c)`, row by row, and how many are in a row.

    Latents are `(c, h, w)`, `(frames, h, w, c)` as Kandinsky has them, or packed `(n, c)`: then
    the rows are those of the picture's aspect.
    """
    if latents.ndim == 4:
        return latents[0].flatten(0, 1), latents.shape[2]
    if latents.ndim == 3 and latents.shape[0] == channels:
        return latents.flatten(1).T, latents.shape[2]
    count, ratio = len(latents), size[0] / size[1]
    widths = (width for width in range(1, count + 1) if count % width == 0)
    return latents, min(widths, key=lambda width: abs(math.log(width * width / count / ratio)))


def _picture(values: torch.Tensor) -> Image.Image:
    """From `(3, h, w)` in -1…1."""
    bytes_ = ((values.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return Image.fromarray(bytes_.movedim(0, -1).cpu().numpy())
