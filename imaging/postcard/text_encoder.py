"""Stage three: the text encoder, pre-trained on captions alone.

A probe head predicts from the hidden states what a caption asks for: each thing's number, colour,
size, place and role in the sentence; the ground, the time of day, and the kind of edit. The head
uses cross-attention with linear keys and values, as the denoiser does, so that the denoiser can use
whatever the head can read. The head is discarded afterwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from transformers import CLIPTextModel, CLIPTokenizer

from imaging.engine.candidate_selector import PromptReader
from imaging.postcard import vocabulary as words
from imaging.postcard.captions import caption, roughened
from imaging.postcard.edits import KINDS, Edit, instruction, random_edit
from imaging.postcard.scenes import Item, Scene, random_training_scene, seeded_random
from imaging.postcard.training_config import TrainingConfig
from imaging.postcard.training_run import TrainingRun

THINGS = tuple(words.THINGS)
COLOURS = tuple(words.COLOURS)
SIZES = ("small", "medium", "large")
GROUNDS = (*words.LANDSCAPES, *COLOURS)
ROLES = ("alone", "left of", "right of", "above", "below", "beside", "source", "new")
CONVERSE = {
    "left of": "right of",
    "right of": "left of",
    "above": "below",
    "below": "above",
    "beside": "beside",
}

# Number of classes of each target. Class 0 means "not mentioned".
PER_THING = {
    "count": 4,
    "colour": 1 + len(COLOURS),
    "size": 1 + len(SIZES),
    "column": 4,
    "row": 4,
    "role": 1 + len(ROLES),
}
OVERALL = {"ground": 1 + len(GROUNDS), "time": 1 + len(words.TIMES), "kind": 1 + len(KINDS)}
INSTRUCTION_SHARE = 0.35


@dataclass(frozen=True)
class Targets:
    """What a text asks for, as class numbers: `things` is `(things, targets)`, `overall` is
    `(targets,)`.
    """

    things: torch.Tensor
    overall: torch.Tensor


def _blank() -> Targets:
    return Targets(
        torch.zeros(len(THINGS), len(PER_THING), dtype=torch.long),
        torch.zeros(len(OVERALL), dtype=torch.long),
    )


def _set_target(targets: Targets, item: Item, place: str, role: str) -> None:
    column, row = words.PLACES[place] if place else (None, None)
    targets.things[THINGS.index(item.thing)] = torch.tensor(
        [
            item.count,
            1 + COLOURS.index(item.colour),
            1 + SIZES.index(item.size),
            0 if column is None else 1 + column,
            0 if row is None else 1 + row,
            1 + ROLES.index(role),
        ]
    )


def scene_targets(scene: Scene) -> Targets:
    """The targets of a caption of the scene."""
    targets = _blank()
    for index, item in enumerate(scene.items):
        role = "alone"
        if scene.relation and index < 2:
            role = scene.relation if index == 0 else CONVERSE[scene.relation]
        _set_target(targets, item, scene.places[index], role)
    targets.overall[0] = 1 + GROUNDS.index(scene.ground)
    targets.overall[1] = 1 + words.TIMES.index(scene.time) if scene.time else 0
    return targets


def edit_targets(edit: Edit) -> Targets:
    """The targets of an instruction: only the things it names, as they are after the edit."""
    targets = _blank()
    targets.overall[2] = 1 + KINDS.index(edit.kind)
    if edit.kind == "ground":
        targets.overall[0] = 1 + GROUNDS.index(edit.after.ground)
    if edit.kind == "time":
        targets.overall[1] = 1 + words.TIMES.index(edit.after.time)
    old = {item.thing: item for item in edit.before.items}
    for item, place in zip(edit.after.items, edit.after.places, strict=True):
        if item.thing == edit.target:
            _set_target(
                targets,
                item,
                place if edit.kind == "add" else "",
                "new" if edit.kind == "add" else "source",
            )
        elif item.thing not in old:
            _set_target(targets, item, "", "new")
    if edit.kind in ("remove", "replace"):
        _set_target(targets, old[edit.target], "", "source")
    return targets


class Captions(Dataset[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]):
    """Example number i of an endless supply: token ids, targets per thing, overall targets."""

    def __init__(
        self, config: TrainingConfig, tokenizer: CLIPTokenizer, first: int, count: int
    ) -> None:
        self.config, self.tokenizer, self.first, self.count = config, tokenizer, first, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        rng = seeded_random(self.config.seed, "text", self.first + index)
        language: words.Language = rng.choice(("en", "fr"))
        if rng.random() < INSTRUCTION_SHARE:
            edit = random_edit(rng, language, unseen=False)
            text, targets = instruction(rng, edit), edit_targets(edit)
        else:
            scene = random_training_scene(rng)
            text, targets = roughened(rng, caption(rng, scene, language)), scene_targets(scene)
        return encoded(self.tokenizer, text), targets.things, targets.overall


def encoded(tokenizer: CLIPTokenizer, text: str) -> torch.Tensor:
    """Token ids `(length,)`, padded and truncated as in the pipelines."""
    ids = tokenizer(
        text, padding="max_length", truncation=True, max_length=tokenizer.model_max_length
    ).input_ids
    return torch.tensor(ids)


def probe_head(
    width: int,
    per_thing: Mapping[str, int] = PER_THING,
    overall: Mapping[str, int] = OVERALL,
) -> PromptReader:
    """An untrained head that predicts the targets from hidden states."""
    return PromptReader(width, len(THINGS), [*per_thing.values()], [*overall.values()])


class ProbedTextEncoder(nn.Module):
    """The text encoder with its probe head."""

    def __init__(self, encoder: CLIPTextModel, width: int) -> None:
        super().__init__()
        self.encoder, self.head = encoder, probe_head(width)

    def forward(
        self, ids: torch.Tensor, things: torch.Tensor, overall: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The loss, and the share of named things whose number and colour are both predicted
        correctly.
        """
        said, setting = self.head(self.encoder(ids).last_hidden_state)
        loss = ids.new_zeros((), dtype=torch.float32)
        named = things[:, :, 0] > 0
        right = named.clone()
        for place, answer in enumerate(said):
            truth = things[:, :, place]
            # Most things are absent from most texts. Equal weights would teach "absent" first.
            each = nn.functional.cross_entropy(
                answer.float().flatten(0, 1), truth.flatten(), reduction="none"
            )
            weight = torch.where(truth.flatten() > 0, 1.0, 0.1)
            loss = loss + (each * weight).sum() / weight.sum()
            if place < 2:
                right &= answer.argmax(-1) == truth
        for place, answer in enumerate(setting):
            loss = loss + nn.functional.cross_entropy(answer.float(), overall[:, place])
        return loss, right.sum() / named.sum()


def train_text_encoder(
    config: TrainingConfig, tokenizer: CLIPTokenizer, encoder: CLIPTextModel, folder: Path
) -> None:
    """Train `encoder` in place; resumes from `folder`."""
    stage, device = config.text_encoder, config.device
    # Captions are short: attention is faster unfused.
    encoder.set_attn_implementation("eager")
    probed = ProbedTextEncoder(encoder, config.shape.text_width).to(device)
    run = TrainingRun(folder, "text_encoder", probed, stage)
    if run.step < stage.steps:
        texts = Captions(
            config, tokenizer, run.step * stage.batch, (stage.steps - run.step) * stage.batch
        )
        batches = iter(DataLoader(texts, stage.batch, num_workers=config.workers))
        for _ in run.steps():
            ids, things, overall = (part.to(device) for part in next(batches))
            # Positions behind the longest text of the batch hold padding only.
            ids = ids[:, : int((ids != tokenizer.pad_token_id).sum(1).max()) + 2]
            with torch.autocast(device, torch.bfloat16):
                loss, right = probed(ids, things, overall)
            run.update(loss, right=round(float(right), 4))
    run.load_average()
    encoder.eval()
