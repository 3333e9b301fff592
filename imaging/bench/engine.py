"""The benchmark `engine`: interruptions, overhead and batching on the bundled model, in one run.

All figures are medians over rounds in which the things compared alternate, so that other load
affects them alike. The ratios compare the engine with a bare diffusers loop on the same model,
device, threads, size, steps and seeds, with itself, or, on a virtual clock, with whole calls.
`free_overhead_ratio` compares device time: the processor time of the process while the request has
the device, which other processes do not add to.

`python -m imaging.bench.engine [FILE]` prints them and writes the figures as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any

from imaging.bench.arrivals import StepTimes, compare
from imaging.bench.interruption import PROMPT, free_overhead, measure, order
from imaging.engine.engine import Engine
from imaging.engine.library_setup import configure_libraries
from imaging.engine.settings import EngineSettings
from imaging.profiles import Profile, profile_for
from imaging.request import Priority

PARITY = ("sd15", "sdxl", "sd3", "flux1", "flux2_klein", "qwen_image", "z_image", "sana")
BATCHED = (*PARITY, "sdxl_instruct")
LATENCY_ROUNDS = 4
"""Rounds of `latency_ratio` for each of the others: a picture takes a tenth of a second."""
QUEUED = 8
"""Requests submitted at once for `batch8_ratio`."""
SIZES = (1, 2, 4, 8)
"""Pictures in one denoiser call for the step-time curve."""

Figures = Mapping[str, Any]


def run(rounds: int = 8) -> Figures:
    """Measure; returns the figures by their names in the JSON file.

    Raises ImagingError if the bundled model cannot be loaded.
    """
    configure_libraries()
    profile = profile_for("postcard")
    pipe = _pipeline(profile)
    bare = _bare_loop(pipe, profile)
    bare(0)
    goodput, latency = compare(step_times(pipe, rounds))
    with _engine(profile) as engine:
        interruptions = measure(engine, profile, rounds).figures()
        latency_ratio = _latency_ratio(engine, profile, bare, rounds)
        batch_ratio = _batch_ratio(engine, profile, rounds)
    with _engine(profile, clock=time.process_time) as engine:
        overhead = free_overhead(engine, profile, max(1, rounds // 2))
    return {
        **interruptions,
        "free_overhead_ratio": overhead,
        "parity": parity(pipe),
        "latency_ratio": latency_ratio,
        "batch8_ratio": batch_ratio,
        "goodput_ratio": goodput,
        "mean_latency_ratio": latency,
    }


@contextmanager
def _engine(profile: Profile, clock: Callable[[], float] = time.monotonic) -> Iterator[Engine]:
    """An engine that has rendered a picture; `clock` measures device time."""
    engine = Engine([profile], _no_sources, EngineSettings(slots=QUEUED), clock=clock)
    try:
        engine.warm_up(profile.name).result()
        yield engine
    finally:
        engine.stop()


def parity(pipe: Any) -> dict[str, float]:
    """The largest relative difference from uninterrupted calls, by model.

    `NAME` is strict mode interrupted at random steps, `NAME batched` calls that share batches.
    """
    from imaging.bench.parity import batched_difference, interrupted_difference
    from imaging.bench.tiny_models import make_pipeline

    found = {
        "postcard": interrupted_difference(pipe),
        "postcard batched": batched_difference(pipe)[0],
    }
    for name in PARITY:
        found[name] = interrupted_difference(make_pipeline(name))
    for name in BATCHED:
        found[f"{name} batched"] = batched_difference(make_pipeline(name))[0]
    return found


def step_times(pipe: Any, rounds: int) -> StepTimes:
    """Measure the bundled model's denoiser by batch size, its text encoder and its decoder."""
    import torch

    side = pipe.unet.config.sample_size
    found: dict[str, list[float]] = {name: [] for name in ("encode", "decode", *map(str, SIZES))}

    def timed(name: str, action: Callable[[], Any]) -> None:
        began = time.perf_counter()
        action()
        found[name].append(time.perf_counter() - began)

    with torch.no_grad():
        embeds, _ = pipe.encode_prompt(PROMPT, pipe.device, 1, False)
        latents = torch.randn(1, pipe.unet.config.in_channels, side, side).to(pipe.device)
        for _ in range(rounds):
            timed("encode", lambda: pipe.encode_prompt(PROMPT, pipe.device, 1, True))
            timed("decode", lambda: pipe.vae.decode(latents))
            for size in SIZES:
                sample = latents.repeat(2 * size, 1, 1, 1)  # with guidance
                hidden = embeds.repeat(2 * size, 1, 1)
                timestep = torch.full((2 * size,), 500, device=pipe.device)
                timed(
                    str(size),
                    lambda s=sample, h=hidden, t=timestep: pipe.unet(  # type: ignore[misc]
                        s, t, encoder_hidden_states=h, return_dict=False
                    ),
                )
    each = {name: median(seconds) for name, seconds in found.items()}
    return StepTimes(each["encode"], each["decode"], {size: each[str(size)] for size in SIZES})


