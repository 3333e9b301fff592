"""Stage two: the full-size autoencoder, grown around the sketch one without changing its latents.

One more block is put at the outside of encoder and decoder. The decoder learns to draw the full
picture from the latents of its half-size sketch; the encoder learns to find those latents in the
full picture. Whatever the denoiser has learnt on sketches stays true, so both can be trained at
the same time.
"""

from pathlib import Path

import torch
from diffusers import AutoencoderKL
from torch.nn import functional
from torch.utils.data import DataLoader

from imaging.postcard.autoencoder import Weighed, picture_loss, to_unit
from imaging.postcard.progress import Run
from imaging.postcard.recipe import Recipe

LATENT_WEIGHT = 0.5


def enlarge(sketch: AutoencoderKL, full: AutoencoderKL) -> None:
    """Start `full` from `sketch`: all weights that have a place there; the outer block is fresh."""
    state = full.state_dict()
    for key, value in sketch.state_dict().items():
        parts = key.split(".")
        if parts[:2] == ["encoder", "down_blocks"]:
            parts[2] = str(int(parts[2]) + 1)
        state[".".join(parts)] = value
    full.load_state_dict(state)
    full.register_to_config(scaling_factor=sketch.config.scaling_factor)


def train_polisher(
    recipe: Recipe, sketch: AutoencoderKL, full: AutoencoderKL, folder: Path
) -> None:
    """Train `full` in place, against the frozen `sketch`."""
    stage, device = recipe.polisher, recipe.device
    run = Run(folder, "polisher", full, stage)
    if run.step < stage.steps:
        todo = (stage.steps - run.step) * stage.batch
        pictures = Weighed(recipe, run.step * stage.batch, todo, recipe.shape.side)
        batches = iter(DataLoader(pictures, stage.batch, num_workers=recipe.workers))
        for _ in run.steps():
            sheet = next(batches).to(device)
            real = to_unit(sheet[:, :3]).contiguous(memory_format=torch.channels_last)
            with torch.autocast(device, torch.bfloat16):
                with torch.no_grad():
                    latent = sketch.encode(functional.avg_pool2d(real, 2)).latent_dist.mean.float()
                drawn = full.decode(latent).sample.float()
                found = full.encode(real).latent_dist.mean.float()
            apart = functional.mse_loss(found, latent) / latent.var()
            loss = picture_loss(drawn, real, sheet[:, 3:].float(), recipe.shape.scale)
            run.learn(loss + LATENT_WEIGHT * apart, apart=round(float(apart.detach()), 5))
    run.settle()
    full.eval()
