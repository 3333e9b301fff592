"""Engine settings. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from imaging.formats import LIMITS, FileLimits


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Settings of one engine.

    `device` is a torch device name ("cuda", "cuda:1", "mps", "cpu"), None for the best available.
    `threads` is torch's CPU thread count, None for one per core. Models may use `memory_share` of
    the device's memory. `slots` is the number of requests to hold at once. `longest_seconds` is the
    default limit of a request. At most `previews` previews are made per batch, no side longer than
    `preview_side` pixels. `batch_megapixels` limits one batch on an accelerator, a quarter of it
    on a CPU; a batch that runs out of memory is halved. With `strict`, requests never share
    denoiser calls, and pictures are bitwise those of the stock pipeline.
    """

    device: str | None = None
    threads: int | None = None
    memory_share: float = 0.85
    slots: int = 2
    longest_seconds: float = 900.0
    previews: int = 4
    preview_side: int = 256
    batch_megapixels: float = 4.2
    limits: FileLimits = LIMITS
    strict: bool = False
