"""Measures large models on a GPU without their weights: the true sizes, with random parameters.

`python -m imaging.bench.gpu [FILE] [--tiny] [--seconds N]` prints step-time curves with and without
regional compilation, images per second with several requests (denoiser calls only; for Qwen-Image
at 512 pixels also over vLLM-Omni's floors), the share of the measured matrix peak, the first step
of an urgent request, the delay of a cancel, and memory. `--tiny` shrinks every model, to try the
script on a CPU. A case that no time is left for is reported as not measured.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from imaging.bench.gpu_models import CASES, Case, build_network, inputs_for
from imaging.engine.library_setup import configure_libraries

SECONDS = 240.0
BATCHES = (1, 2, 4, 8, 16)
STEPS = 20  # of one picture, for images per second
ROUNDS = 3
NOT_MEASURED = "not measured"
FLOORS: Mapping[str, Mapping[int, float]] = {
    "qwen-image@512": {1: 0.30, 2: 0.50, 4: 0.60, 8: 0.75},
}
"""Images per second by concurrent requests, 20 steps with guidance, that vLLM-Omni's tests ask."""

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bench:
    """Where and how long to measure."""

    device: Any
    dtype: Any
    tiny: bool
    ends_at: float

    @property
    def out_of_time(self) -> bool:
        """Whether no further case should begin."""
        return time.monotonic() >= self.ends_at


def run(seconds: float = SECONDS, *, tiny: bool = False) -> Figures:
    """All cases that fit into `seconds`; figures by case."""
    configure_libraries()
    import torch

    cuda = torch.cuda.is_available()
    device = torch.device("cuda" if cuda else "cpu")
    dtype = torch.bfloat16 if cuda else torch.float32
    bench = Bench(device, dtype, tiny, time.monotonic() + seconds)
    name = torch.cuda.get_device_name(device) if cuda else "cpu"
    figures: Figures = {"device": name, "tiny": tiny, "peak_tflops": peak(bench)}
    for case in CASES:
        key = f"{case.name}@{case.side}"
        figures[key] = NOT_MEASURED if bench.out_of_time else measure(bench, case, figures)
        print(key, json.dumps(figures[key]), flush=True)
    return figures


def measure(bench: Bench, case: Case, figures: Mapping[str, Any]) -> Figures:
    """One model at one size."""
    import torch

    network = build_network(case, bench.device, bench.dtype, tiny=bench.tiny)
    curve = step_times(bench, case, network)
    found: Figures = {"step_ms": {size: seconds * 1000 for size, seconds in curve.items()}}
    if not curve:
        return {"step_ms": NOT_MEASURED}
    flops = operations(bench, case, network)
    peak_flops = figures["peak_tflops"] * 1e12
    found["peak_share"] = {
        size: flops * size / seconds / peak_flops
        for size, seconds in curve.items()
        if size in (1, 8)
    }
    speed = {size: size / (STEPS * seconds) for size, seconds in curve.items() if size <= 8}
    found["images_per_second"] = speed
    floors = {} if bench.tiny else FLOORS.get(f"{case.name}@{case.side}", {})
    if floors:
        found["over_floor"] = {size: speed[size] / floors[size] for size in speed}
    found |= interruption(bench, case, network)
    found["memory_gib"] = NOT_MEASURED
    if bench.device.type == "cuda":
        found["memory_gib"] = torch.cuda.max_memory_allocated() / 2**30
        torch.cuda.reset_peak_memory_stats()
    found["step_ms_compiled"] = compiled_times(bench, case, network)
    del network
    if bench.device.type == "cuda":
        torch.cuda.empty_cache()
    return found


def step_times(bench: Bench, case: Case, network: Any) -> dict[int, float]:
    """Median seconds of a denoiser call by batch size, until memory or time runs out."""
    import torch

    found: dict[int, float] = {}
    for size in BATCHES:
        if bench.out_of_time:
            break
        arguments = inputs_for(case, size, bench.device, bench.dtype, tiny=bench.tiny)
        with suppress(torch.OutOfMemoryError), torch.no_grad():
            network(**arguments)  # chooses kernels
            call = partial(network, **arguments)
            found[size] = median([timed(bench, call) for _ in range(ROUNDS)])
    return found


def compiled_times(bench: Bench, case: Case, network: Any) -> Mapping[int, float] | str:
    """Milliseconds by batch size with the repeated blocks compiled once."""
    if bench.out_of_time or bench.device.type != "cuda":
        return NOT_MEASURED
    network.compile_repeated_blocks(fullgraph=True)
    return {size: seconds * 1000 for size, seconds in step_times(bench, case, network).items()}


def interruption(bench: Bench, case: Case, network: Any) -> Figures:
    """First step of an urgent request behind a batch of four, and the delay of a cancel.

    Runs on the engine's own arbiter, with one denoiser call per step.
    """
    from imaging.bench.gpu_requests import Requests

    batch = inputs_for(case, 4, bench.device, bench.dtype, tiny=bench.tiny)
    single = inputs_for(case, 1, bench.device, bench.dtype, tiny=bench.tiny)

    def call(arguments: Mapping[str, Any]) -> Callable[[], None]:
        return lambda: _synchronised(bench, lambda: network(**arguments))

    requests = Requests(call(batch), call(single))
    return {
        "paid_first_step_ms": requests.paid_first_step() * 1000,
        "cancel_ms": requests.cancel() * 1000,
    }


def peak(bench: Bench) -> float:
    """Measured teraflops of a large matrix product."""
    import torch

    side = 8192 if bench.device.type == "cuda" else 1024
    matrix = torch.randn(side, side, device=bench.device, dtype=bench.dtype)
    _synchronised(bench, lambda: matrix @ matrix)
    seconds = min(timed(bench, lambda: matrix @ matrix) for _ in range(ROUNDS))
    return float(2 * side**3 / seconds / 1e12)


def operations(bench: Bench, case: Case, network: Any) -> float:
    """Floating-point operations of one denoiser call for one picture."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    arguments = inputs_for(case, 1, bench.device, bench.dtype, tiny=bench.tiny)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(**arguments)
    return float(counter.get_total_flops())


def timed(bench: Bench, action: Callable[[], Any]) -> float:
    """Seconds of an action on the device."""
    began = time.perf_counter()
    _synchronised(bench, action)
    return time.perf_counter() - began


def _synchronised(bench: Bench, action: Callable[[], Any]) -> None:
    import torch

    with torch.no_grad():
        action()
    if bench.device.type == "cuda":
        torch.cuda.synchronize()


def main(words: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help="write the figures to this file")
    parser.add_argument("--tiny", action="store_true", help="small models, to try the script")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    chosen = parser.parse_args(words)
    figures = run(chosen.seconds, tiny=chosen.tiny)
    if chosen.file is not None:
        chosen.file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
