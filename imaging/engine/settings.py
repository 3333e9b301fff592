"""How an engine runs. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from imaging.formats import LIMITS, FileLimits


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What an operator of an engine may choose.

    `device` is a torch device's name ("cuda", "cuda:1", "mps", "cpu"), None for the best there is.
    `threads` are torch's on the CPU, None for one a core. Models may fill `memory_share` of the
    device's memory. `slots` is how many requests are worth holding at once: one that runs, and one
    that is made ready for it. A request may take `longest_seconds` where `submit` is not told
    otherwise. At most `previews` are made on the way to one result, no side longer than
    `preview_side` pixels. `batch_megapixels` is how much is made in one batch on an accelerator,
    and a quarter of it on a CPU; a batch that does not fit is halved.
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
