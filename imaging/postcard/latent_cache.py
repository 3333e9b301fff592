"""Cached latents of the training scenes, so that training the denoiser neither draws nor encodes.

Scenes are drawn at half size and encoded by the half-size autoencoder, whose latents are those of
the full-size one.

Scene number i is chosen by a generator seeded with i: the file holds latents only, and the words
are made afresh each time a scene is shown.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch.utils.data import DataLoader, Dataset

from imaging.postcard import vocabulary as words
from imaging.postcard.autoencoder import to_unit
from imaging.postcard.drawing import draw
from imaging.postcard.edits import Edit, random_edit
from imaging.postcard.scenes import Scene, random_training_scene, seeded_random
from imaging.postcard.training_config import TrainingConfig

ENCODE_BATCH = 32


@dataclass(frozen=True)
class Bucket:
    """The training scenes of one picture size in pixels, numbered from `first` to
    `first + count - 1`.
    """

    size: tuple[int, int]
    first: int
    count: int


def buckets(config: TrainingConfig, total: int) -> list[Bucket]:
    """`total` scenes divided among the config's picture sizes; the square size comes first."""
    unit = config.shape.half_size.side / words.ASPECTS["1:1"][0]
    sizes = [
        (round(words.ASPECTS[a][0] * unit), round(words.ASPECTS[a][1] * unit))
        for a in config.aspects
    ]
    square = total if len(sizes) == 1 else round(total * config.square_share)
    found, first = [], 0
    for place, size in enumerate(sizes):
        count = square if place == 0 else (total - square) // (len(sizes) - 1)
        if count:
            found.append(Bucket(size, first, count))
        first += count
    return found


def numbered_scene(config: TrainingConfig, number: int, size: tuple[int, int]) -> Scene:
    """Training scene `number`."""
    return random_training_scene(seeded_random(config.seed, "scene", number), size)


def numbered_edit(config: TrainingConfig, number: int, size: tuple[int, int]) -> Edit:
    """Training edit `number`."""
    rng = seeded_random(config.seed, "edit", number)
    language: words.Language = rng.choice(("en", "fr"))
    return random_edit(rng, language, size, unseen=False)


class Drawings(Dataset[torch.Tensor]):
    """The pictures of one bucket as bytes `(k, 3, h, w)`, where k is 1 for scenes and 2 (before,
    after) for edits.
    """

    def __init__(self, config: TrainingConfig, bucket: Bucket, start: int, *, edit: bool) -> None:
        self.config, self.bucket, self.start, self.edit = config, bucket, start, edit

    def __len__(self) -> int:
        return self.bucket.count - self.start

    def __getitem__(self, index: int) -> torch.Tensor:
        number = self.bucket.first + self.start + index
        if self.edit:
            edit = numbered_edit(self.config, number, self.bucket.size)
            scenes = [edit.before, edit.after]
        else:
            scenes = [numbered_scene(self.config, number, self.bucket.size)]
        return torch.from_numpy(np.stack([np.asarray(draw(scene)) for scene in scenes])).permute(
            0, 3, 1, 2
        )


@torch.no_grad()
def encode_bucket(
    config: TrainingConfig, vae: AutoencoderKL, bucket: Bucket, *, edit: bool
) -> torch.Tensor:
    """Unscaled latent means of one bucket, `(count, k, c, h, w)` in half precision."""
    batches = DataLoader(
        Drawings(config, bucket, 0, edit=edit), ENCODE_BATCH, num_workers=config.workers
    )
    parts = []
    for batch in batches:
        pictures = to_unit(batch.flatten(0, 1)).to(config.device, memory_format=torch.channels_last)
        with torch.autocast(config.device, torch.bfloat16):
            mean = vae.encode(pictures).latent_dist.mean
        parts.append(mean.unflatten(0, batch.shape[:2]).half().cpu())
    return torch.cat(parts)


EncodedBuckets = list[tuple[Bucket, torch.Tensor]]


@dataclass(frozen=True)
class Cache:
    """All buckets of scenes and, for the same picture sizes, of edits, with their latents."""

    scenes: EncodedBuckets
    edits: EncodedBuckets


def cached_latents(config: TrainingConfig, vae: AutoencoderKL, folder: Path) -> Cache:
    """Latents of every bucket, encoded at the first call and read from `folder` afterwards."""
    return Cache(_cached(config, vae, folder, edit=False), _cached(config, vae, folder, edit=True))


def _cached(
    config: TrainingConfig, vae: AutoencoderKL, folder: Path, *, edit: bool
) -> EncodedBuckets:
    found = []
    for bucket in buckets(config, config.triples if edit else config.scenes):
        path = (
            folder
            / f"{'edits' if edit else 'scenes'}-{bucket.size[0]}x{bucket.size[1]}-{bucket.count}.pt"
        )
        if not path.exists():
            torch.save(encode_bucket(config, vae, bucket, edit=edit), path)
        found.append((bucket, torch.load(path, weights_only=True, mmap=True)))
    return found
