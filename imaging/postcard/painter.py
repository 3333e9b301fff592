"""Stages three and four: the denoiser that paints from words, and its twin that edits a picture by
instruction.

Both learn v-prediction (Salimans & Ho 2022) on cached latents with the words' hidden states from
the frozen text encoder. One text in ten is left out, so that guidance has something to compare
with (Ho & Salimans 2022); the editor also goes without its picture now and then (Brooks et al.
2023).
"""

from pathlib import Path
from random import Random

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch.utils.data import DataLoader, Dataset
from transformers import CLIPTextModel, CLIPTokenizer

from imaging.postcard import vocabulary as words
from imaging.postcard.captions import caption, roughened
from imaging.postcard.edits import instruction
from imaging.postcard.latents import choose, numbered_edit, numbered_scene
from imaging.postcard.networks import build_scheduler
from imaging.postcard.progress import Run
from imaging.postcard.reader import encoded
from imaging.postcard.recipe import Recipe
from imaging.postcard.scenes import Item, luck

WORDLESS = 0.1
BLIND = 0.05
FIRST_TIMESTEP = 60
NOISY_SHARE = 0.3
NOISY_FROM = 700
ITEM_WEIGHT = 4.0


class Lessons(Dataset[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]):
    """Batch number i, all of one picture size.

    Token ids `(batch, length)`, latents `(batch, k, c, h, w)` and how much each cell counts
    `(batch, 1, h, w)`.
    """

    def __init__(
        self,
        recipe: Recipe,
        tokenizer: CLIPTokenizer,
        latents: list[torch.Tensor],
        first: int,
        *,
        edit: bool,
    ) -> None:
        self.recipe, self.tokenizer, self.latents = recipe, tokenizer, latents
        self.first, self.edit = first, edit
        self.stage = recipe.editor if edit else recipe.painter

    def __len__(self) -> int:
        return self.stage.steps - self.first

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        step = self.first + index
        total = self.recipe.triples if self.edit else self.recipe.scenes
        place, bucket, numbers = choose(self.recipe, total, step, self.stage.batch)
        rng = luck(self.recipe.seed, "words", step, self.edit)
        latents = self.latents[place][numbers]
        height, width = latents.shape[-2:]
        ids, weights = [], []
        for number in numbers:
            text, items = self._asked(rng, bucket.first + number, bucket.size)
            ids.append(encoded(self.tokenizer, text))
            weights.append(cell_weights(items, width, height))
        return torch.stack(ids), latents, torch.stack(weights)

    def _asked(self, rng: Random, number: int, size: tuple[int, int]) -> tuple[str, set[Item]]:
        """The words, "" now and then, and the items that matter most."""
        wordless = rng.random() < WORDLESS
        if self.edit:
            edit = numbered_edit(self.recipe, number, size)
            changed = set(edit.before.items) ^ set(edit.after.items)
            return "" if wordless else instruction(rng, edit), changed
        scene = numbered_scene(self.recipe, number, size)
        language: words.Language = rng.choice(("en", "fr"))
        text = "" if wordless else roughened(rng, caption(rng, scene, language))
        return text, set(scene.items)


def cell_weights(items: set[Item], width: int, height: int) -> torch.Tensor:
    """`(1, height, width)`: cells under the boxes of `items` count `ITEM_WEIGHT`, others 1.

    Things cover a seventh of the pictures; unweighted, the ground would be learnt long before them.
    """
    weights = torch.ones(1, height, width)
    unit = min(width, height)
    for item in items:
        half_w, half_h = item.reach
        left, right = (item.x - half_w) * unit, (item.x + half_w) * unit
        top, bottom = (item.y - half_h) * unit, (item.y + half_h) * unit
        rows = slice(max(0, round(top)), max(0, round(bottom)))
        weights[:, rows, max(0, round(left)) : max(0, round(right))] = ITEM_WEIGHT
    return weights


def choose_timesteps(count: int, generator: torch.Generator) -> torch.Tensor:
    """`count` noise levels: spread evenly, none so low that few-step sampling never visits it,
    more of the noisiest.

    What the picture will show is settled in the noisiest third; most mistakes against the words
    are made there.
    """
    low = torch.full((count,), FIRST_TIMESTEP)
    low[torch.rand(count, generator=generator) < NOISY_SHARE] = NOISY_FROM
    return low + (torch.rand(count, generator=generator) * (1000 - low)).long()


def train_painter(
    recipe: Recipe,
    unet: UNet2DConditionModel,
    encoder: CLIPTextModel,
    tokenizer: CLIPTokenizer,
    latents: list[torch.Tensor],
    scaling: float,
    folder: Path,
) -> None:
    """Train `unet` in place; `latents` are unscaled and are multiplied by `scaling`. An edit has
    two latents a row.
    """
    edit = latents[0].shape[1] == 2
    stage, device = (recipe.editor if edit else recipe.painter), recipe.device
    run = Run(folder, "editor" if edit else "painter", unet, stage)
    if run.step < stage.steps:
        scheduler = build_scheduler()
        chance = torch.Generator().manual_seed(recipe.seed * 1_000_003 + run.step)
        lessons = Lessons(recipe, tokenizer, latents, run.step, edit=edit)
        supply = iter(DataLoader(lessons, batch_size=None, num_workers=recipe.workers))
        unet.train()
        if device == "cpu":
            # On so few cells the plain product is faster there, backwards above all.
            unet.set_attn_processor(AttnProcessor())
        for _ in run.steps():
            ids, rows, weights = next(supply)
            pictures = rows[:, -1].float() * scaling
            times = choose_timesteps(len(ids), chance)
            noise = torch.randn(pictures.shape, generator=chance)
            seen = scheduler.add_noise(pictures, noise, times)
            wanted = scheduler.get_velocity(pictures, noise, times).to(device)
            if edit:
                # The stock pipeline hands the picture to edit over unscaled.
                source = rows[:, 0].float()
                source = source * (torch.rand(len(ids), 1, 1, 1, generator=chance) >= BLIND)
                seen = torch.cat([seen, source], dim=1)
            with torch.autocast(device, torch.bfloat16):
                with torch.no_grad():
                    states = encoder(ids.to(device)).last_hidden_state
                seen = seen.to(device, memory_format=torch.channels_last)
                guess = unet(seen, times.to(device), states).sample
            weights = weights.to(device)
            error = (guess.float() - wanted).square().mean(1, keepdim=True)
            run.learn((error * weights).sum() / weights.sum())
    run.settle()
    unet.eval()


def widen(painter: UNet2DConditionModel, editor: UNet2DConditionModel) -> None:
    """Start the editor from the painter: the same weights, and none yet for the picture to edit."""
    state = painter.state_dict()
    wide = torch.zeros_like(editor.conv_in.weight)
    wide[:, : state["conv_in.weight"].shape[1]] = state["conv_in.weight"]
    editor.load_state_dict({**state, "conv_in.weight": wide})