def _latency_ratio(
    engine: Engine, profile: Profile, bare: Callable[[int], None], rounds: int
) -> float:
    """Seconds from request to PNG file, engine over bare loop."""

    def ours(seed: int) -> None:
        request = order(profile, seed, priority=Priority.NORMAL)
        engine.submit(request, previews=False).result()

    return _ratio(ours, bare, LATENCY_ROUNDS * rounds)


def _batch_ratio(engine: Engine, profile: Profile, rounds: int) -> float:
    """Pictures per second, QUEUED requests at once over one after the other."""

    def one_by_one(seed: int) -> None:
        for k in range(QUEUED):
            request = order(profile, seed + k, priority=Priority.NORMAL)
            engine.submit(request, previews=False).result()

    def at_once(seed: int) -> None:
        requests = [order(profile, seed + k, priority=Priority.NORMAL) for k in range(QUEUED)]
        for handle in [engine.submit(request, previews=False) for request in requests]:
            handle.result()

    at_once(0)  # lets the batch limit grow
    return _ratio(one_by_one, at_once, rounds)


def _ratio(one: Callable[[int], None], other: Callable[[int], None], rounds: int) -> float:
    """Seconds of `one` over those of `other`: the median over rounds of one, other, other, one.

    A drift of the machine's speed within a round cancels out.
    """
    ratios = []
    for number in range(rounds):
        seed = number * 100
        first = _timed(one, seed)
        others = _timed(other, seed) + _timed(other, seed)
        ratios.append((first + _timed(one, seed)) / others)
    return median(ratios)


def _timed(action: Callable[[int], None], seed: int) -> float:
    began = time.perf_counter()
    action(seed)
    return time.perf_counter() - began


def _pipeline(profile: Profile) -> Any:
    """The profile's pipeline as diffusers' documentation loads it."""
    from diffusers import AutoPipelineForText2Image

    from imaging.engine.devices import open_device
    from imaging.engine.model_loading import silence_diffusers

    silence_diffusers()
    device = open_device(None, None)
    pipe: Any = AutoPipelineForText2Image.from_pretrained(
        profile.source, dtype=device.dtype(profile.dtype), use_safetensors=True
    ).to(device.torch_device)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _bare_loop(pipe: Any, profile: Profile) -> Callable[[int], None]:
    """The loop of the diffusers documentation: pipeline, generator, `save`."""
    import torch

    width, height = profile.size("1:1")

    def render(seed: int) -> None:
        result = pipe(
            prompt=PROMPT,
            width=width,
            height=height,
            num_inference_steps=profile.steps,
            generator=torch.Generator("cpu").manual_seed(seed),
            **{profile.guidance_argument: profile.guidance},
        )
        for image in result.images:
            image.save(BytesIO(), "PNG")

    return render


def _no_sources(name: str) -> bytes:
    raise FileNotFoundError(name)


def report(figures: Figures, json_path: Path | None) -> None:
    """Print the figures and write them to `json_path` if given."""
    for name, value in figures.items():
        if isinstance(value, Mapping):
            for model, difference in value.items():
                print(f"{name + ' ' + model:<32} {difference:.2e}")
        else:
            print(f"{name:<32} {value:.3f}")
    if json_path is not None:
        json_path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    report(run(), Path(sys.argv[1]) if len(sys.argv) > 1 else None)
