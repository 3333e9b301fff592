"""What happens at the end of a step: cancellation, progress, previews, yielding the device."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
import torch
from PIL import Image

from imaging.engine.candidates import INPUTS, Candidates
from imaging.engine.denoiser import Denoiser
from imaging.engine.error_summary import error_fields
from imaging.engine.latent_preview import LatentCapture, PreviewDecoder
from imaging.engine.pipeline_call import PipelineCall
from imaging.engine.render_handle import RenderHandle
from imaging.engine.settings import EngineSettings
from imaging.formats import contact_sheet, preview_jpeg
from imaging.request import Stage

Flags = Callable[[Sequence[Image.Image]], list[bool]]
"""For each picture, whether it must not be shown."""

log = structlog.get_logger(__name__)

PREVIEW_SHARE = 0.1
"""Largest share of render time spent on previews; the first preview is always made."""


@dataclass(frozen=True, slots=True)
class OtherBatches:
    """Steps of the request's batches before and after one."""

    done: int = 0
    left: int = 0


@dataclass(frozen=True, slots=True)
class Previews:
    """How previews are made: decoded by `decode` and checked for safety by `flags`, where there are
    any. A preview with a flagged picture is not published.
    """

    decode: PreviewDecoder | None
    flags: Flags | None = None


class StepCallback:
    """A pipeline's `callback_on_step_end` for one batch.

    A pipeline with a `denoiser` that is intercepted yields the device at its denoiser calls, and
    here only before the decode. One that is not `pausable` never yields. `candidates` are those of
    the batch's pictures, None where there is only one of each.
    """

    def __init__(
        self,
        handle: RenderHandle,
        call: PipelineCall,
        previews: Previews,
        settings: EngineSettings,
        *,
        others: OtherBatches,
        denoiser: Denoiser | None,
        pausable: bool = True,
        candidates: Candidates | None = None,
    ) -> None:
        self.steps = call.steps
        self._size = call.size
        self._has_callback = call.has_step_callback
        self._handle = handle
        self._decoder, self._flags = previews.decode, previews.flags
        self._settings = settings
        self._others = others
        self._denoiser = denoiser
        self._pausable = pausable
        self._step = 0
        self._candidates = candidates
        self._capture = LatentCapture()
        self._started_at = time.monotonic()
        self._preview_seconds = 0.0

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments with which a pipeline calls this."""
        more = {} if self._candidates is None else {"callback_on_step_end_tensor_inputs": [*INPUTS]}
        return {"callback_on_step_end": self, **more}

    def begin(self) -> None:
        """Report the start of the first step."""
        self._handle.report(Stage.STEPS, self._others.done, self._total)

    def capture_latents(self, pipe: Any) -> Any:
        """A context in which the pipeline's latents are captured for previews.

        Without a callback in the pipeline, the noise schedule's steps are counted instead.
        """
        if self._has_callback:
            return self._capture.attached_to(pipe.scheduler)
        return self._capture.attached_to(
            pipe.scheduler, lambda: self._end_step(pipe, self._step + 1)
        )

    def __call__(
        self, pipe: Any, index: int, _timestep: Any, tensors: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Called after step `index`; returns the tensors to continue with, where they change.

        Raises the error that settled the request.
        """
        self._end_step(pipe, index + 1)
        estimate = self._capture.latents
        if self._candidates is None or estimate is None:
            return {}
        return self._candidates.after_step(pipe, index + 1, estimate, tensors)

    @property
    def _total(self) -> int:
        return self._others.done + self.steps + self._others.left

    def _end_step(self, pipe: Any, step: int) -> None:
        self._handle.check()
        self._step = step
        self.steps = int(getattr(pipe, "num_timesteps", None) or self.steps)
        done = min(self._others.done + step, self._total)
        self._handle.report(Stage.STEPS, done, self._total, self._preview(step))
        if self._denoiser is not None:
            held = (self._capture.sample, self._capture.latents)
            self._denoiser.held = tuple(tensor for tensor in held if tensor is not None)
        if self._pausable and (step >= self.steps or self._denoiser is None):
            self._handle.turn.yield_device()

    def _preview(self, step: int) -> bytes | None:
        latents = self._capture.latents
        if self._decoder is None or latents is None or not self._due(step):
            return None
        began = time.monotonic()
        try:
            return self._render_preview(self._decoder, latents)
        except Exception as error:  # noqa: BLE001 - a failed preview must not fail the picture
            log.warning("preview-failed", reason=str(error), **error_fields(error))
            self._decoder = None
            return None
        finally:
            self._preview_seconds += time.monotonic() - began

    def _render_preview(self, decode: PreviewDecoder, latents: torch.Tensor) -> bytes | None:
        side = self._settings.preview_side
        # The first candidate of each picture stands for all.
        shown = latents if self._candidates is None else latents[:: self._candidates.group]
        images = [decode(latent[None], self._size) for latent in shown]
        if self._flags is not None and any(self._flags(images)):
            return None
        return preview_jpeg(_upscaled(contact_sheet(images), side), side)

    def _due(self, step: int) -> bool:
        """Whether to make a preview: at even intervals, within PREVIEW_SHARE."""
        every = -(-self.steps // (self._settings.previews + 1))
        if not self._handle.previews or step == self.steps or step % every:
            return False
        return self._preview_seconds <= PREVIEW_SHARE * (time.monotonic() - self._started_at)


def _upscaled(image: Image.Image, side: int) -> Image.Image:
    """Upscaled so that the longer side is at least `side` pixels."""
    share = side / max(image.size)
    if share <= 1:
        return image
    return image.resize(
        (round(image.width * share), round(image.height * share)), Image.Resampling.BICUBIC
    )
