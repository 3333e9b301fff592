"""Fine-tunes the shipped text-to-image denoiser on varied scenes and on informal captions.

The loss is that of the first training: v-prediction, with larger weights under things and more
timesteps where the number of things is decided. Long pictures come more often than before.

The target is partly the prediction of a teacher: the shipped model, given a formal caption of the
same scene. Its predictions vary less than the velocities of single pictures, so fewer steps are
needed, and on formal captions they keep the model what it was. Where the teacher is weak its share
is smaller: in long pictures, and nothing for scenes that the first training never showed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch.utils.data import DataLoader, Dataset
from transformers import CLIPTextModel, CLIPTokenizer

from imaging.postcard import vocabulary as words
from imaging.postcard.denoiser import SHORT, WORDLESS, cell_weights, choose_timesteps
from imaging.postcard.informal_captions import paired
from imaging.postcard.networks import build_scheduler
from imaging.postcard.scenes import Scene, seeded_random
from imaging.postcard.training_captions import (
    formal_training_caption,
    informal_training_caption,
)
from imaging.postcard.training_run import TrainingRun
from imaging.postcard.varied_latents import SceneSet

INFORMAL_SHARE = 0.65
SHARES = {
    "1:1": 0.44,
    "16:9": 0.19,
    "9:16": 0.19,
    "3:2": 0.04,
    "2:3": 0.04,
    "4:5": 0.04,
    "grey": 0.06,
}

TEACHER_SQUARE = 0.8  # the teacher's share of the target
TEACHER_LONG = 0.4


@dataclass(frozen=True)
class Batch:
    """Examples of one picture size.

    Token ids `(n, length)` of the captions and of the teacher's; unscaled latents `(n, c, h, w)`;
    loss weights `(n, 1, h, w)`; the teacher's share of each target `(n, 1, 1, 1)`; the scenes.
    """

    ids: torch.Tensor
    teacher_ids: torch.Tensor
    latents: torch.Tensor
    weights: torch.Tensor
    teacher: torch.Tensor
    scenes: tuple[Scene, ...]


class Batches(Dataset[Batch]):
    """Batch number i of an endless supply, `count` of them from number `first` on."""

    def __init__(
        self,
        tokenizer: CLIPTokenizer,
        sets: dict[str, SceneSet],
        batch: int,
        first: int,
        count: int,
        seed: int = 0,
    ) -> None:
        self.tokenizer, self.sets, self.batch = tokenizer, sets, batch
        self.first, self.count, self.seed = first, count, seed

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Batch:
        rng = seeded_random(self.seed, "fine-tuning batch", self.first + index)
        names = list(self.sets)
        chosen = self.sets[rng.choices(names, [SHARES[name] for name in names])[0]]
        numbers = [rng.randrange(len(chosen.latents)) for _ in range(self.batch)]
        scenes = [chosen.scene(number) for number in numbers]
        texts, formal = zip(*(training_captions(rng, scene) for scene in scenes), strict=True)
        latents = chosen.latents[numbers]
        height, width = latents.shape[-2:]
        weights = [cell_weights(set(scene.items), width, height) for scene in scenes]
        return Batch(
            token_ids(self.tokenizer, texts, rng),
            token_ids(self.tokenizer, formal, rng),
            latents,
            torch.stack(weights),
            torch.tensor([teacher_share(scene) for scene in scenes]).view(-1, 1, 1, 1),
            tuple(scenes),
        )


def training_captions(rng: Random, scene: Scene) -> tuple[str, str]:
    """A caption of either kind, or "" for one picture in ten, and the teacher's caption of it."""
    if rng.random() < WORDLESS:
        return "", ""
    if rng.random() < INFORMAL_SHARE:
        text, _ = informal_training_caption(rng, scene)
        return text, formal_training_caption(rng, scene, terse=0.0)
    text = formal_training_caption(rng, scene)
    return text, text


