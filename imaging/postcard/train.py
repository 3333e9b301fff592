"""Trains Postcard from scratch: `python -m imaging.postcard.train --config cpu`.

Stages run in order and each resumes from its checkpoint: half-size autoencoder, full-size
autoencoder, text encoder, denoiser. `--export` writes the diffusers folders at the end; with
`--as-is` nothing is trained and the current checkpoints are exported.
"""

import argparse
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from imaging.postcard import vocabulary as words
from imaging.postcard.autoencoder import measure_scale, train_autoencoder
from imaging.postcard.captions import known_words
from imaging.postcard.denoiser import DenoiserBatches, copy_without_edit_input, train_denoiser
from imaging.postcard.full_size_autoencoder import grow_from_half_size, train_full_size_autoencoder
from imaging.postcard.latent_cache import cached_latents
from imaging.postcard.networks import (
    Networks,
    build_text_encoder,
    build_unet,
    build_vae,
    write_defaults,
)
from imaging.postcard.published_vocabulary import write_vocabulary
from imaging.postcard.text_encoder import ProbedTextEncoder, train_text_encoder
from imaging.postcard.tokenizer import load_tokenizer, write_tokenizer
from imaging.postcard.training_config import CONFIGS, TrainingConfig, shortened
from imaging.postcard.training_run import TrainingRun, load_averaged

STAGES = ("autoencoder", "full_size", "text_encoder", "denoiser")


class Trainer:
    """Trains the networks of one config; checkpoints, caches and the log are kept in `folder`."""

    def __init__(self, config: TrainingConfig, folder: Path) -> None:
        self.config, self.folder = config, folder
        shape = config.shape
        random.seed(config.seed)
        np.random.seed(config.seed)
        torch.manual_seed(config.seed)
        write_tokenizer(folder / "tokenizer", known_words(), shape.text_length)
        self.tokenizer = load_tokenizer(folder / "tokenizer")
        self.half_size: AutoencoderKL = self._placed(build_vae(shape.half_size))
        self.vae: AutoencoderKL = self._placed(build_vae(shape))
        self.encoder = build_text_encoder(shape, self.tokenizer).to(config.device)
        self.text_to_image: UNet2DConditionModel = self._placed(build_unet(shape))
        self.editor: UNet2DConditionModel = self._placed(build_unet(shape, edit=True))

    def _placed(self, module: Any) -> Any:
        return module.to(self.config.device, memory_format=torch.channels_last)

    def train_autoencoder(self) -> None:
        """Run stage one; afterwards the half-size autoencoder is frozen."""
        train_autoencoder(self.config, self.half_size, self.folder)
        self.half_size.requires_grad_(False)

    def train_full_size_autoencoder(self) -> None:
        """Run stage two; afterwards the full-size autoencoder is frozen too."""
        grow_from_half_size(self.half_size, self.vae)
        train_full_size_autoencoder(self.config, self.half_size, self.vae, self.folder)
        self.vae.requires_grad_(False)

    def train_text_encoder(self) -> None:
        """Run stage three; afterwards the text encoder is frozen."""
        train_text_encoder(self.config, self.tokenizer, self.encoder, self.folder)
        self.encoder.requires_grad_(False)

    def train_denoiser(self) -> None:
        """Run stage four: generation and editing by one network."""
        cache = cached_latents(self.config, self.half_size, self.folder)
        run = TrainingRun(self.folder, "denoiser", self.editor, self.config.denoiser, half=True)
        batches = DenoiserBatches(self.config, self.tokenizer, cache, run.step)
        scaling = float(self.half_size.config.scaling_factor)
        train_denoiser(self.config, self.editor, run, self.encoder, batches, scaling)
        copy_without_edit_input(self.editor, self.text_to_image)

    def load_averaged(self) -> dict[str, int]:
        """Load the averaged weights of every stage, finished or not; returns each stage's steps."""
        probed = ProbedTextEncoder(self.encoder, self.config.shape.text_width)
        done = {"autoencoder": load_averaged(self.folder, "autoencoder", self.half_size)}
        measure_scale(self.config, self.half_size)
        grow_from_half_size(self.half_size, self.vae)
        done["full_size"] = load_averaged(self.folder, "full_size", self.vae)
        done["text_encoder"] = load_averaged(self.folder, "text_encoder", probed)
        done["denoiser"] = load_averaged(self.folder, "denoiser", self.editor)
        copy_without_edit_input(self.editor, self.text_to_image)
        return done

    def export(self, folder: Path, *, small: bool = False) -> None:
        """Write the two diffusers folders and `atelier.json`; with `small`, those of the half-size
        model.
        """
        shape, vae = (
            (self.config.shape.half_size, self.half_size)
            if small
            else (self.config.shape, self.vae)
        )
        for unet in (self.text_to_image, self.editor):
            unet.register_to_config(sample_size=shape.side // shape.scale)
        Networks(self.tokenizer, self.encoder, vae, self.text_to_image).save(folder)
        Networks(self.tokenizer, self.encoder, vae, self.editor).save(folder / "edit", edit=True)
        write_vocabulary(folder / "vocabulary.json")
        unit = shape.side / words.ASPECTS["1:1"][0]
        write_defaults(
            folder,
            shape,
            {
                "steps": self.config.steps_per_picture,
                "guidance": self.config.guidance,
                "edit_guidance": self.config.edit_guidance,
                "image_guidance": self.config.image_guidance,
            },
            {name: (round(w * unit), round(h * unit)) for name, (w, h) in words.ASPECTS.items()},
        )


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", choices=sorted(CONFIGS), required=True)
    parser.add_argument(
        "--folder", type=Path, required=True, help="where checkpoints, caches and the log are kept"
    )
    parser.add_argument("--export", type=Path, help="write the finished diffusers folder here")
    parser.add_argument("--seed", type=int, help="overrides the config's seed")
    parser.add_argument("--device", help="overrides the config's device")
    parser.add_argument(
        "--try-steps", type=int, help="limit every stage to this many steps, for a trial run"
    )
    parser.add_argument("--until", choices=STAGES, default=STAGES[-1], help="stop after this stage")
    parser.add_argument(
        "--as-is", action="store_true", help="train nothing, export the current checkpoints"
    )
    parser.add_argument("--small", action="store_true", help="export the half-size model")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> None:
    """Train all stages of a config, then export."""
    arguments = _arguments(given)
    config = CONFIGS[arguments.config]
    if arguments.seed is not None:
        config = replace(config, seed=arguments.seed)
    if arguments.device:
        workers = min(config.workers, os.cpu_count() or 1)
        config = replace(config, device=arguments.device, workers=workers)
    if arguments.try_steps:
        config = shortened(config, arguments.try_steps)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    trainer = Trainer(config, arguments.folder)
    training: tuple[Callable[[], None], ...] = (
        trainer.train_autoencoder,
        trainer.train_full_size_autoencoder,
        trainer.train_text_encoder,
        trainer.train_denoiser,
    )
    if arguments.as_is:
        print(trainer.load_averaged())
        training = ()
    for name, train in zip(STAGES, training, strict=bool(training)):
        train()
        if arguments.until == name:
            break
    if arguments.export:
        trainer.export(arguments.export, small=arguments.small)


if __name__ == "__main__":
    main()
