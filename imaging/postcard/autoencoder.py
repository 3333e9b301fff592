"""Stage one: the sketch autoencoder, trained on square crops of scenes drawn at half size.

Half the size is a quarter of the work, and the latents it makes are those of the finished model:
the next stage (`polish`) puts the outermost block around it.

It is convolutional throughout, so crops teach it pictures of every size. The loss is the squared
error of the picture and of its average over each latent cell, which settles colours first
(absolute error alone paints small things in the commonest hue for a long time); then the absolute
error of the picture and of its horizontal and vertical differences, since edges are what flat
pictures are made of; and a little Kullback-Leibler divergence to keep the latents near a normal
distribution (Kingma & Welling 2014).
"""

from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from imaging.postcard.drawing import draw
from imaging.postcard.progress import Run
from imaging.postcard.recipe import Recipe
from imaging.postcard.scenes import luck, random_training_scene

KL_WEIGHT = 2e-5
SAMPLES_FOR_SCALE = 256


class Crops(Dataset[torch.Tensor]):
    """Crop number i of an endless supply: `(3, crop, crop)` bytes."""

    def __init__(self, recipe: Recipe, first: int, count: int, zoom: int = 0) -> None:
        """`zoom` 0 draws sketches, 1 pictures of full size."""
        self.recipe, self.first, self.count = recipe, first, count
        self.side = recipe.shape.side if zoom else recipe.shape.sketch.side

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> torch.Tensor:
        rng = luck(self.recipe.seed, "crop", self.first + index)
        side, crop = self.side, self.recipe.crop
        picture = np.asarray(draw(random_training_scene(rng, (side, side))))
        left, top = rng.randint(0, side - crop), rng.randint(0, side - crop)
        if rng.random() < 0.5:
            picture = picture[:, ::-1]
        return torch.from_numpy(picture[top : top + crop, left : left + crop].copy()).permute(
            2, 0, 1
        )


def to_unit(pictures: torch.Tensor) -> torch.Tensor:
    """Bytes 0…255 to floats -1…1."""
    return pictures.float() / 127.5 - 1


def edges_apart(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference of neighbouring-pixel differences, both ways, of `(n, c, h, w)`
    pictures.
    """
    gap = first - second
    return gap.diff(dim=-1).abs().mean() + gap.diff(dim=-2).abs().mean()


def picture_loss(drawn: torch.Tensor, real: torch.Tensor, cell: int) -> torch.Tensor:
    """How far `drawn` is from `real`, both `(n, 3, h, w)` in -1…1; `cell` is a latent cell's side
    in pixels.
    """
    coarse = functional.mse_loss(
        functional.avg_pool2d(drawn, cell), functional.avg_pool2d(real, cell)
    )
    fine = functional.mse_loss(drawn, real)
    return (
        4 * coarse
        + 2 * fine
        + 0.5 * functional.l1_loss(drawn, real)
        + 0.5 * edges_apart(drawn, real)
    )


def train_autoencoder(recipe: Recipe, vae: AutoencoderKL, folder: Path) -> None:
    """Train `vae` in place; set its `scaling_factor` so that scaled latents have unit variance."""
    stage, device = recipe.autoencoder, recipe.device
    run = Run(folder, "autoencoder", vae, stage)
    if run.step < stage.steps:
        crops = Crops(recipe, run.step * stage.batch, (stage.steps - run.step) * stage.batch)
        batches = iter(DataLoader(crops, stage.batch, num_workers=recipe.workers))
        for _ in run.steps():
            real = to_unit(next(batches)).to(device, memory_format=torch.channels_last)
            with torch.autocast(device, torch.bfloat16):
                latent = vae.encode(real).latent_dist
                drawn = vae.decode(latent.sample()).sample
            spread = latent.kl().mean() / latent.mean[0].numel()
            loss = picture_loss(drawn.float(), real, recipe.shape.sketch.scale) + KL_WEIGHT * spread
            run.learn(loss, kl=round(float(spread.detach()), 3))
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
