"""Continues the shipped weights' training: `python -m imaging.postcard.finetune --config cpu`.

Stages run in order and each resumes where it was stopped: encoded scenes, text encoder, latent
detector, denoiser, reward, selector. `--export` writes a diffusers folder whose text encoder,
denoiser and selector are the new ones; the autoencoder and the editing model are copied from
`--weights`. With `--as-is` nothing is trained and the checkpoints so far are exported, without a
new selector. With `--selector-only` a selector is trained for the text encoder and the denoiser of
`--weights` as they are.
"""

import argparse
import os
import shutil
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel

from imaging.engine.candidate_selector import CandidateSelector, LatentDetector
from imaging.postcard.denoiser_finetune import (
    Batches,
    DiffusionLoss,
    Teacher,
    finetune_denoiser,
    prepare,
)
from imaging.postcard.latent_detector import train_latent_detector
from imaging.postcard.networks import Networks
from imaging.postcard.published_vocabulary import write_vocabulary
from imaging.postcard.reward_finetune import Reward, finetune_by_reward
from imaging.postcard.selector_training import (
    Estimates,
    new_selector,
    train_on_estimates,
    train_reader,
)
from imaging.postcard.text_encoder_finetune import AnchoredTextEncoder, finetune_text_encoder
from imaging.postcard.tokenizer import load_tokenizer
from imaging.postcard.training_config import Stage
from imaging.postcard.training_run import TrainingRun, load_averaged
from imaging.postcard.varied_latents import SceneSet, varied_latents

WEIGHTS = Path(__file__).parent / "weights"
STAGES = ("scenes", "text encoder", "detector", "denoiser", "reward", "selector")
SELECTOR = "selector"  # its folder among the weights


@dataclass(frozen=True)
class Config:
    """Everything that decides the fine-tuned weights, apart from the weights they begin from."""

    scenes: dict[str, int]
    text_head: Stage
    text_encoder: Stage
    detector: Stage
    denoiser: Stage
    reward: Stage
    sampling: Reward
    reader: Stage
    estimates: Stage
    seed: int = 0
    workers: int = 0
    device: str = "cpu"


CONFIGS: dict[str, Config] = {
    "cpu": Config(
        scenes={
            "1:1": 24_000,
            "16:9": 9000,
            "9:16": 9000,
            "3:2": 3000,
            "2:3": 3000,
            "4:5": 3000,
            "grey": 4000,
        },
        text_head=Stage(150, 128, 2e-3),
        text_encoder=Stage(700, 128, 6e-4),
        detector=Stage(2000, 32, 2e-3),
        denoiser=Stage(6000, 32, 3e-4),
        reward=Stage(2000, 24, 2.5e-4),
        sampling=Reward(batch=12),
        reader=Stage(1200, 64, 4e-3),
        estimates=Stage(2500, 24, 1e-3),
    ),
    "gpu": Config(
        scenes={
            "1:1": 60_000,
            "16:9": 24_000,
            "9:16": 24_000,
            "3:2": 6000,
            "2:3": 6000,
            "4:5": 6000,
            "grey": 8000,
        },
        text_head=Stage(300, 512, 2e-3),
        text_encoder=Stage(1500, 512, 8e-4),
        detector=Stage(4000, 128, 2e-3),
        denoiser=Stage(12_000, 256, 5e-4),
        reward=Stage(3000, 128, 3e-4),
        sampling=Reward(batch=64),
        reader=Stage(1200, 256, 4e-3),
        estimates=Stage(1500, 96, 1.2e-3),
        workers=12,
        device="cuda",
    ),
}


def shortened(config: Config, steps: int) -> Config:
    """The config with every stage cut to at most `steps` steps of at most 4 examples, to try it."""

    def cut(stage: Stage) -> Stage:
        return replace(stage, steps=min(steps, stage.steps), batch=min(4, stage.batch))

    return replace(
        config,
        scenes=dict.fromkeys(config.scenes, 8),
        text_head=cut(config.text_head),
        text_encoder=cut(config.text_encoder),
        detector=cut(config.detector),
        denoiser=cut(config.denoiser),
        reward=cut(config.reward),
        sampling=replace(config.sampling, batch=2),
        reader=cut(config.reader),
        estimates=cut(config.estimates),
    )


