"""Renders requests with diffusers pipelines. Used by the holder of the device only."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from imaging.engine.autoencoder_slices import slice_autoencoder
from imaging.engine.candidates import Candidates, scaled_plan
from imaging.engine.compositing import center_crop, composite, cover
from imaging.engine.denoiser import Denoiser, intercept, keeps_state
from imaging.engine.devices import open_device
from imaging.engine.model_cache import ModelCache
from imaging.engine.model_errors import run_model
from imaging.engine.model_loading import Model, load_model, silence_diffusers
from imaging.engine.picture_checks import PictureChecks
from imaging.engine.pipeline_call import PipelineCall, build_call
from imaging.engine.placement import expected_bytes, is_crowded
from imaging.engine.render_handle import RenderHandle
from imaging.engine.settings import EngineSettings
from imaging.engine.step_callback import OtherBatches, Previews, StepCallback
from imaging.engine.types import ModelsInUse, RawImage, RenderInputs
from imaging.engine.upscale import enlarge
from imaging.engine.upscaler import Upscaler, enlarge_with, load_upscaler
from imaging.errors import ImagingError, OutOfMemory
from imaging.masks import cover_mask
from imaging.memory_plan import MemoryPlan
from imaging.profiles import Profile
from imaging.request import MAX_SEED, ImageRequest, Operation, Stage
from imaging.sizes import Size

LONGEST_WARM_UP = 20.0
"""Largest expected duration, in seconds, of a second, measured warm-up picture."""


@dataclass(frozen=True, slots=True)
class _Work:
    """A request's pipeline call. `denoiser` is intercepted, None where it cannot be."""

    profile: Profile
    handle: RenderHandle
    model: Model
    call: PipelineCall
    denoiser: Denoiser | None
    pausable: bool


