"""Stage one: the half-size autoencoder, trained on square scenes drawn at half size.

Half the size is a quarter of the work. The latents are those of the finished model: the next stage
(`full_size_autoencoder`) adds the outermost block.

The network is convolutional, so it generalises from square pictures to other shapes. The loss is
the sum of these terms:
- the squared error of the picture and of its average over each latent cell, which settles colours
  early (with absolute error alone, small things take the commonest hue for a long time);
- the absolute error of the picture and of its horizontal and vertical differences, for sharp edges;
- a small Kullback-Leibler divergence that keeps latents near a normal distribution (Kingma &
  Welling 2014).
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from imaging.postcard.drawing import draw
from imaging.postcard.scenes import Scene, random_training_scene, seeded_random
from imaging.postcard.training_config import TrainingConfig
from imaging.postcard.training_run import TrainingRun

KL_WEIGHT = 2e-5
SAMPLES_FOR_SCALE = 256
ITEM_WEIGHT = 4


class WeightedPictures(Dataset[torch.Tensor]):
    """Picture number i of an endless supply, `(4, side, side)` bytes: red, green, blue and the loss
    weight of each pixel.
    """

    def __init__(self, config: TrainingConfig, first: int, count: int, side: int) -> None:
        self.config, self.first, self.count, self.side = config, first, count, side

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> torch.Tensor:
        rng = seeded_random(self.config.seed, "picture", self.first + index)
        scene = random_training_scene(rng, (self.side, self.side))
        planes = np.concatenate([np.asarray(draw(scene)), pixel_weights(scene)], axis=2)
        if rng.random() < 0.5:
            planes = planes[:, ::-1]
        return torch.from_numpy(planes.copy()).permute(2, 0, 1)


def pixel_weights(scene: Scene) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Loss weights `(height, width, 1)`: `ITEM_WEIGHT` in the boxes of things, 1 elsewhere.

    Errors are visible in things, which cover a seventh of the pictures.
    """
    weights = np.ones((scene.height, scene.width, 1), np.uint8)
    unit = min(scene.width, scene.height)
    for item in scene.items:
        left, top, right, bottom = (max(0, int(edge * unit)) for edge in item.box)
        weights[top : bottom + 1, left : right + 1] = ITEM_WEIGHT
    return weights


def to_unit(pictures: torch.Tensor) -> torch.Tensor:
    """Convert bytes 0…255 to floats -1…1."""
    return pictures.float() / 127.5 - 1


def picture_loss(
    drawn: torch.Tensor, real: torch.Tensor, weights: torch.Tensor, cell: int
) -> torch.Tensor:
    """The reconstruction loss between `drawn` and `real`, both `(n, 3, h, w)` in -1…1.

    `weights` `(n, 1, h, w)` are the pixels' weights; `cell` is the side of a latent cell in pixels.
    """
    weights = weights / weights.mean()
    gap = drawn - real
    coarse = functional.avg_pool2d(gap, cell).square() * functional.avg_pool2d(weights, cell)
    across = gap.diff(dim=-1).abs() * weights[..., 1:]
    down = gap.diff(dim=-2).abs() * weights[..., 1:, :]
    fine = 2 * gap.square() + 0.5 * gap.abs()
    return 4 * coarse.mean() + (fine * weights).mean() + 0.5 * (across.mean() + down.mean())


def train_autoencoder(config: TrainingConfig, vae: AutoencoderKL, folder: Path) -> None:
    """Train `vae` in place, then set its `scaling_factor`; resumes from `folder`."""
    stage, device = config.autoencoder, config.device
    run = TrainingRun(folder, "autoencoder", vae, stage)
    if run.step < stage.steps:
        todo = (stage.steps - run.step) * stage.batch
        pictures = WeightedPictures(
            config, run.step * stage.batch, todo, config.shape.half_size.side
        )
        batches = iter(DataLoader(pictures, stage.batch, num_workers=config.workers))
        for _ in run.steps():
            batch = next(batches).to(device)
            real = to_unit(batch[:, :3]).contiguous(memory_format=torch.channels_last)
            with torch.autocast(device, torch.bfloat16):
                latent = vae.encode(real).latent_dist
                drawn = vae.decode(latent.sample()).sample
            spread = latent.kl().mean() / latent.mean[0].numel()
            loss = picture_loss(
                drawn.float(), real, batch[:, 3:].float(), config.shape.half_size.scale
            )
            run.update(loss + KL_WEIGHT * spread, kl=round(float(spread.detach()), 3))
    run.load_average()
    measure_scale(config, vae)


def measure_scale(config: TrainingConfig, vae: AutoencoderKL) -> None:
    """Set the `scaling_factor` of `vae` so that scaled latents have unit variance."""
    vae.eval()
    vae.register_to_config(scaling_factor=round(1 / _spread(config, vae), 5))


@torch.no_grad()
def _spread(config: TrainingConfig, vae: AutoencoderKL) -> float:
    side = config.shape.half_size.side
    rng = seeded_random(config.seed, "scale")
    drawn = [
        np.asarray(draw(random_training_scene(rng, (side, side)))) for _ in range(SAMPLES_FOR_SCALE)
    ]
    pictures = to_unit(torch.from_numpy(np.stack(drawn)).permute(0, 3, 1, 2)).to(config.device)
    return float(
        torch.cat([vae.encode(part).latent_dist.mean for part in torch.split(pictures, 16)]).std()
    )
