"""Stage four: the denoiser, for text-to-image generation and for editing by instruction.

One network learns both tasks. Its input is the noisy latents and the latents of the picture to
edit, which are zero for text-to-image. The editing model ships this network as it is; the
text-to-image model ships a copy without the second input (`copy_without_edit_input`).

The loss is v-prediction (Salimans & Ho 2022) on cached latents, conditioned on the hidden states of
the frozen text encoder. One caption in ten is dropped for classifier-free guidance (Ho & Salimans
2022). The target of an edit without an instruction is the unchanged picture, so that image guidance
(Brooks et al. 2023) contrasts with keeping everything.
"""

from copy import deepcopy
from random import Random

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch.utils.data import DataLoader, Dataset
from transformers import CLIPTextModel, CLIPTokenizer

from imaging.postcard import vocabulary as words
from imaging.postcard.captions import caption, roughened
from imaging.postcard.edits import instruction
from imaging.postcard.latent_cache import Bucket, Cache, numbered_edit, numbered_scene
from imaging.postcard.networks import build_scheduler
from imaging.postcard.scenes import Item, seeded_random
from imaging.postcard.training_config import TrainingConfig
from imaging.postcard.training_run import TrainingRun

WORDLESS = 0.1
FIRST_TIMESTEP = 60
NOISY_SHARE = 0.65
NOISY_FROM, NOISY_TO = 480, 860
ITEM_WEIGHT = 4.0
SHORT = 32  # tokens


class DenoiserBatches(Dataset[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]):
    """Batch number i, all of one picture size: edits first, then text-to-image examples.

    An item is a tuple of token ids `(batch, length)`; latents `(batch, 2, c, h, w)` of the picture
    to edit (zeros for none) and of the target; and loss weights `(batch, 1, h, w)`.
    """

    def __init__(
        self, config: TrainingConfig, tokenizer: CLIPTokenizer, cache: Cache, first: int
    ) -> None:
        self.config, self.stage, self.tokenizer = config, config.denoiser, tokenizer
        self.cache, self.first = cache, first

    def __len__(self) -> int:
        return self.stage.steps - self.first

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        rng = seeded_random(self.config.seed, "lesson", self.first + index)
        place = rng.choices(range(len(self.cache.scenes)), self._shares())[0]
        edits = round(self.stage.batch * self.stage.edits)
        rows = [self._edit(rng, *self.cache.edits[place]) for _ in range(edits)]
        rows += [
            self._scene(rng, *self.cache.scenes[place]) for _ in range(self.stage.batch - edits)
        ]
        texts, latents, weights = zip(*rows, strict=True)
        ids = self.tokenizer(
            list(texts), padding="max_length", truncation=True, return_tensors="pt"
        ).input_ids
        # The pipelines pad every text to the full length, so one batch in five keeps all padding.
        longest = int((ids != self.tokenizer.pad_token_id).sum(1).max())
        if longest < SHORT and rng.random() < 0.8:
            ids = ids[:, :SHORT]
        return ids, torch.stack(latents), torch.stack(weights)

    def _shares(self) -> list[float]:
        """The probability of each picture size. Few examples of a size suffice for its content, but
        not to learn that a thing in a long picture is one thing.
        """
        square = self.config.square_batches
        others = (1 - square) / max(1, len(self.cache.scenes) - 1)
        return [square if b.size[0] == b.size[1] else others for b, _ in self.cache.scenes]

    def _scene(
        self, rng: Random, bucket: Bucket, latents: torch.Tensor
    ) -> tuple[str, torch.Tensor, torch.Tensor]:
        number = rng.randrange(bucket.count)
        scene = numbered_scene(self.config, bucket.first + number, bucket.size)
        language: words.Language = rng.choice(("en", "fr"))
        wordless = rng.random() < WORDLESS
        text = "" if wordless else roughened(rng, caption(rng, scene, language))
        wanted = latents[number, 0]
        rows = torch.stack([torch.zeros_like(wanted), wanted])
        return text, rows, cell_weights(set(scene.items), wanted.shape[-1], wanted.shape[-2])

    def _edit(
        self, rng: Random, bucket: Bucket, latents: torch.Tensor
    ) -> tuple[str, torch.Tensor, torch.Tensor]:
        number = rng.randrange(bucket.count)
        edit = numbered_edit(self.config, bucket.first + number, bucket.size)
        rows = latents[number]
        if rng.random() < WORDLESS:
            return "", rows[[0, 0]], torch.ones_like(rows[0, :1])
        changed = set(edit.before.items) ^ set(edit.after.items)
        weights = cell_weights(changed, rows.shape[-1], rows.shape[-2])
        return instruction(rng, edit), rows, weights


