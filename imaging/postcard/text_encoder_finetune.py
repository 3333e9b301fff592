"""Fine-tunes the text encoder on informal captions.

As in pre-training, a probe head predicts from the hidden states what a caption says: for each thing
its number, colours, size, place and role, and the ground and the time of day. Class 0 means "not
mentioned". The head is trained alone first, then together with the encoder, and then discarded.

On formal captions an anchor loss, the mean squared distance to the hidden states of the encoder
before fine-tuning, keeps them close to what the denoiser was trained on.
"""

from copy import deepcopy
from pathlib import Path
from random import Random

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from transformers import CLIPTextModel, CLIPTokenizer

from imaging.postcard import vocabulary as words
from imaging.postcard.informal_captions import Mention, Mentions
from imaging.postcard.scenes import (
    Item,
    Scene,
    random_grey_scene,
    random_training_scene,
    random_varied_scene,
    seeded_random,
)
from imaging.postcard.text_encoder import CONVERSE, encoded, probe_head
from imaging.postcard.training_captions import (
    formal_training_caption,
    informal_training_caption,
)
from imaging.postcard.training_config import Stage
from imaging.postcard.training_run import TrainingRun

THINGS = tuple(words.THINGS)
COLOURS = tuple(words.PALETTE)
SIZES = ("small", "medium", "large")
GROUNDS = (*words.LANDSCAPES, *COLOURS)
ROLES = ("left of", "right of", "above", "below", "beside")
SEVERAL = 4  # the number of a bare plural
UNKNOWN = -100  # no answer is asked for
INFORMAL_SHARE = 0.7
GREY_SHARE = 0.07
ANCHOR_WEIGHT = 2.0

# Classes of each answer.
PER_THING = {
    "count": 5,
    "colour": 1 + len(COLOURS),
    "other colour": 1 + len(COLOURS),
    "size": 1 + len(SIZES),
    "column": 4,
    "row": 4,
    "role": 1 + len(ROLES),
}
OVERALL = {"ground": 1 + len(GROUNDS), "time": 1 + len(words.TIMES)}


def _answer(item: Item, mention: Mention, place: str, role: str) -> list[int]:
    column, row = words.PLACES[place] if place and mention.place else (None, None)
    return [
        item.count if mention.count else SEVERAL,
        1 + COLOURS.index(item.colour) if mention.colour else 0,
        0,
        1 + SIZES.index(item.size) if mention.size else 0,
        0 if column is None else 1 + column,
        0 if row is None else 1 + row,
        1 + ROLES.index(role) if role else 0,
    ]


def targets(scene: Scene, said: Mentions) -> tuple[torch.Tensor, torch.Tensor]:
    """What a caption says of the scene as class numbers: `(things, targets)` and `(targets,)`."""
    things = torch.zeros(len(THINGS), len(PER_THING), dtype=torch.long)
    for place, (item, mention) in enumerate(zip(scene.items, said.items, strict=True)):
        role = ""
        if said.relation and scene.relation and place < 2:
            role = scene.relation if place == 0 else CONVERSE[scene.relation]
        where = scene.places[place] if scene.places else ""
        row = THINGS.index(item.thing)
        if things[row, 0]:
            # The second of two equal things in two colours.
            first, second = sorted((int(things[row, 1]), 1 + COLOURS.index(item.colour)))
            things[row] = torch.tensor([2, first, second, int(things[row, 3]), 0, 0, 0])
        else:
            things[row] = torch.tensor(_answer(item, mention, where, role))
    overall = [
        1 + GROUNDS.index(scene.ground) if said.ground else 0,
        1 + words.TIMES.index(scene.time) if said.time else 0,
    ]
    return things, torch.tensor(overall)


def formal_targets(scene: Scene) -> tuple[torch.Tensor, torch.Tensor]:
    """The same for a caption of `captions.caption`, which does not tell what it left out: colours
    that may be unsaid, sizes and daylight are not asked for.
    """
    said = Mentions(
        items=tuple(Mention(count=True, colour=True, size=True, place=True) for _ in scene.items),
        relation=True,
        ground=True,
        time=bool(scene.time),
        shared=False,
    )
    things, overall = targets(scene, said)
    for item in scene.items:
        row = THINGS.index(item.thing)
        things[row, 3] = UNKNOWN
        if item.colour in words.THINGS[item.thing].natural:
            things[row, 1] = UNKNOWN
    if scene.time == "day":
        overall[1] = UNKNOWN
    return things, overall


Example = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