class Finetuning:
    """The networks as they are trained on, and the folder where that is kept."""

    def __init__(self, config: Config, folder: Path, weights: Path = WEIGHTS) -> None:
        self.config, self.folder, self.weights = config, folder, weights
        torch.manual_seed(config.seed)
        self.tokenizer = load_tokenizer(weights / "tokenizer")
        self.encoder = CLIPTextModel.from_pretrained(weights / "text_encoder").to(config.device)
        vae = AutoencoderKL.from_pretrained(weights / "vae")
        self.vae = vae.to(config.device, memory_format=torch.channels_last).requires_grad_(False)
        self.teacher = self._teacher()
        unet = UNet2DConditionModel.from_pretrained(weights / "unet")
        self.unet = unet.to(config.device, memory_format=torch.channels_last)
        self.scaling = float(vae.config.scaling_factor)
        self.selector: CandidateSelector | None = None

    def sets(self) -> dict[str, SceneSet]:
        """The encoded training scenes."""
        c = self.config
        return varied_latents(
            self.vae,
            self.folder / "cache",
            c.scenes,
            seed=c.seed,
            device=c.device,
            workers=c.workers,
        )

    def train_text_encoder(self) -> None:
        """Afterwards the text encoder is frozen."""
        c = self.config
        finetune_text_encoder(
            self.tokenizer,
            self.encoder,
            self.folder / "text",
            head=c.text_head,
            joint=c.text_encoder,
            seed=c.seed,
            device=c.device,
            workers=c.workers,
        )

    def train_detector(self, sets: dict[str, SceneSet]) -> LatentDetector:
        """The trained detector of latents."""
        c = self.config
        return train_latent_detector(
            sets,
            self.scaling,
            self.folder / "detector",
            c.detector,
            seed=c.seed,
            device=c.device,
            workers=c.workers,
        )

    def _frozen(self, encoder: CLIPTextModel) -> CLIPTextModel:
        """A copy in half precision, without gradients."""
        copy = CLIPTextModel(encoder.config)
        copy.load_state_dict(encoder.state_dict())
        copy.set_attn_implementation("eager")
        frozen: CLIPTextModel = copy.to(self.config.device, torch.bfloat16)
        return frozen.requires_grad_(False).eval()

    def _teacher(self) -> Teacher:
        unet = UNet2DConditionModel.from_pretrained(
            self.weights / "unet", torch_dtype=torch.bfloat16
        )
        unet.to(self.config.device, memory_format=torch.channels_last)
        prepare(unet, self.config.device)
        return Teacher(self._frozen(self.encoder), unet.requires_grad_(False).eval())

    def diffusion_loss(self) -> DiffusionLoss:
        """The loss with the text encoder as it is now."""
        return DiffusionLoss(
            self._frozen(self.encoder), self.teacher, self.scaling, self.config.device
        )

    def train_denoiser(self, sets: dict[str, SceneSet]) -> None:
        """Train on by the diffusion loss alone."""
        c = self.config
        run = TrainingRun(self.folder / "denoiser", "denoiser", self.unet, c.denoiser, half=True)
        finetune_denoiser(
            self.unet,
            run,
            self.diffusion_loss(),
            self.tokenizer,
            sets,
            seed=c.seed,
            workers=c.workers,
        )

    def train_by_reward(self, sets: dict[str, SceneSet], detector: LatentDetector) -> None:
        """Train on by the reward and the diffusion loss together."""
        c = self.config
        run = TrainingRun(self.folder / "reward", "reward", self.unet, c.reward, 0.99, half=True)
        todo = c.reward.steps - run.step
        first = c.denoiser.steps + run.step
        batches = Batches(self.tokenizer, sets, c.reward.batch, first, todo, c.seed)
        finetune_by_reward(
            self.unet,
            run,
            self.diffusion_loss(),
            batches,
            detector,
            c.sampling,
            workers=c.workers,
        )

    def train_selector(self, sets: dict[str, SceneSet], detector: LatentDetector) -> None:
        """Train what compares candidates, for the text encoder and the denoiser as they are now;
        `detector` is trained on.
        """
        c = self.config
        encoder = deepcopy(self.encoder).requires_grad_(False).eval()
        encoder.set_attn_implementation("eager")
        selector = new_selector(encoder.config.hidden_size).to(c.device)
        selector.detector = detector.requires_grad_(True).train()
        train_reader(
            selector.reader,
            encoder,
            self.tokenizer,
            self.folder / "reader",
            c.reader,
            seed=c.seed,
            device=c.device,
            workers=c.workers,
        )
        unet = deepcopy(self.unet).to(torch.bfloat16).requires_grad_(False).eval()
        estimates = Estimates(
            encoder,
            unet,
            self.tokenizer("", padding="max_length", return_tensors="pt").input_ids,
            scaling=self.scaling,
            guidance=c.sampling.guidance,
            device=c.device,
        )
        train_on_estimates(
            selector.detector,
            estimates,
            self.tokenizer,
            sets,
            self.folder / "estimates",
            c.estimates,
            seed=c.seed,
            workers=c.workers,
        )
        self.selector = selector

    def load_averaged(self) -> dict[str, int]:
        """Load every stage's averaged weights as they are now; steps done by each."""
        probed = AnchoredTextEncoder(self.encoder)
        done = {"text encoder": load_averaged(self.folder / "text", "text-encoder", probed)}
        for name in ("denoiser", "reward"):
            done[name] = load_averaged(self.folder / name, name, self.unet)
        return done

    def export(self, folder: Path) -> None:
        """Write the diffusers folder."""
        if folder.resolve() != self.weights.resolve():
            shutil.copytree(self.weights, folder, dirs_exist_ok=True)
        encoder, unet = self.encoder.to("cpu").float(), self.unet.to("cpu").float()
        Networks(self.tokenizer, encoder, self.vae.to("cpu"), unet).save(folder)
        write_vocabulary(folder / "vocabulary.json", informal=True)
        if self.selector is not None:
            self.selector.to("cpu").half().save_pretrained(folder / SELECTOR)


