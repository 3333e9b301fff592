"""Carries requests out with diffusers pipelines, on the engine's thread."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from imaging.engine.calls import Call, make_call
from imaging.engine.composition import cut_to, fitted, fitted_mask, repainted
from imaging.engine.devices import open_device
from imaging.engine.faults import guarded
from imaging.engine.loading import Model, load_model, quiet_diffusers, weight_of
from imaging.engine.rendering import Rendering
from imaging.engine.settings import EngineSettings
from imaging.engine.shelf import Shelf
from imaging.engine.watch import StepWatch
from imaging.engine.work import Materials, Painted
from imaging.errors import ImagingError, OutOfMemory
from imaging.profiles import Profile
from imaging.request import MAX_SEED, Operation, Stage
from imaging.safety import PictureChecker
from imaging.sizes import Size

LONGEST_REHEARSAL = 20.0
"""Seconds that a second, measured warm-up picture may take."""


class DiffusersRunner:
    """Holds the loaded models. For one thread: pipelines and tokenizers are not thread-safe."""

    def __init__(self, settings: EngineSettings) -> None:
        quiet_diffusers()
        self._settings = settings
        self._place = open_device(settings.device, settings.threads)
        self._models: Shelf[Model] = Shelf(int(self._place.memory() * settings.memory_share))
        self._checkers: dict[str, PictureChecker] = {}
        self._fits: dict[str, int] = {}  # profile → most pixels of a batch, once one did not fit

    @property
    def device(self) -> str:
        """What it runs on, for people."""
        return self._place.words

    def render(self, profile: Profile, rendering: Rendering, materials: Materials) -> list[Painted]:
        """The request's pictures, in as few batches as memory allows. Raises ImagingError."""
        model = self._model(profile, rendering)
        call = make_call(model, profile, rendering.request, materials)
        if rendering.rehearsal and not self._rehearse(profile, call):
            return []
        rendering.check()
        painted = self._batches(profile, rendering, model, call)
        if materials.mask is not None:
            painted = [_only_inside(picture, materials, call.size) for picture in painted]
        size = (rendering.request.width, rendering.request.height)
        painted = [replace(picture, image=cut_to(picture.image, size)) for picture in painted]
        return self._checked(profile, painted)

    def close(self) -> None:
        """Let all models go."""
        self._models.keep_only(frozenset())
        self._checkers.clear()
        self._place.release()

    # -- models ---------------------------------------------------------------------------------

    def _model(self, profile: Profile, rendering: Rendering) -> Model:
        edits = rendering.request.operation is Operation.EDIT and profile.edit is not None
        source = profile.edit if edits and profile.edit else profile.source
        model = self._models.get(source)
        if model is None:
            rendering.report(Stage.LOADING)
            if self._models.make_room(weight_of(source)):
                self._place.release()
            model = self._load(profile, source)
            self._models.put(source, model, model.bytes)
        return model

    def _load(self, profile: Profile, source: str) -> Model:
        """Load; where memory is short, once more with no other model in it."""
        try:
            return load_model(profile, source, self._place)
        except OutOfMemory:
            if not self._models.keep_only(frozenset()):
                raise
        self._place.release()
        return load_model(profile, source, self._place)

    def _checked(self, profile: Profile, painted: list[Painted]) -> list[Painted]:
        """With the profile's picture checker's word, where it has one."""
        if profile.checker is None or not painted:
            return painted
        if profile.checker not in self._checkers:
            from imaging.engine.checker import load_checker

            self._checkers[profile.checker] = load_checker(
                profile.checker, profile.name, self._place
            )
        checker = self._checkers[profile.checker]
        flags = guarded(lambda: checker.unfit([picture.image for picture in painted]), profile.name)
        return [
            replace(picture, flagged=picture.flagged or flag)
            for picture, flag in zip(painted, flags, strict=True)
        ]

    # -- pictures -------------------------------------------------------------------------------

    def _rehearse(self, profile: Profile, call: Call) -> bool:
        """Two unmeasured steps, which load kernels; whether to measure a whole picture too."""
        began = time.monotonic()
        guarded(lambda: call([0], num_inference_steps=min(2, call.steps)), profile.name)
        return (time.monotonic() - began) / 2 * call.steps < LONGEST_REHEARSAL

    def _batches(
        self, profile: Profile, rendering: Rendering, model: Model, call: Call
    ) -> list[Painted]:
        """The request's pictures; a batch that finds no memory is halved, down to one picture."""
        request = rendering.request
        seeds = [(request.seed + k) % (MAX_SEED + 1) for k in range(request.count)]
        painted: list[Painted] = []
        while len(painted) < len(seeds):
            rest = seeds[len(painted) :]
            batch = rest[: self._most_at_once(profile, call)]
            done, left = (call.steps * -(-n // len(batch)) for n in (len(painted), len(rest)))
            watch = StepWatch(
                rendering,
                call,
                model.developer,
                self._settings,
                done=done,
                left=left - call.steps,
            )
            try:
                painted += self._paint(profile, call, batch, watch)
            except OutOfMemory:
                if len(batch) == 1 and len(self._models) == 1:
                    raise
                self._fits[profile.name] = call.size[0] * call.size[1] * max(1, len(batch) // 2)
                self._models.keep_only(frozenset({model.source}))
            else:
                continue
            self._place.release()
        return painted

    def _most_at_once(self, profile: Profile, call: Call) -> int:
        if not call.batches:
            return 1
        pixels = self._settings.batch_megapixels * 1_000_000
        if not self._place.accelerated:
            pixels /= 4
        pixels = min(pixels, self._fits.get(profile.name, pixels))
        return max(1, int(pixels // (call.size[0] * call.size[1])))

    def _paint(
        self, profile: Profile, call: Call, seeds: Sequence[int], watch: StepWatch
    ) -> list[Painted]:
        watch.begin()
        more = {"callback_on_step_end": watch} if call.watched else {}

        def paint() -> Any:
            with watch.watching(call.pipe):
                return call(seeds, **more)

        result = guarded(paint, profile.name)
        flags = getattr(result, "nsfw_content_detected", None) or [False] * len(seeds)
        return [
            Painted(_image(values, profile), seed, bool(flag))
            for values, seed, flag in zip(result.images, seeds, flags, strict=True)
        ]


def _image(values: npt.NDArray[np.float32], profile: Profile) -> Image.Image:
    """From `(h, w, 3)` in 0…1. Raises ImagingError where the model's numbers overflowed."""
    if not np.isfinite(values).all():
        raise ImagingError(
            f"The model {profile.name} gave no picture: its numbers overflowed.", model=profile.name
        )
    return Image.fromarray((values * 255).round().clip(0, 255).astype(np.uint8)).convert("RGB")


def _only_inside(picture: Painted, materials: Materials, size: Size) -> Painted:
    """The picture inside the mask, the source outside."""
    source = fitted(materials.sources[0], size)
    mask = fitted_mask(materials.mask or Image.new("L", size, 255), size)
    return replace(picture, image=repainted(source, picture.image, mask))
