"""Stage four: the denoiser that paints from words and edits a picture by instruction.

One network learns both. Beside the noisy latents it takes those of a picture to edit, which are
nothing where there is none; painting then is the case of nothing to start from, and what is learnt
of words and shapes serves both. The editor is this network whole; the painter is the same without
the further input channels (`narrow`).

It learns v-prediction (Salimans & Ho 2022) on cached latents with the words' hidden states from
the frozen text encoder. One text in ten is left out, so that guidance has something to compare
with (Ho & Salimans 2022). An edit without words leaves its picture as it is: what guidance then
weighs against (Brooks et al. 2023) is keeping everything.
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
from imaging.postcard.latents import Bucket, Cache, numbered_edit, numbered_scene
from imaging.postcard.networks import build_scheduler
from imaging.postcard.progress import Run
from imaging.postcard.recipe import Recipe
from imaging.postcard.scenes import Item, luck

WORDLESS = 0.1
FIRST_TIMESTEP = 60
NOISY_SHARE = 0.65
NOISY_FROM, NOISY_TO = 480, 860
ITEM_WEIGHT = 4.0
SHORT = 32  # tokens


class Lessons(Dataset[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]):
    """Batch number i, all of one picture size: edits first, pictures after them.

    Token ids `(batch, length)`, latents `(batch, 2, c, h, w)` of the picture to edit (zeros for
    none) and the picture wanted, and how much each cell counts `(batch, 1, h, w)`.
    """

    def __init__(self, recipe: Recipe, tokenizer: CLIPTokenizer, cache: Cache, first: int) -> None:
        self.recipe, self.stage, self.tokenizer = recipe, recipe.painter, tokenizer
        self.cache, self.first = cache, first

    def __len__(self) -> int:
        return self.stage.steps - self.first

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        rng = luck(self.recipe.seed, "lesson", self.first + index)
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
        # What is behind the longest text of the batch is padding alone: some of it is cut, some is
        # shown, since the pipelines pad all texts to the full length.
        longest = int((ids != self.tokenizer.pad_token_id).sum(1).max())
        if longest < SHORT and rng.random() < 0.8:
            ids = ids[:, :SHORT]
        return ids, torch.stack(latents), torch.stack(weights)

    def _shares(self) -> list[float]:
        """How often each size comes. Few pictures that are not square suffice for what there is to
        see in them, but not to learn that a thing in so much room is one thing.
        """
        square = self.recipe.square_lessons
        others = (1 - square) / max(1, len(self.cache.scenes) - 1)
        return [square if b.size[0] == b.size[1] else others for b, _ in self.cache.scenes]

    def _scene(
        self, rng: Random, bucket: Bucket, latents: torch.Tensor
    ) -> tuple[str, torch.Tensor, torch.Tensor]:
        number = rng.randrange(bucket.count)
        scene = numbered_scene(self.recipe, bucket.first + number, bucket.size)
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
        edit = numbered_edit(self.recipe, bucket.first + number, bucket.size)
        rows = latents[number]
        if rng.random() < WORDLESS:
            return "", rows[[0, 0]], torch.ones_like(rows[0, :1])
        changed = set(edit.before.items) ^ set(edit.after.items)
        weights = cell_weights(changed, rows.shape[-1], rows.shape[-2])
        return instruction(rng, edit), rows, weights


def cell_weights(items: set[Item], width: int, height: int) -> torch.Tensor:
    """`(1, height, width)`: cells under the boxes of `items` count `ITEM_WEIGHT`, others 1.

    Things cover a seventh of the pictures; unweighted, the ground would be learnt long before them.
    """
    weights = torch.ones(1, height, width)
    unit = min(width, height)
    for item in items:
        left, top, right, bottom = (max(0, round(edge * unit)) for edge in item.box)
        weights[:, top:bottom, left:right] = ITEM_WEIGHT
    return weights


def choose_timesteps(count: int, generator: torch.Generator) -> torch.Tensor:
    """`count` noise levels: a third spread evenly, none so low that few-step sampling never visits
    it, and the rest where it is settled how many things there are, and where.
    """
    noisy = torch.rand(count, generator=generator) < NOISY_SHARE
    low = torch.where(noisy, NOISY_FROM, FIRST_TIMESTEP)
    high = torch.where(noisy, NOISY_TO, 1000)
    return low + (torch.rand(count, generator=generator) * (high - low)).long()


def train_painter(
    recipe: Recipe,
    unet: UNet2DConditionModel,
    run: Run,
    encoder: CLIPTextModel,
    lessons: Lessons,
    scaling: float,
) -> None:
    """Train `unet`, which takes a picture to edit, in place; `run` is its training so far.

    Cached latents are unscaled and are multiplied by `scaling`, but for those of the picture to
    edit: the stock pipeline hands them over as they are.
    """
    device = recipe.device
    scheduler = build_scheduler()
    chance = torch.Generator().manual_seed(recipe.seed * 1_000_003 + run.step)
    supply = iter(DataLoader(lessons, batch_size=None, num_workers=recipe.workers))
    unet.train()
    if device == "cpu":
        # On so few cells the plain product is faster there, backwards above all.
        unet.set_attn_processor(AttnProcessor())
    reader = deepcopy(encoder).to(torch.bfloat16)
    reader.set_attn_implementation("eager")
    compiled = torch.compile(unet, dynamic=False) if recipe.compiled else unet
    common = (*lessons.cache.scenes[0][1].shape[-2:], SHORT)
    for _ in run.steps():
        ids, rows, weights = next(supply)
        pictures = rows[:, 1].float() * scaling
        times = choose_timesteps(len(ids), chance)
        noise = torch.randn(pictures.shape, generator=chance)
        seen = torch.cat([scheduler.add_noise(pictures, noise, times), rows[:, 0].float()], dim=1)
        wanted = scheduler.get_velocity(pictures, noise, times).to(device)
        with torch.no_grad():
            states = reader(ids.to(device)).last_hidden_state
        seen = seen.to(device, torch.bfloat16, memory_format=torch.channels_last)
        # Compiled for the one shape that most batches have.
        net = compiled if (*seen.shape[-2:], ids.shape[1]) == common else unet
        guess = net(seen, times.to(device), states).sample
        weights = weights.to(device)
        error = (guess.float() - wanted).square().mean(1, keepdim=True)
        run.learn((error * weights).sum() / weights.sum())
    run.settle()
    unet.eval()


def narrow(editor: UNet2DConditionModel, painter: UNet2DConditionModel) -> None:
    """Give `painter` the weights of `editor`, without the input of a picture to edit."""
    state = editor.state_dict()
    kept = painter.conv_in.weight.shape[1]
    painter.load_state_dict({**state, "conv_in.weight": state["conv_in.weight"][:, :kept]})
