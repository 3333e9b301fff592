"""Trains what compares candidates of a picture: the last stage of fine-tuning.

Two parts learn separately. The reader predicts from a prompt's hidden states what it says, as the
text encoder's probe head did. The detector begins as the latent detector and learns to read the
denoiser's estimates of clean latents: training scenes are made noisy at the timesteps at which
candidates are compared and corrected, and the shipped denoiser estimates them with guidance.

Both depend on the text encoder and the denoiser: train them again after those have changed. The
detector that evaluates pictures is never used here.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from torch.nn import functional
from torch.utils.data import DataLoader
from transformers import CLIPTextModel, CLIPTokenizer

from imaging.engine.candidate_selector import (
    CandidateSelector,
    LatentDetector,
    Logits,
    PromptReader,
)
from imaging.postcard import vocabulary as words
from imaging.postcard.denoiser_finetune import Batch, Batches
from imaging.postcard.latent_detector import COLOURS, GROUNDS, THINGS, detection_loss, roughened
from imaging.postcard.networks import build_scheduler
from imaging.postcard.scenes import Scene
from imaging.postcard.text_encoder_finetune import PER_THING, UNKNOWN, Captions
from imaging.postcard.training_config import Stage
from imaging.postcard.training_run import TrainingRun
from imaging.postcard.varied_latents import SceneSet

READ = tuple(name for name in PER_THING if name != "size")
"""What the reader predicts of each thing: the detector tells no sizes."""
TIMESTEPS = {874: 0.3, 749: 0.3, 624: 0.25, 499: 0.15}
"""Noise levels of the estimates with their shares: those of steps 2 to 5 of 8."""
CLEAN_SHARE = 0.5
"""Share of the detector's batches that are latents with a little noise, not estimates."""
ATTACK = 0.12
"""Largest change of the latents by one step of an attack on the detector (root mean square)."""
ATTACK_STEPS = 2


def new_selector(width: int) -> CandidateSelector:
    """An untrained selector for Postcard's vocabulary and hidden states of that width."""
    selector: CandidateSelector = CandidateSelector(
        width, len(THINGS), len(COLOURS), len(GROUNDS), len(words.TIMES)
    )
    return selector