def run_stages(training: Finetuning, until: str = STAGES[-1]) -> None:
    """All stages in their order, to `until` and no further."""
    sets = training.sets()
    if until == "scenes":
        return
    training.train_text_encoder()
    if until == "text encoder":
        return
    detector = training.train_detector(sets)
    if until == "detector":
        return
    training.train_denoiser(sets)
    if until == "denoiser":
        return
    training.train_by_reward(sets, detector)
    if until == "reward":
        return
    training.train_selector(sets, detector)


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", choices=sorted(CONFIGS), required=True)
    parser.add_argument("--folder", type=Path, required=True, help="checkpoints, caches and logs")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="where to begin from")
    parser.add_argument("--export", type=Path, help="write the diffusers folder here")
    parser.add_argument("--until", choices=STAGES, default=STAGES[-1], help="stop after this stage")
    parser.add_argument("--as-is", action="store_true", help="train nothing, export what there is")
    parser.add_argument("--selector-only", action="store_true", help="train the selector alone")
    parser.add_argument("--device", help="another device than the config's")
    parser.add_argument("--threads", type=int, help="CPU threads of torch")
    parser.add_argument("--try-steps", type=int, help="cut every stage to this many small steps")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> None:
    """Train all stages, then export."""
    arguments = _arguments(given)
    config = CONFIGS[arguments.config]
    if arguments.device:
        config = replace(config, device=arguments.device)
    config = replace(config, workers=min(config.workers, (os.cpu_count() or 1) - 1))
    if arguments.try_steps:
        config = shortened(config, arguments.try_steps)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    training = Finetuning(config, arguments.folder, arguments.weights)
    if arguments.as_is:
        print(training.load_averaged())
    elif arguments.selector_only:
        sets = training.sets()
        training.train_selector(sets, training.train_detector(sets))
    else:
        run_stages(training, arguments.until)
    if arguments.export:
        training.export(arguments.export)


if __name__ == "__main__":
    main()