class DiffusersRunner:
    """Holds the loaded models. Not thread-safe: pipelines and tokenizers are not."""

    def __init__(self, settings: EngineSettings) -> None:
        silence_diffusers()
        self._settings = settings
        self._device = open_device(settings.device, settings.threads)
        self._models: ModelCache[Model] = ModelCache(
            int(self._device.memory() * settings.memory_share)
        )
        self._checks = PictureChecks(lambda: self._device)
        self._upscalers: dict[str, Upscaler] = {}  # by file; they are small
        self._max_batch_pixels: dict[str, int] = {}  # by profile, after an out of memory
        self._tiled_pixels: dict[str, int] = {}  # by profile, what did not fit undivided
        self._without_candidates: set[str] = set()  # profiles, after an out of memory

    @property
    def device(self) -> str:
        """Display text of the device."""
        return self._device.description

    @property
    def has_models_in_use(self) -> bool:
        """Whether a request in progress, paused ones included, uses a model."""
        return bool(self._models.in_use)

    def render(
        self, profile: Profile, handle: RenderHandle, inputs: RenderInputs
    ) -> list[RawImage]:
        """The request's pictures, in as few batches as memory allows.

        Raises ModelsInUse, ImagingError.
        """
        if self._settings.strict:
            profile = replace(profile, candidates=None, cpu_dtype=None, channels_last=False)
        if handle.request.operation is Operation.UPSCALE:
            return self._checked(profile, self._enlarged(profile, handle, inputs))
        source = _source(profile, handle.request.operation)
        with self._models.use(_cache_key(profile, source)):
            return self._render_with(self._model(profile, source, handle), profile, handle, inputs)

    def _render_with(
        self, model: Model, profile: Profile, handle: RenderHandle, inputs: RenderInputs
    ) -> list[RawImage]:
        call = build_call(model, profile, handle.request, inputs)
        work = self._work(profile, handle, model, call)
        if handle.is_warmup and not self._warm_up(profile, call):
            return []
        handle.check()
        raw = self._batches(work)
        if inputs.mask is not None:
            raw = [_composite_mask(picture, inputs, call.size) for picture in raw]
        size = (handle.request.width, handle.request.height)
        raw = [replace(picture, image=center_crop(picture.image, size)) for picture in raw]
        return self._checked(profile, raw)

    def _enlarged(
        self, profile: Profile, handle: RenderHandle, inputs: RenderInputs
    ) -> list[RawImage]:
        if profile.upscaler is None:
            return enlarge(handle.request, inputs)
        if profile.upscaler not in self._upscalers:
            handle.report(Stage.LOADING)
            self._upscalers[profile.upscaler] = load_upscaler(
                profile.upscaler, profile.name, self._device
            )
        handle.report(Stage.FINISHING)
        upscaler = self._upscalers[profile.upscaler]
        return enlarge_with(upscaler, handle.request, inputs, handle.check)

    def close(self) -> None:
        """Release all models."""
        self._upscalers.clear()
        self._models.evict_unused()
        self._checks.clear()
        self._device.free_cached_memory()

    # -- models ---------------------------------------------------------------------------------

    def _model(self, profile: Profile, source: str, handle: RenderHandle) -> Model:
        """The loaded model. Raises ModelsInUse where it does not fit beside those in use."""
        key = _cache_key(profile, source)
        model = self._models.get(key)
        if model is None:
            handle.report(Stage.LOADING)
            model = self._load(profile, source, others=bool(self._models.in_use - {key}))
            self._models.put(key, model, model.bytes)
        return model

    def _load(self, profile: Profile, source: str, *, others: bool) -> Model:
        """Load within the budget, in the fastest way.

        Unused models leave for that; and on out of memory, before one more try.
        """
        size = expected_bytes(profile, source, self._device)
        if self._models.evict_for(size):
            self._device.free_cached_memory()
        if is_crowded(profile, source, self._device) and self._models.evict_unused():
            self._device.free_cached_memory()
        if others and not self._models.has_room(size):
            raise ModelsInUse
        try:
            return load_model(profile, source, self._device)
        except OutOfMemory:
            dropped = self._models.evict_unused()
            if not dropped and not others:
                raise
        self._device.free_cached_memory()
        try:
            return load_model(profile, source, self._device)
        except OutOfMemory:
            if not others:
                raise
        self._device.free_cached_memory()
        raise ModelsInUse

    def _checked(self, profile: Profile, raw: list[RawImage]) -> list[RawImage]:
        """Flag pictures with the profile's safety checker, if any."""
        return self._checks.checked(profile, raw)

    def _flags(self, profile: Profile, images: Sequence[Image.Image]) -> list[bool]:
        """For each picture, whether the profile's safety checker flags it."""
        return self._checks.flags(profile, images)

    # -- pictures -------------------------------------------------------------------------------

    def _warm_up(self, profile: Profile, call: PipelineCall) -> bool:
        """Run two unmeasured steps, which load kernels; whether to measure a picture too."""
        began = time.monotonic()
        run_model(lambda: call([0], num_inference_steps=min(2, call.steps)), profile.name)
        return (time.monotonic() - began) / 2 * call.steps < LONGEST_WARM_UP

    def _work(
        self, profile: Profile, handle: RenderHandle, model: Model, call: PipelineCall
    ) -> _Work:
        """The call, with a pipeline that yields the device where the model allows it."""
        # Components that move while they are used are one request's at a time.
        pausable = profile.pausable and not keeps_state(call.pipe) and not model.fit.plan.offloads
        denoiser = None
        if pausable:
            strict = self._settings.strict
            denoiser = intercept(call.pipe, handle, profile.name, strict=strict)
            tiled = self._is_tiled(model, call)
            if tiled or not strict:
                slice_autoencoder(call.pipe, handle, tiled=tiled)
        return _Work(profile, handle, model, call, denoiser, pausable)

    def _is_tiled(self, model: Model, call: PipelineCall) -> bool:
        profile = model.profile
        if model.fit.plan is not MemoryPlan.WHOLE:
            return True
        pixels = call.size[0] * call.size[1]
        fits = self._tiled_pixels.get(profile.name, pixels + 1)
        return pixels > profile.tile_pixels or pixels >= fits

    def _batches(self, work: _Work) -> list[RawImage]:
        """The request's pictures. Memory that is short is first taken from paused requests, then
        from models that no request uses; then batches are halved; a single picture is decoded in
        tiles."""
        call, request = work.call, work.handle.request
        seeds = [(request.seed + k) % (MAX_SEED + 1) for k in range(request.count)]
        raw: list[RawImage] = []
        others_moved = False
        while len(raw) < len(seeds):
            batch = seeds[len(raw) :][: self._batch_limit(work.model, call)]
            try:
                raw += self._generate(work, batch, self._callback(work, len(raw), batch))
            except OutOfMemory:
                if not others_moved and work.handle.turn.free_memory():
                    others_moved = True
                elif self._models.evict_unused():
                    pass  # and try again
                elif len(batch) > 1:
                    self._halve(work, len(batch))
                elif not self._drop_candidates(work, batch) and not self._tile(work):
                    raise
            else:
                continue
            self._device.free_cached_memory()
        return raw

    def _drop_candidates(self, work: _Work, seeds: Sequence[int]) -> bool:
        """Make no candidates for the profile from now on; False if there are none."""
        if self._candidates(work, seeds) is None:
            return False
        self._without_candidates.add(work.profile.name)
        return True

    def _tile(self, work: _Work) -> bool:
        """Decode pictures of this size in tiles from now on; False if they are already."""
        profile, pixels = work.profile, work.call.size[0] * work.call.size[1]
        if not work.pausable or self._is_tiled(work.model, work.call):
            return False
        self._tiled_pixels[profile.name] = pixels
        return slice_autoencoder(work.call.pipe, work.handle, tiled=True)

    def _halve(self, work: _Work, batch: int) -> None:
        """Limit the profile's batches to half of this one."""
        pixels = work.call.size[0] * work.call.size[1]
        self._max_batch_pixels[work.profile.name] = pixels * (batch // 2)

    def _callback(self, work: _Work, done: int, seeds: Sequence[int]) -> StepCallback:
        """The callback of a batch with these seeds, after `done` pictures."""
        call, request = work.call, work.handle.request
        steps_done = call.steps * -(-done // len(seeds))
        steps_left = call.steps * -(-(request.count - done) // len(seeds))
        flags = None if request.show_unfit else partial(self._flags, work.profile)
        return StepCallback(
            work.handle,
            call,
            Previews(work.model.preview_decoder, flags),
            self._settings,
            others=OtherBatches(steps_done, steps_left - call.steps),
            denoiser=work.denoiser,
            pausable=work.pausable,
            candidates=self._candidates(work, seeds),
        )

    def _candidates(self, work: _Work, seeds: Sequence[int]) -> Candidates | None:
        """The candidates of the pictures with these seeds, None for a single one of each."""
        plan, selector = work.profile.candidates, work.model.selector
        if plan is None or selector is None or work.profile.name in self._without_candidates:
            return None
        if not _from_words(work.handle.request):
            return None
        square, size = work.profile.size("1:1"), work.call.size
        area = size[0] * size[1] / (square[0] * square[1])
        scaled = scaled_plan(plan, work.call.steps, work.profile.steps, area)
        return None if scaled is None else Candidates(scaled, selector, seeds)

    def _batch_limit(self, model: Model, call: PipelineCall) -> int:
        profile = model.profile
        if not call.supports_batch or model.fit.plan is not MemoryPlan.WHOLE:
            return 1
        pixels = self._settings.batch_megapixels * 1_000_000
        if not self._device.accelerated:
            pixels /= 4
        pixels = min(pixels, self._max_batch_pixels.get(profile.name, pixels))
        return max(1, int(pixels // (call.size[0] * call.size[1])))

    def _generate(
        self, work: _Work, seeds: Sequence[int], callback: StepCallback
    ) -> list[RawImage]:
        profile, call = work.profile, work.call
        callback.begin()
        more = callback.arguments if call.has_step_callback else {}

        def call_pipeline() -> Any:
            with callback.capture_latents(call.pipe):
                return call(seeds, **more)

        result = run_model(call_pipeline, profile.name)
        flags = getattr(result, "nsfw_content_detected", None) or [False] * len(seeds)
        # Kandinsky's output has them in the singular.
        images = result.images if hasattr(result, "images") else result.image
        return [
            RawImage(_of_size(_image(values, profile), call.size), seed, bool(flag))
            for values, seed, flag in zip(images, seeds, flags, strict=True)
        ]


def _source(profile: Profile, operation: Operation) -> str:
    """The folder or file of the model that the operation needs."""
    edits = operation is Operation.EDIT and profile.edit is not None
    return profile.edit if edits and profile.edit else profile.source


def _from_words(request: ImageRequest) -> bool:
    """Whether the pictures are made from a prompt alone."""
    return request.operation is Operation.IMAGINE and not request.sources


def _cache_key(profile: Profile, source: str) -> str:
    """Profiles share the models of one source, unless their own additions change it."""
    if source != profile.source:
        return source
    return f"{source} {profile.files} {profile.dtype}"


def _image(values: npt.NDArray[np.float32], profile: Profile) -> Image.Image:
    """Convert `(h, w, 3)` in 0…1. Raises ImagingError for non-finite values."""
    if not np.isfinite(values).all():
        raise ImagingError(
            f"The model {profile.name} produced non-finite values (overflowed).", model=profile.name
        )
    return Image.fromarray((values * 255).round().clip(0, 255).astype(np.uint8)).convert("RGB")


def _of_size(image: Image.Image, size: Size) -> Image.Image:
    """The picture at `size`: some classes draw only their own sizes."""
    return image if image.size == size else cover(image, size)


def _composite_mask(picture: RawImage, inputs: RenderInputs, size: Size) -> RawImage:
    """The generated picture inside the mask, the source outside."""
    source = cover(inputs.sources[0], size)
    mask = cover_mask(inputs.mask or Image.new("L", size, 255), size, inputs.sources[0].size)
    return replace(picture, image=composite(source, picture.image, mask))
