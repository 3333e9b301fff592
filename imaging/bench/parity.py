"""Compares interrupted and batched pipeline calls with uninterrupted ones, on the real classes."""

from __future__ import annotations

import inspect
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from imaging.engine.autoencoder_slices import slice_autoencoder
from imaging.engine.batch_limits import BatchLimits
from imaging.engine.denoiser import intercept, isolate
from imaging.engine.device_arbiter import DeviceArbiter, Turn
from imaging.engine.io_threads import run_guarded
from imaging.engine.render_handle import RenderHandle
from imaging.request import ImageRequest, Operation, Priority

Pixels = npt.NDArray[np.float32]
PROMPTS = ("a red house", "a blue boat", "a green tree", "a yellow star")  # of equal length
SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One call of a pipeline: everything but its generator and callback."""

    pipe: Any
    seed: int
    steps: int
    side: int = 64
    more: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, pipe: Any, **callback: Any) -> Pixels:
        """The picture `(1, h, w, 3)` in 0…1 that `pipe` makes."""
        accepted = inspect.signature(self.pipe.__call__).parameters
        arguments = {
            "prompt": PROMPTS[self.seed % len(PROMPTS)],
            "num_inference_steps": self.steps,
            "generator": [torch.Generator("cpu").manual_seed(self.seed)],
            "output_type": "np",
            "width": self.side,
            "height": self.side,
            "use_resolution_binning": False,
            "complex_human_instruction": None,
            "image": Image.new("RGB", (self.side, self.side), (30, 60, self.seed % 256)),
            **self.more,
            **callback,
        }
        if "image_guidance_scale" not in accepted:  # other pipelines have other uses for it
            del arguments["image"]
        known = {name: value for name, value in arguments.items() if name in accepted}
        pixels: Pixels = pipe(**known).images
        return pixels


@dataclass(slots=True)
class Run:
    """One sample as a request of an arbiter; `pixels` is set when it has finished."""

    sample: Sample
    strict: bool
    pixels: Pixels | None = None

    def submit(
        self, arbiter: DeviceArbiter, priority: Priority, on_step: Any = lambda _step: None
    ) -> RenderHandle:
        """Render it on a thread of the arbiter. `on_step` is called after each denoiser call."""
        request = ImageRequest(Operation.IMAGINE, "", "parity", 8, 8, 0, priority=priority)
        turns: list[Turn] = []
        handle = RenderHandle(request, on_settled=lambda _: _withdraw(arbiter, turns))

        def render() -> None:
            pipe = isolate(self.sample.pipe)
            intercept(pipe, handle, "parity", strict=self.strict)
            if not self.strict:
                slice_autoencoder(pipe, handle, tiled=False)
            with _counted(pipe, on_step):
                self.pixels = self.sample(pipe)
            handle.finish(())

        turns.append(
            arbiter.submit(
                handle,
                arbiter.next_arrival(),
                lambda: run_guarded(handle, render),
                group=None if self.strict else "parity",
            )
        )
        return handle


class _counted:  # noqa: N801 - a context manager used like a function
    """Calls `on_step` after each step of a pipeline's noise schedule."""

    def __init__(self, pipe: Any, on_step: Any) -> None:
        self._schedule, self._on_step = pipe.scheduler, on_step

    def __enter__(self) -> None:
        step, count = self._schedule.step, iter(range(1, 10_000))

        def counted(*args: Any, **kwargs: Any) -> Any:
            result = step(*args, **kwargs)
            self._on_step(next(count))
            return result

        self._schedule.step = counted

    def __exit__(self, *_: object) -> None:
        del self._schedule.step


def _withdraw(arbiter: DeviceArbiter, turns: Sequence[Turn]) -> None:
    for turn in turns:
        arbiter.withdraw(turn)


def interrupted_difference(
    pipe: Any, *, steps: int = 6, seed: int = 0, side: int = 64, offload: bool = False
) -> float:
    """Interrupt a call at random steps with urgent calls of the same pipeline.

    With `offload`, its tensors are moved to the host during each pause.
    Returns the largest relative difference of any of these pictures from the uninterrupted one.
    """
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    samples = [Sample(pipe, seed + k, steps if k == 0 else 3, side) for k in range(3)]
    expected = [sample(isolate(pipe)) for sample in samples]
    pauses = sorted(chance.sample(range(1, steps), 2))
    arbiter = DeviceArbiter()
    runs = [Run(sample, strict=True) for sample in samples]
    urgent: list[RenderHandle] = []
    moved: list[int] = []

    def on_urgent_step(_: int) -> None:
        holder = arbiter.holder
        if offload and holder is not None:
            moved.append(holder.turn.free_memory())

    def on_step(step: int) -> None:
        if step in pauses:
            run = runs[1 + pauses.index(step)]
            urgent.append(run.submit(arbiter, Priority.EXPRESS, on_urgent_step))

    slow = runs[0].submit(arbiter, Priority.NORMAL, on_step)
    slow.result(SECONDS)
    for handle in urgent:
        handle.result(SECONDS)
    if not arbiter.statistics().pauses:
        raise RuntimeError("the call was not interrupted")
    if offload and not any(moved):
        raise RuntimeError("nothing was moved to the host")
    return max(
        relative_difference(run.pixels, pixels) for run, pixels in zip(runs, expected, strict=True)
    )


def batched_difference(
    pipe: Any,
    *,
    steps: Sequence[int] = (3, 5, 4),
    seed: int = 0,
    side: int = 64,
    prompts: Sequence[str] = PROMPTS,
) -> tuple[float, int]:
    """Run calls of different lengths together.

    Returns the largest relative difference from single calls, and the number of denoiser calls
    that were shared.
    """
    samples = [
        Sample(pipe, seed + k, count, side, {"prompt": prompts[k % len(prompts)]})
        for k, count in enumerate(steps)
    ]
    expected = [sample(isolate(pipe)) for sample in samples]
    arbiter = DeviceArbiter(limits=BatchLimits(gain=float("inf")))  # whatever it costs
    runs = [Run(sample, strict=False) for sample in samples]
    joined: list[RenderHandle] = []

    def on_step(step: int) -> None:
        if step == 1:  # the others join in the middle
            joined.extend(run.submit(arbiter, Priority.NORMAL) for run in runs[1:])

    runs[0].submit(arbiter, Priority.NORMAL, on_step).result(SECONDS)
    for handle in joined:
        handle.result(SECONDS)
    shared = arbiter.statistics().batched - arbiter.statistics().steps
    differences = [
        relative_difference(run.pixels, pixels) for run, pixels in zip(runs, expected, strict=True)
    ]
    return max(differences), shared


def relative_difference(pixels: Pixels | None, expected: Pixels) -> float:
    """The largest absolute difference over the largest value of `expected`."""
    if pixels is None:
        raise RuntimeError("the call did not finish")
    return float(np.abs(pixels - expected).max() / max(float(np.abs(expected).max()), 1e-9))
