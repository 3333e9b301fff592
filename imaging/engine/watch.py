"""What happens at every step: the request may end, and its progress and previews go out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import structlog
import torch
from PIL import Image

from imaging.engine.calls import Call
from imaging.engine.previews import Developer, Glimpse
from imaging.engine.rendering import Rendering
from imaging.engine.settings import EngineSettings
from imaging.engine.traces import trace_of
from imaging.formats import preview_jpeg, side_by_side
from imaging.request import Stage

log = structlog.get_logger(__name__)

PREVIEW_SHARE = 0.1
"""Previews may take this share of a picture's time; the first one is always made."""


class StepWatch:
    """A pipeline's `callback_on_step_end` for one batch.

    `done` and `left` are the steps of the request's batches before and after this one.
    """

    def __init__(
        self,
        rendering: Rendering,
        call: Call,
        developer: Developer | None,
        settings: EngineSettings,
        *,
        done: int,
        left: int,
    ) -> None:
        self.steps = call.steps
        self._size = call.size
        self._rendering = rendering
        self._developer = developer
        self._settings = settings
        self._done = done
        self._left = left
        self._glimpse = Glimpse()
        self._began = time.monotonic()
        self._spent = 0.0  # seconds on previews

    def begin(self) -> None:
        """Say that the first step begins."""
        self._report(0)

    def watching(self, pipe: Any) -> Any:
        """While this is entered, previews can be made of what the pipeline does."""
        return self._glimpse.watching(pipe.scheduler)

    def __call__(
        self, pipe: Any, index: int, _timestep: Any, _tensors: Mapping[str, Any]
    ) -> dict[str, Any]:
        """After step `index`. What has ended the request is raised right through the pipeline."""
        self._rendering.check()
        self.steps = int(getattr(pipe, "num_timesteps", None) or self.steps)
        self._report(index + 1, self._preview(index + 1))
        return {}

    def _report(self, step: int, preview: bytes | None = None) -> None:
        total = self._done + self.steps + self._left
        self._rendering.report(Stage.STEPS, min(self._done + step, total), total, preview)

    def _preview(self, step: int) -> bytes | None:
        latents = self._glimpse.latents
        if self._developer is None or latents is None or not self._due(step):
            return None
        began = time.monotonic()
        try:
            return self._develop(self._developer, latents)
        except Exception as error:  # noqa: BLE001 - a picture must not fail for its preview
            log.warning("engine.no_preview", reason=str(error), **trace_of(error))
            self._developer = None
            return None
        finally:
            self._spent += time.monotonic() - began

    def _develop(self, develop: Developer, latents: torch.Tensor) -> bytes:
        side = self._settings.preview_side
        images = [develop(latents[k : k + 1], self._size) for k in range(len(latents))]
        return preview_jpeg(_enlarged(side_by_side(images), side), side)

    def _due(self, step: int) -> bool:
        """At even distances, for those who look, and while previews cost little of the whole."""
        every = -(-self.steps // (self._settings.previews + 1))
        if not self._rendering.previews or step == self.steps or step % every:
            return False
        return self._spent <= PREVIEW_SHARE * (time.monotonic() - self._began)


def _enlarged(image: Image.Image, side: int) -> Image.Image:
    """With its longer side `side` pixels: a preview of few cells is shown smooth, not tiny."""
    share = side / max(image.size)
    if share <= 1:
        return image
    return image.resize(
        (round(image.width * share), round(image.height * share)), Image.Resampling.BICUBIC
    )
