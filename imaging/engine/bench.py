"""The bench `engine`: what the engine costs beside the bare diffusers loop, both in one run.

Three ratios, engine over bare, on the same model, device, threads, size, steps and seeds; the two
take turns, so that a busy machine slows both. Each makes a PNG file of every picture, as the bare
loop of a small bot would; the bare loop shows no previews, so here the engine makes none either:

- `latency`: seconds from order to file of one picture (below 1 is better than bare);
- `throughput`: pictures a second when many orders wait (above 1 is better than bare);
- `batch`: pictures a second for orders of four (above 1 is better than bare).

`python -m imaging.engine.bench [FILE] [PROFILE]` prints them and writes the figures as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any

from imaging.engine.engine import Engine
from imaging.engine.libraries import prepare_libraries
from imaging.profiles import Profile, profile_for
from imaging.request import ImageRequest, Operation

PROMPT = "a small red house left of a green tree, at night"
QUEUED = 8
"""Orders that wait at once in the part `throughput`."""


@dataclass(frozen=True, slots=True)
class Contest:
    """The two that are compared, warmed up."""

    profile: Profile
    engine: Engine
    bare: Callable[[int, int], None]

    def request(self, seed: int, count: int = 1) -> ImageRequest:
        """An order of the profile's usual size and steps."""
        width, height = self.profile.size("1:1")
        return ImageRequest(
            Operation.IMAGINE, PROMPT, self.profile.name, width, height, seed, count=count
        )


def run(
    json_path: Path | None = None, profile: str = "postcard", rounds: int = 10
) -> Mapping[str, Any]:
    """Measure, print, and write to `json_path` where given; the figures as plain JSON values.

    Raises ImagingError where the profile cannot be loaded.
    """
    prepare_libraries()
    known = profile_for(profile)
    engine = Engine([known], _no_sources)
    try:
        engine.warm_up(known.name).result()
        contest = Contest(known, engine, _bare_loop(known))
        contest.bare(0, 1)
        figures = {
            "bench": "engine",
            "profile": known.name,
            "device": engine.load().device,
            "rounds": rounds,
            "latency": _compare(contest, rounds, 1, _engine_alone, _bare_alone, faster="below"),
            "throughput": _compare(contest, rounds, QUEUED, _engine_queue, _bare_queue),
            "batch": _compare(contest, rounds, 4, _engine_batch, _bare_batch),
        }
    finally:
        engine.stop()
    _print(figures)
    if json_path is not None:
        json_path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return figures


Part = Callable[[Contest, int], None]


def _engine_alone(contest: Contest, seed: int) -> None:
    contest.engine.submit(contest.request(seed), previews=False).result()


def _bare_alone(contest: Contest, seed: int) -> None:
    contest.bare(seed, 1)


def _engine_queue(contest: Contest, seed: int) -> None:
    requests = [contest.request(seed + k) for k in range(QUEUED)]
    waiting = [contest.engine.submit(request, previews=False) for request in requests]
    for rendering in waiting:
        rendering.result()


def _bare_queue(contest: Contest, seed: int) -> None:
    for k in range(QUEUED):
        contest.bare(seed + k, 1)


def _engine_batch(contest: Contest, seed: int) -> None:
    contest.engine.submit(contest.request(seed, count=4), previews=False).result()


def _bare_batch(contest: Contest, seed: int) -> None:
    contest.bare(seed, 4)


def _compare(
    contest: Contest, rounds: int, pictures: int, ours: Part, bare: Part, faster: str = "above"
) -> Mapping[str, Any]:
    """Medians over rounds in which the two take turns; `ratio` is the median of the rounds' ratios.

    `best_ratio` compares the best rounds of each, which other processes disturbed least. With
    `faster` "below" seconds are compared, else pictures a second.
    """
    times: list[tuple[float, float]] = []
    for turn in range(rounds):
        times.append((_timed(ours, contest, turn), _timed(bare, contest, turn)))
    ratios = [one / other if faster == "below" else other / one for one, other in times]
    best = min(one for one, _ in times) / min(other for _, other in times)
    return {
        "engine_seconds": median(one for one, _ in times),
        "bare_seconds": median(other for _, other in times),
        "pictures": pictures,
        "ratio": median(ratios),
        "best_ratio": best if faster == "below" else 1 / best,
        "better": faster,
    }


def _timed(part: Part, contest: Contest, seed: int) -> float:
    began = time.perf_counter()
    part(contest, seed * 100)
    return time.perf_counter() - began


def _bare_loop(profile: Profile) -> Callable[[int, int], None]:
    """The loop of diffusers' own documentation: pipeline, generators, `save`."""
    import torch
    from diffusers import AutoPipelineForText2Image

    from imaging.engine.devices import open_device

    device = open_device(None, None)
    pipe: Any = AutoPipelineForText2Image.from_pretrained(
        profile.source, dtype=device.dtype(profile.dtype), use_safetensors=True
    ).to(device.handle)
    pipe.set_progress_bar_config(disable=True)
    width, height = profile.size("1:1")

    def paint(seed: int, count: int) -> None:
        result = pipe(
            prompt=PROMPT,
            width=width,
            height=height,
            num_inference_steps=profile.steps,
            num_images_per_prompt=count,
            generator=[torch.Generator("cpu").manual_seed(seed + k) for k in range(count)],
            **{profile.guidance_argument: profile.guidance},
        )
        for image in result.images:
            image.save(BytesIO(), "PNG")

    return paint


def _no_sources(name: str) -> bytes:
    raise FileNotFoundError(name)


def _print(figures: Mapping[str, Any]) -> None:
    print(f"engine against the bare diffusers loop: {figures['profile']}, {figures['device']}")
    for name in ("latency", "throughput", "batch"):
        part = figures[name]
        print(
            f"  {name:<11} ratio {part['ratio']:.3f}, of the best rounds {part['best_ratio']:.3f} "
            f"({part['better']} 1 is better than bare); "
            f"{part['engine_seconds']:.3f} s against {part['bare_seconds']:.3f} s "
            f"for {part['pictures']} picture{'s' if part['pictures'] > 1 else ''}"
        )


if __name__ == "__main__":
    run(
        Path(sys.argv[1]) if len(sys.argv) > 1 else None,
        sys.argv[2] if len(sys.argv) > 2 else "postcard",
    )