def teacher_share(scene: Scene) -> float:
    """The teacher's share of the target for the scene."""
    grey = words.GREY in (scene.ground, *(item.colour for item in scene.items))
    if grey or paired(scene):
        return 0.0
    return TEACHER_SQUARE if scene.width == scene.height else TEACHER_LONG


def token_ids(tokenizer: CLIPTokenizer, texts: Sequence[str], rng: Random) -> torch.Tensor:
    """Padded ids; one batch in five keeps all padding, since the pipelines pad to full length."""
    ids: torch.Tensor = tokenizer(
        list(texts), padding="max_length", truncation=True, return_tensors="pt"
    ).input_ids
    longest = int((ids != tokenizer.pad_token_id).sum(1).max())
    short = longest < SHORT and rng.random() < 0.8
    return ids[:, :SHORT] if short else ids


@dataclass(frozen=True)
class Teacher:
    """The model before fine-tuning, in bfloat16 and without gradients."""

    encoder: CLIPTextModel
    unet: UNet2DConditionModel

    @torch.no_grad()
    def velocity(self, seen: torch.Tensor, times: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        """Its prediction `(n, c, h, w)` for noisy latents, timesteps and captions."""
        states = self.encoder(ids).last_hidden_state
        predicted: torch.Tensor = self.unet(seen, times, states).sample.float()
        return predicted


class DiffusionLoss:
    """The weighted v-prediction loss of one batch."""

    def __init__(
        self, encoder: CLIPTextModel, teacher: Teacher, scaling: float, device: str
    ) -> None:
        """`encoder` works in bfloat16; latents are multiplied by `scaling`."""
        self.encoder, self.teacher = encoder, teacher
        self.scaling, self.device = scaling, device
        self.scheduler = build_scheduler()

    def __call__(
        self, unet: UNet2DConditionModel, batch: Batch, generator: torch.Generator
    ) -> torch.Tensor:
        pictures = batch.latents.float() * self.scaling
        times = choose_timesteps(len(pictures), generator)
        noise = torch.randn(pictures.shape, generator=generator)
        seen = self.scheduler.add_noise(pictures, noise, times)
        velocity = self.scheduler.get_velocity(pictures, noise, times).to(self.device)
        seen = seen.to(self.device, torch.bfloat16, memory_format=torch.channels_last)
        times = times.to(self.device)
        taught = self.teacher.velocity(seen, times, batch.teacher_ids.to(self.device))
        target = torch.lerp(velocity, taught, batch.teacher.to(self.device))
        with torch.no_grad():
            states = self.encoder(batch.ids.to(self.device)).last_hidden_state
        predicted = unet(seen, times, states).sample
        weights = batch.weights.to(self.device)
        error: torch.Tensor = (predicted.float() - target).square().mean(1, keepdim=True)
        return (error * weights).sum() / weights.sum()


def prepare(unet: UNet2DConditionModel, device: str) -> None:
    """Set `unet` up for training on the device."""
    unet.train()
    if device == "cpu":
        # For so few cells the unfused attention is faster on a CPU, above all backwards.
        unet.set_attn_processor(AttnProcessor())


def finetune_denoiser(
    unet: UNet2DConditionModel,
    run: TrainingRun,
    loss: DiffusionLoss,
    tokenizer: CLIPTokenizer,
    sets: dict[str, SceneSet],
    *,
    seed: int = 0,
    workers: int = 0,
) -> None:
    """Train `unet` in place; `run` is its training so far."""
    prepare(unet, loss.device)
    generator = torch.Generator().manual_seed(seed * 1_000_003 + run.step)
    todo = run.stage.steps - run.step
    batches = Batches(tokenizer, sets, run.stage.batch, run.step, todo, seed)
    supply = iter(DataLoader(batches, batch_size=None, num_workers=workers))
    for _ in run.steps():
        run.update(loss(unet, next(supply), generator))
    run.load_average()
    unet.eval()