def reading_loss(
    reader: PromptReader, states: torch.Tensor, things: torch.Tensor, overall: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The reader's loss for captions with targets as in `text_encoder_finetune.targets`, and the
    share of named things whose number and colours it reads right.
    """
    answers, setting = reader(states)
    asked = things[:, :, [list(PER_THING).index(name) for name in READ]]
    named = asked[:, :, 0] > 0
    # Most things are absent from most texts: they count less.
    weight = torch.where(named.flatten(), 1.0, 0.1)
    loss, right = states.new_zeros(()), named.clone()
    for place, (name, answer) in enumerate(zip(READ, answers, strict=True)):
        truth = asked[:, :, place]
        each = functional.cross_entropy(
            answer.flatten(0, 1), truth.flatten(), reduction="none", ignore_index=UNKNOWN
        )
        loss = loss + (each * weight).sum() / weight.sum()
        if name in ("count", "colour", "other colour"):
            right &= (answer.argmax(-1) == truth) | (truth == UNKNOWN)
    for place, answer in enumerate(setting):
        loss = loss + functional.cross_entropy(answer, overall[:, place], ignore_index=UNKNOWN)
    return loss, right.sum() / named.sum()


def train_reader(
    reader: PromptReader,
    encoder: CLIPTextModel,
    tokenizer: CLIPTokenizer,
    folder: Path,
    stage: Stage,
    *,
    seed: int = 0,
    device: str = "cpu",
    workers: int = 0,
) -> None:
    """Train `reader` in place; resumes from `folder`."""
    run = TrainingRun(folder, "prompt-reader", reader, stage)
    first, todo = run.step * stage.batch, (stage.steps - run.step) * stage.batch
    captions = Captions(seed, tokenizer, first, todo)
    batches = iter(DataLoader(captions, stage.batch, num_workers=workers))
    padding = int(tokenizer.pad_token_id)
    for _ in run.steps():
        ids, things, overall, _ = (part.to(device) for part in next(batches))
        # What is behind the longest text of the batch is padding alone.
        ids = ids[:, : int((ids != padding).sum(1).max()) + 2]
        with torch.no_grad():
            states = encoder(ids).last_hidden_state.float()
        loss, right = reading_loss(reader, states, things, overall)
        run.update(loss, right=round(float(right), 4))
    run.load_average()


class Estimates:
    """The denoiser's guided estimates of noisy training scenes."""

    def __init__(
        self,
        encoder: CLIPTextModel,
        unet: UNet2DConditionModel,
        empty: torch.Tensor,
        *,
        scaling: float,
        guidance: float,
        device: str = "cpu",
    ) -> None:
        """`empty` are token ids `(1, length)` of no text; latents are multiplied by `scaling`."""
        self.encoder, self.unet, self.guidance = encoder, unet, guidance
        self.scaling, self.scheduler, self.device = scaling, build_scheduler(), device
        with torch.no_grad():
            self.blank = encoder(empty.to(device)).last_hidden_state

    @torch.no_grad()
    def of(self, batch: Batch, timestep: int, generator: torch.Generator) -> torch.Tensor:
        """Estimated scaled latents `(n, c, h, w)`."""
        clean = batch.latents.float() * self.scaling
        times = torch.full((len(clean),), timestep)
        noise = torch.randn(clean.shape, generator=generator)
        noisy = self.scheduler.add_noise(clean, noise, times).to(self.device)
        states = self.encoder(batch.ids.to(self.device)).last_hidden_state
        length = states.shape[1]
        blank = self.blank[:, :length].expand(len(clean), -1, -1)
        seen = noisy.to(self.unet.dtype, memory_format=torch.channels_last)
        times = times.to(self.device)
        unnamed, named = (
            self.unet(seen, times, text.to(self.unet.dtype)).sample.float()
            for text in (blank, states)
        )
        velocity = unnamed + self.guidance * (named - unnamed)
        alpha = self.scheduler.alphas_cumprod[timestep]
        estimate: torch.Tensor = alpha.sqrt() * noisy - (1 - alpha).sqrt() * velocity
        return estimate


def train_on_estimates(
    detector: LatentDetector,
    estimates: Estimates,
    tokenizer: CLIPTokenizer,
    sets: dict[str, SceneSet],
    folder: Path,
    stage: Stage,
    *,
    seed: int = 0,
    workers: int = 0,
) -> None:
    """Train `detector` in place; resumes from `folder`."""
    run = TrainingRun(folder, "estimate-detector", detector, stage)
    generator = torch.Generator().manual_seed(seed * 1_000_003 + run.step)
    batches = Batches(tokenizer, sets, stage.batch, run.step, stage.steps - run.step, seed + 1)
    supply = iter(DataLoader(batches, batch_size=None, num_workers=workers))
    shares = torch.tensor(list(TIMESTEPS.values()))
    for _ in run.steps():
        batch = next(supply)
        drawn = int(torch.multinomial(shares, 1, generator=generator))
        if torch.rand((), generator=generator) < CLEAN_SHARE:
            rough = roughened(batch.latents.float() * estimates.scaling, generator)
            shown = rough.to(estimates.device)
        else:
            shown = estimates.of(batch, list(TIMESTEPS)[drawn], generator)
        shown = attacked(detector, shown, batch.scenes, generator)
        loss, right = detection_loss(_detected(detector, shown), batch.scenes)
        run.update(loss, right=round(float(right), 4))
    run.load_average()


def _detected(detector: LatentDetector, latents: torch.Tensor) -> Logits:
    with torch.autocast(latents.device.type, torch.bfloat16):
        logits: Logits = detector(latents.contiguous(memory_format=torch.channels_last))
    return logits


def attacked(
    detector: LatentDetector,
    latents: torch.Tensor,
    scenes: Sequence[Scene],
    generator: torch.Generator,
) -> torch.Tensor:
    """Latents changed a little so that the detector reads them worse, each by another strength
    (adversarial training: Madry et al. 2018).

    A detector that has learnt to withstand it changes its mind only where what is in the picture
    changes. Along the gradient of any other, a thing too many becomes something that the detector
    does not see and people do.
    """
    strength = torch.rand(len(latents), 1, 1, 1, generator=generator).to(latents.device) * ATTACK
    found = latents.detach()
    for _ in range(ATTACK_STEPS):
        found = found.requires_grad_(True)
        loss, _ = detection_loss(_detected(detector, found), scenes)
        (gradient,) = torch.autograd.grad(loss, found)
        size = gradient.square().mean((1, 2, 3), keepdim=True).sqrt()
        found = (found + strength * gradient / (size + 1e-9)).detach()
    return found
