"""Cached latents of the scenes for fine-tuning.

Scene number i of a picture size is generated from a seed made of both. The files therefore hold
latents only; captions are written anew each time a scene is used.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch.utils.data import DataLoader, Dataset

from imaging.postcard import vocabulary as words
from imaging.postcard.autoencoder import to_unit
from imaging.postcard.drawing import draw
from imaging.postcard.scenes import Scene, random_grey_scene, random_varied_scene, seeded_random

ENCODE_BATCH = 32

Kind = Literal["varied", "grey"]


@dataclass(frozen=True)
class SceneSet:
    """Scenes 0 to `len(latents) - 1` of one size in pixels, with unscaled latents `(n, c, h, w)`
    in half precision.
    """

    seed: int
    kind: Kind
    size: tuple[int, int]
    latents: torch.Tensor

    def scene(self, number: int) -> Scene:
        """Scene `number` of the set."""
        return numbered_scene(self.seed, self.kind, number, self.size)


def numbered_scene(seed: int, kind: Kind, number: int, size: tuple[int, int]) -> Scene:
    """Training scene `number` of that kind and size in pixels."""
    rng = seeded_random(seed, kind, f"{size[0]}x{size[1]}", number)
    return random_varied_scene(rng, size) if kind == "varied" else random_grey_scene(rng, size)


class Drawings(Dataset[torch.Tensor]):
    """The pictures of one set as bytes `(3, h, w)`."""

    def __init__(self, seed: int, kind: Kind, size: tuple[int, int], count: int) -> None:
        self.seed, self.kind, self.size, self.count = seed, kind, size, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> torch.Tensor:
        picture = draw(numbered_scene(self.seed, self.kind, index, self.size))
        return torch.from_numpy(np.array(picture)).permute(2, 0, 1)


@torch.no_grad()
def _encode(vae: AutoencoderKL, drawings: Drawings, device: str, workers: int) -> torch.Tensor:
    parts = []
    for batch in DataLoader(drawings, ENCODE_BATCH, num_workers=workers):
        pictures = to_unit(batch).to(device, memory_format=torch.channels_last)
        with torch.autocast(device, torch.bfloat16):
            parts.append(vae.encode(pictures).latent_dist.mean.half().cpu())
    return torch.cat(parts)


def varied_latents(
    vae: AutoencoderKL,
    folder: Path,
    counts: dict[str, int],
    *,
    seed: int = 0,
    device: str = "cpu",
    workers: int = 0,
) -> dict[str, SceneSet]:
    """The sets by name, `counts[name]` scenes each: an aspect, or "grey" for square scenes with
    something grey. They are encoded by `vae` at the first call and read from `folder` afterwards.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for name, count in counts.items():
        kind: Kind = "grey" if name == "grey" else "varied"
        size = words.ASPECTS["1:1" if name == "grey" else name]
        path = folder / f"{kind}-{size[0]}x{size[1]}-{count}.pt"
        if not path.exists():
            draft = path.with_suffix(".draft")
            torch.save(_encode(vae, Drawings(seed, kind, size, count), device, workers), draft)
            draft.replace(path)
        found[name] = SceneSet(seed, kind, size, torch.load(path, weights_only=True))
    return found