def cell_weights(items: set[Item], width: int, height: int) -> torch.Tensor:
    """Loss weights `(1, height, width)`: `ITEM_WEIGHT` under the boxes of `items`, 1 elsewhere.

    Things cover a seventh of the pictures. Without weights the ground is learnt long before them.
    """
    weights = torch.ones(1, height, width)
    unit = min(width, height)
    for item in items:
        left, top, right, bottom = (max(0, round(edge * unit)) for edge in item.box)
        weights[:, top:bottom, left:right] = ITEM_WEIGHT
    return weights


def choose_timesteps(count: int, generator: torch.Generator) -> torch.Tensor:
    """`count` random timesteps. A share of `NOISY_SHARE` lies between `NOISY_FROM` and `NOISY_TO`,
    where the number and position of things are decided; the others are uniform from
    `FIRST_TIMESTEP` on, the lowest that few-step sampling visits.
    """
    noisy = torch.rand(count, generator=generator) < NOISY_SHARE
    low = torch.where(noisy, NOISY_FROM, FIRST_TIMESTEP)
    high = torch.where(noisy, NOISY_TO, 1000)
    return low + (torch.rand(count, generator=generator) * (high - low)).long()


def train_denoiser(
    config: TrainingConfig,
    unet: UNet2DConditionModel,
    run: TrainingRun,
    encoder: CLIPTextModel,
    batches: DenoiserBatches,
    scaling: float,
) -> None:
    """Train `unet`, which takes a picture to edit, in place; `run` holds its progress.

    Cached latents are unscaled. Those of the target are multiplied by `scaling`; those of the
    picture to edit aren't, as in the stock pipeline.
    """
    device = config.device
    scheduler = build_scheduler()
    chance = torch.Generator().manual_seed(config.seed * 1_000_003 + run.step)
    supply = iter(DataLoader(batches, batch_size=None, num_workers=config.workers))
    unet.train()
    if device == "cpu":
        # For so few cells the unfused attention is faster on a CPU, above all backwards.
        unet.set_attn_processor(AttnProcessor())
    text_encoder = deepcopy(encoder).to(torch.bfloat16)
    text_encoder.set_attn_implementation("eager")
    compiled = torch.compile(unet, dynamic=False) if config.compiled else unet
    common = (*batches.cache.scenes[0][1].shape[-2:], SHORT)
    for _ in run.steps():
        ids, rows, weights = next(supply)
        pictures = rows[:, 1].float() * scaling
        times = choose_timesteps(len(ids), chance)
        noise = torch.randn(pictures.shape, generator=chance)
        seen = torch.cat([scheduler.add_noise(pictures, noise, times), rows[:, 0].float()], dim=1)
        wanted = scheduler.get_velocity(pictures, noise, times).to(device)
        with torch.no_grad():
            states = text_encoder(ids.to(device)).last_hidden_state
        seen = seen.to(device, torch.bfloat16, memory_format=torch.channels_last)
        # Compiled for the one shape that most batches have.
        net = compiled if (*seen.shape[-2:], ids.shape[1]) == common else unet
        guess = net(seen, times.to(device), states).sample
        weights = weights.to(device)
        error = (guess.float() - wanted).square().mean(1, keepdim=True)
        run.update((error * weights).sum() / weights.sum())
    run.load_average()
    unet.eval()


def copy_without_edit_input(
    editor: UNet2DConditionModel, text_to_image: UNet2DConditionModel
) -> None:
    """Copy the weights of `editor` to `text_to_image`, without the input channels of the picture to
    edit.
    """
    state = editor.state_dict()
    kept = text_to_image.conv_in.weight.shape[1]
    text_to_image.load_state_dict({**state, "conv_in.weight": state["conv_in.weight"][:, :kept]})
