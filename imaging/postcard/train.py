"""Trains Postcard again from nothing: `python -m imaging.postcard.train --config cpu`.

Stages run in order and each resumes where it was stopped: autoencoder, reader (text encoder),
painter (denoiser). `--export` writes the diffusers folders at the end; with `--as-is`,
from the checkpoints so far.
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
from imaging.postcard.latents import cached_latents
from imaging.postcard.networks import (
    Networks,
    build_text_encoder,
    build_unet,
    build_vae,
    write_defaults,
)
from imaging.postcard.painter import Lessons, narrow, train_painter
from imaging.postcard.polish import enlarge, train_polisher
from imaging.postcard.progress import Run, recall
from imaging.postcard.reader import Reading, train_reader
from imaging.postcard.recipe import RECIPES, Recipe, shortened
from imaging.postcard.tokens import load_tokenizer, write_tokenizer

STAGES = ("autoencoder", "polisher", "reader", "painter")


class Studio:
    """The networks of one recipe and the folder where their training is kept."""

    def __init__(self, recipe: Recipe, folder: Path) -> None:
        self.recipe, self.folder = recipe, folder
        shape = recipe.shape
        random.seed(recipe.seed)
        np.random.seed(recipe.seed)
        torch.manual_seed(recipe.seed)
        write_tokenizer(folder / "tokenizer", known_words(), shape.text_length)
        self.tokenizer = load_tokenizer(folder / "tokenizer")
        self.sketch: AutoencoderKL = self._placed(build_vae(shape.sketch))
        self.vae: AutoencoderKL = self._placed(build_vae(shape))
        self.encoder = build_text_encoder(shape, self.tokenizer).to(recipe.device)
        self.painter: UNet2DConditionModel = self._placed(build_unet(shape))
        self.editor: UNet2DConditionModel = self._placed(build_unet(shape, edit=True))

    def _placed(self, module: Any) -> Any:
        return module.to(self.recipe.device, memory_format=torch.channels_last)

    def train_autoencoder(self) -> None:
        """Stage one; afterwards the autoencoder is frozen."""
        train_autoencoder(self.recipe, self.sketch, self.folder)
        self.sketch.requires_grad_(False)

    def train_polisher(self) -> None:
        """Stage two; afterwards the full-size autoencoder is frozen too."""
        enlarge(self.sketch, self.vae)
        train_polisher(self.recipe, self.sketch, self.vae, self.folder)
        self.vae.requires_grad_(False)

    def train_reader(self) -> None:
        """Stage three; afterwards the text encoder is frozen."""
        train_reader(self.recipe, self.tokenizer, self.encoder, self.folder)
        self.encoder.requires_grad_(False)

    def train_painter(self) -> None:
        """Stage four: painting and editing by one network."""
        cache = cached_latents(self.recipe, self.sketch, self.folder)
        run = Run(self.folder, "painter", self.editor, self.recipe.painter, half=True)
        lessons = Lessons(self.recipe, self.tokenizer, cache, run.step)
        scaling = float(self.sketch.config.scaling_factor)
        train_painter(self.recipe, self.editor, run, self.encoder, lessons, scaling)
        narrow(self.editor, self.painter)

    def recall(self) -> dict[str, int]:
        """Load every stage's averaged weights as they are now, trained to the end or not; steps
        done by each.
        """
        reading = Reading(self.encoder, self.recipe.shape.text_width)
        done = {"autoencoder": recall(self.folder, "autoencoder", self.sketch)}
        measure_scale(self.recipe, self.sketch)
        enlarge(self.sketch, self.vae)
        done["polisher"] = recall(self.folder, "polisher", self.vae)
        done["reader"] = recall(self.folder, "reader", reading)
        done["painter"] = recall(self.folder, "painter", self.editor)
        narrow(self.editor, self.painter)
        return done

    def export(self, folder: Path, *, small: bool = False) -> None:
        """Write the two diffusers folders and `atelier.json`; `small` with the sketch autoencoder,
        at half size.
        """
        shape, vae = (
            (self.recipe.shape.sketch, self.sketch) if small else (self.recipe.shape, self.vae)
        )
        for unet in (self.painter, self.editor):
            unet.register_to_config(sample_size=shape.side // shape.scale)
        Networks(self.tokenizer, self.encoder, vae, self.painter).save(folder)
        Networks(self.tokenizer, self.encoder, vae, self.editor).save(folder / "edit", edit=True)
        unit = shape.side / words.ASPECTS["1:1"][0]
        write_defaults(
            folder,
            shape,
            {
                "steps": self.recipe.steps_per_picture,
                "guidance": self.recipe.guidance,
                "edit_guidance": self.recipe.edit_guidance,
                "image_guidance": self.recipe.image_guidance,
            },
            {name: (round(w * unit), round(h * unit)) for name, (w, h) in words.ASPECTS.items()},
        )


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", choices=sorted(RECIPES), required=True)
    parser.add_argument(
        "--folder", type=Path, required=True, help="where checkpoints, caches and the log are kept"
    )
    parser.add_argument("--export", type=Path, help="write the finished diffusers folder here")
    parser.add_argument("--seed", type=int, help="another seed than the recipe's")
    parser.add_argument("--device", help="another device than the recipe's")
    parser.add_argument(
        "--try-steps", type=int, help="cut every stage to this many steps, to try the recipe"
    )
    parser.add_argument("--until", choices=STAGES, default=STAGES[-1], help="stop after this stage")
    parser.add_argument(
        "--as-is", action="store_true", help="train nothing: export the checkpoints as they are now"
    )
    parser.add_argument("--small", action="store_true", help="export the half-size model")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> None:
    """Train all stages of a recipe, then export."""
    arguments = _arguments(given)
    recipe = RECIPES[arguments.config]
    if arguments.seed is not None:
        recipe = replace(recipe, seed=arguments.seed)
    if arguments.device:
        workers = min(recipe.workers, os.cpu_count() or 1)
        recipe = replace(recipe, device=arguments.device, workers=workers)
    if arguments.try_steps:
        recipe = shortened(recipe, arguments.try_steps)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    studio = Studio(recipe, arguments.folder)
    training: tuple[Callable[[], None], ...] = (
        studio.train_autoencoder,
        studio.train_polisher,
        studio.train_reader,
        studio.train_painter,
    )
    if arguments.as_is:
        print(studio.recall())
        training = ()
    for name, train in zip(STAGES, training, strict=bool(training)):
        train()
        if arguments.until == name:
            break
    if arguments.export:
        studio.export(arguments.export, small=arguments.small)


if __name__ == "__main__":
    main()
