"""Stage two: the full-size autoencoder, grown from the half-size one with the same latents.

Encoder and decoder each get one more block on the outside. The decoder learns to decode the latents
of a half-size picture to the full-size picture; the encoder learns to encode the full-size picture
to those latents. The denoiser can therefore be trained at the same time, on half-size pictures.
"""

from pathlib import Path

import torch
from diffusers import AutoencoderKL
from torch.nn import functional
from torch.utils.data import DataLoader

from imaging.postcard.autoencoder import WeightedPictures, picture_loss, to_unit
from imaging.postcard.training_config import TrainingConfig
from imaging.postcard.training_run import TrainingRun

LATENT_WEIGHT = 0.5


def grow_from_half_size(half_size: AutoencoderKL, full: AutoencoderKL) -> None:
    """Initialise `full` with the weights of `half_size`; its outer blocks stay random."""
    state = full.state_dict()
    for key, value in half_size.state_dict().items():
        parts = key.split(".")
        if parts[:2] == ["encoder", "down_blocks"]:
            parts[2] = str(int(parts[2]) + 1)
        state[".".join(parts)] = value
    full.load_state_dict(state)
    full.register_to_config(scaling_factor=half_size.config.scaling_factor)


def train_full_size_autoencoder(
    config: TrainingConfig, half_size: AutoencoderKL, full: AutoencoderKL, folder: Path
) -> None:
    """Train `full` in place; the latents of the frozen `half_size` are its targets."""
    stage, device = config.full_size, config.device
    run = TrainingRun(folder, "full_size", full, stage)
    if run.step < stage.steps:
        todo = (stage.steps - run.step) * stage.batch
        pictures = WeightedPictures(config, run.step * stage.batch, todo, config.shape.side)
        batches = iter(DataLoader(pictures, stage.batch, num_workers=config.workers))
        for _ in run.steps():
            batch = next(batches).to(device)
            real = to_unit(batch[:, :3]).contiguous(memory_format=torch.channels_last)
            with torch.autocast(device, torch.bfloat16):
                with torch.no_grad():
                    latent = half_size.encode(
                        functional.avg_pool2d(real, 2)
                    ).latent_dist.mean.float()
                drawn = full.decode(latent).sample.float()
                found = full.encode(real).latent_dist.mean.float()
            apart = functional.mse_loss(found, latent) / latent.var()
            loss = picture_loss(drawn, real, batch[:, 3:].float(), config.shape.scale)
            run.update(loss + LATENT_WEIGHT * apart, apart=round(float(apart.detach()), 5))
    run.load_average()
    full.eval()