class Captions(Dataset[Example]):
    """Text number i of an endless supply: token ids, targets for each thing and overall, and
    whether the caption is of the first training's kind.
    """

    def __init__(self, seed: int, tokenizer: CLIPTokenizer, first: int, count: int) -> None:
        self.seed, self.tokenizer, self.first, self.count = seed, tokenizer, first, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Example:
        rng = seeded_random(self.seed, "informal text", self.first + index)
        if rng.random() < INFORMAL_SHARE:
            grey = rng.random() < GREY_SHARE
            scene = random_grey_scene(rng) if grey else random_varied_scene(rng)
            text, said = informal_training_caption(rng, scene)
            things, overall = targets(scene, said)
            return encoded(self.tokenizer, text), things, overall, torch.tensor(0.0)
        text, scene = _formal(rng)
        return encoded(self.tokenizer, text), *formal_targets(scene), torch.tensor(1.0)


def _formal(rng: Random) -> tuple[str, Scene]:
    scene = random_training_scene(rng)
    return formal_training_caption(rng, scene), scene


class AnchoredTextEncoder(nn.Module):
    """The text encoder with its head, and a frozen copy of the encoder as it was."""

    def __init__(self, encoder: CLIPTextModel) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = probe_head(encoder.config.hidden_size, PER_THING, OVERALL)
        self.anchor = deepcopy(encoder).requires_grad_(False)

    def forward(
        self,
        ids: torch.Tensor,
        things: torch.Tensor,
        overall: torch.Tensor,
        formal: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Loss, its anchor part, and the share of named things read right in number and colours."""
        states = self.encoder(ids).last_hidden_state
        said, setting = self.head(states)
        loss = ids.new_zeros((), dtype=torch.float32)
        named = things[:, :, 0] > 0
        right = named.clone()
        for place, answer in enumerate(said):
            truth = things[:, :, place]
            each = nn.functional.cross_entropy(
                answer.float().flatten(0, 1),
                truth.flatten(),
                reduction="none",
                ignore_index=UNKNOWN,
            )
            # Most things are absent from most texts: they count less.
            weight = torch.where(named.flatten(), 1.0, 0.1)
            loss = loss + (each * weight).sum() / weight.sum()
            if place < 3:
                right &= (answer.argmax(-1) == truth) | (truth == UNKNOWN)
        for place, answer in enumerate(setting):
            loss = loss + nn.functional.cross_entropy(
                answer.float(), overall[:, place], ignore_index=UNKNOWN
            )
        with torch.no_grad():
            before = self.anchor(ids).last_hidden_state
        apart = (states.float() - before.float()).square().mean((1, 2))
        anchor = (apart * formal).sum() / formal.sum().clamp(min=1)
        return loss + ANCHOR_WEIGHT * anchor, anchor, right.sum() / named.sum()


def _train(
    probed: AnchoredTextEncoder, run: TrainingRun, texts: Captions, device: str, workers: int
) -> None:
    batches = iter(DataLoader(texts, run.stage.batch, num_workers=workers))
    padding = int(texts.tokenizer.pad_token_id)
    for _ in run.steps():
        ids, things, overall, formal = (part.to(device) for part in next(batches))
        # What is behind the longest text of the batch is padding alone.
        ids = ids[:, : int((ids != padding).sum(1).max()) + 2]
        with torch.autocast(device, torch.bfloat16):
            loss, anchor, right = probed(ids, things, overall, formal)
        run.update(loss, anchor=round(float(anchor.detach()), 5), right=round(float(right), 4))
    run.load_average()


def finetune_text_encoder(
    tokenizer: CLIPTokenizer,
    encoder: CLIPTextModel,
    folder: Path,
    *,
    head: Stage,
    joint: Stage,
    seed: int = 0,
    device: str = "cpu",
    workers: int = 0,
) -> None:
    """Train `encoder` in place; both stages resume from `folder`."""
    encoder.set_attn_implementation("eager")
    torch.manual_seed(seed)
    probed = AnchoredTextEncoder(encoder).to(device)
    encoder.requires_grad_(False)
    for name, stage in (("text-head", head), ("text-encoder", joint)):
        run = TrainingRun(folder, name, probed, stage)
        if run.step < stage.steps:
            first = run.step * stage.batch + (head.steps * head.batch if stage is joint else 0)
            texts = Captions(seed, tokenizer, first, (stage.steps - run.step) * stage.batch)
            _train(probed, run, texts, device, workers)
        else:
            run.load_average()
        encoder.requires_grad_(True)
    encoder.requires_grad_(False)
    encoder.eval()
