"""Stage one: the sketch autoencoder, trained on square scenes drawn at half size.

Half the size is a quarter of the work, and the latents it makes are those of the finished model:
the next stage (`polish`) puts the outermost block around it.

It is convolutional throughout, so square pictures teach it pictures of every shape. The loss is the
squared error of the picture and of its average over each latent cell, which settles colours first
(absolute error alone paints small things in the commonest hue for a long time); then the absolute
error of the picture and of its horizontal and vertical differences, since edges are what flat
pictures are made of; and a little Kullback-Leibler divergence to keep the latents near a normal
distribution (Kingma & Welling 2014).
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from imaging.postcard.drawing import draw
from imaging.postcard.progress import Run
from imaging.postcard.recipe import Recipe
from imaging.postcard.scenes import Scene, luck, random_training_scene

KL_WEIGHT = 2e-5
SAMPLES_FOR_SCALE = 256
ITEM_WEIGHT = 4


class Weighed(Dataset[torch.Tensor]):
    """Picture number i of an endless supply, `(4, side, side)` bytes: red, green, blue, and how
    much each pixel counts.
    """

    def __init__(self, recipe: Recipe, first: int, count: int, side: int) -> None:
        self.recipe, self.first, self.count, self.side = recipe, first, count, side

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> torch.Tensor:
        rng = luck(self.recipe.seed, "picture", self.first + index)
        scene = random_training_scene(rng, (self.side, self.side))
        sheet = np.concatenate([np.asarray(draw(scene)), pixel_weights(scene)], axis=2)
        if rng.random() < 0.5:
            sheet = sheet[:, ::-1]
        return torch.from_numpy(sheet.copy()).permute(2, 0, 1)


def pixel_weights(scene: Scene) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """`(height, width, 1)`: pixels in the boxes of things count `ITEM_WEIGHT`, others 1.

    Things are where the errors are seen, and cover a seventh of the pictures.
    """
    weights = np.ones((scene.height, scene.width, 1), np.uint8)
    unit = min(scene.width, scene.height)
    for item in scene.items:
        left, top, right, bottom = (max(0, int(edge * unit)) for edge in item.box)
        weights[top : bottom + 1, left : right + 1] = ITEM_WEIGHT
    return weights


def to_unit(pictures: torch.Tensor) -> torch.Tensor:
    """Bytes 0…255 to floats -1…1."""
    return pictures.float() / 127.5 - 1


def picture_loss(
    drawn: torch.Tensor, real: torch.Tensor, weights: torch.Tensor, cell: int
) -> torch.Tensor:
    """How far `drawn` is from `real`, both `(n, 3, h, w)` in -1…1.

    `weights` `(n, 1, h, w)` says how much each pixel counts; `cell` is a latent cell's side in
    pixels.
    """
    weights = weights / weights.mean()
    gap = drawn - real
    coarse = functional.avg_pool2d(gap, cell).square() * functional.avg_pool2d(weights, cell)
    across = gap.diff(dim=-1).abs() * weights[..., 1:]
    down = gap.diff(dim=-2).abs() * weights[..., 1:, :]
    fine = 2 * gap.square() + 0.5 * gap.abs()
    return 4 * coarse.mean() + (fine * weights).mean() + 0.5 * (across.mean() + down.mean())


def train_autoencoder(recipe: Recipe, vae: AutoencoderKL, folder: Path) -> None:
    """Train `vae` in place; set its `scaling_factor` so that scaled latents have unit variance."""
    stage, device = recipe.autoencoder, recipe.device
    run = Run(folder, "autoencoder", vae, stage)
    if run.step < stage.steps:
        todo = (stage.steps - run.step) * stage.batch
        pictures = Weighed(recipe, run.step * stage.batch, todo, recipe.shape.sketch.side)
        batches = iter(DataLoader(pictures, stage.batch, num_workers=recipe.workers))
        for _ in run.steps():
            sheet = next(batches).to(device)
            real = to_unit(sheet[:, :3]).contiguous(memory_format=torch.channels_last)
            with torch.autocast(device, torch.bfloat16):
                latent = vae.encode(real).latent_dist
                drawn = vae.decode(latent.sample()).sample
            spread = latent.kl().mean() / latent.mean[0].numel()
            loss = picture_loss(
                drawn.float(), real, sheet[:, 3:].float(), recipe.shape.sketch.scale
            )
            run.learn(loss + KL_WEIGHT * spread, kl=round(float(spread.detach()), 3))
    run.settle()
    measure_scale(recipe, vae)


def measure_scale(recipe: Recipe, vae: AutoencoderKL) -> None:
    """Set the `scaling_factor` of `vae` so that scaled latents have unit variance."""
    vae.eval()
    vae.register_to_config(scaling_factor=round(1 / _spread(recipe, vae), 5))


@torch.no_grad()
def _spread(recipe: Recipe, vae: AutoencoderKL) -> float:
    side = recipe.shape.sketch.side
    rng = luck(recipe.seed, "scale")
    drawn = [
        np.asarray(draw(random_training_scene(rng, (side, side)))) for _ in range(SAMPLES_FOR_SCALE)
    ]
    pictures = to_unit(torch.from_numpy(np.stack(drawn)).permute(0, 3, 1, 2)).to(recipe.device)
    return float(
        torch.cat([vae.encode(part).latent_dist.mean for part in torch.split(pictures, 16)]).std()
    )
