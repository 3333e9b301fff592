"""Stage two: the text encoder, trained on words alone, before any picture.

From the encoder's hidden states a small reading head must answer what was asked for: for each
thing its number, colour, size, place and part in the sentence; the ground, the time of day, and
the kind of edit. The head attends to the hidden states through plain linear keys and values,
exactly as the denoiser will, so what it can read there the denoiser can use. The head is thrown
away afterwards.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from transformers import CLIPTextModel, CLIPTokenizer

from imaging.postcard import vocabulary as words
from imaging.postcard.captions import caption, roughened
from imaging.postcard.edits import KINDS, Edit, instruction, random_edit
from imaging.postcard.progress import Run
from imaging.postcard.recipe import Recipe
from imaging.postcard.scenes import Item, Scene, luck, random_training_scene

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

# Classes of each answer; 0 always means "nothing was said".
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
class Answers:
    """What a text asks for, as class numbers: `things` is (things, answers), `overall` is
    (answers,).
    """

    things: torch.Tensor
    overall: torch.Tensor


def _blank() -> Answers:
    return Answers(
        torch.zeros(len(THINGS), len(PER_THING), dtype=torch.long),
        torch.zeros(len(OVERALL), dtype=torch.long),
    )


def _note(answers: Answers, item: Item, place: str, role: str) -> None:
    column, row = words.PLACES[place] if place else (None, None)
    answers.things[THINGS.index(item.thing)] = torch.tensor(
        [
            item.count,
            1 + COLOURS.index(item.colour),
            1 + SIZES.index(item.size),
            0 if column is None else 1 + column,
            0 if row is None else 1 + row,
            1 + ROLES.index(role),
        ]
    )


def scene_answers(scene: Scene) -> Answers:
    """What a caption of the scene asks for."""
    answers = _blank()
    for index, item in enumerate(scene.items):
        role = "alone"
        if scene.relation and index < 2:
            role = scene.relation if index == 0 else CONVERSE[scene.relation]
        _note(answers, item, scene.places[index], role)
    answers.overall[0] = 1 + GROUNDS.index(scene.ground)
    answers.overall[1] = 1 + words.TIMES.index(scene.time) if scene.time else 0
    return answers


def edit_answers(edit: Edit) -> Answers:
    """What an instruction asks for: only the things it names, as they are to become."""
    answers = _blank()
    answers.overall[2] = 1 + KINDS.index(edit.kind)
    if edit.kind == "ground":
        answers.overall[0] = 1 + GROUNDS.index(edit.after.ground)
    if edit.kind == "time":
        answers.overall[1] = 1 + words.TIMES.index(edit.after.time)
    old = {item.thing: item for item in edit.before.items}
    for item, place in zip(edit.after.items, edit.after.places, strict=True):
        if item.thing == edit.target:
            _note(
                answers,
                item,
                place if edit.kind == "add" else "",
                "new" if edit.kind == "add" else "source",
            )
        elif item.thing not in old:
            _note(answers, item, "", "new")
    if edit.kind in ("remove", "replace"):
        _note(answers, old[edit.target], "", "source")
    return answers


class Texts(Dataset[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]):
    """Text number i of an endless supply: token ids, answers a thing, answers overall."""

    def __init__(self, recipe: Recipe, tokenizer: CLIPTokenizer, first: int, count: int) -> None:
        self.recipe, self.tokenizer, self.first, self.count = recipe, tokenizer, first, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        rng = luck(self.recipe.seed, "text", self.first + index)
        language: words.Language = rng.choice(("en", "fr"))
        if rng.random() < INSTRUCTION_SHARE:
            edit = random_edit(rng, language, unseen=False)
            text, answers = instruction(rng, edit), edit_answers(edit)
        else:
            scene = random_training_scene(rng)
            text, answers = roughened(rng, caption(rng, scene, language)), scene_answers(scene)
        return encoded(self.tokenizer, text), answers.things, answers.overall


def encoded(tokenizer: CLIPTokenizer, text: str) -> torch.Tensor:
    """Token ids `(length,)`, padded and cut as the pipelines do it."""
    ids = tokenizer(
        text, padding="max_length", truncation=True, max_length=tokenizer.model_max_length
    ).input_ids
    return torch.tensor(ids)


class ReadingHead(nn.Module):
    """Answers from hidden states by one attention of learned questions."""

    def __init__(self, width: int) -> None:
        super().__init__()
        # Questions must differ from the start: near zero, all would look at the same words, and
        # learning to look apart takes longer than all the rest.
        self.questions = nn.Parameter(torch.randn(len(THINGS) + 1, width))
        self.attend = nn.MultiheadAttention(width, 4, batch_first=True)
        self.think = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU())
        self.things = nn.ModuleList(nn.Linear(2 * width, classes) for classes in PER_THING.values())
        self.overall = nn.ModuleList(nn.Linear(2 * width, classes) for classes in OVERALL.values())

    def forward(self, states: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        questions = self.questions.expand(len(states), -1, -1)
        # With weights asked for, attention takes the plain way, faster here than the fused one.
        heard, _ = self.attend(questions, states, states, need_weights=True)
        thought = self.think(questions + heard)
        things, whole = thought[:, :-1], thought[:, -1]
        return [head(things) for head in self.things], [head(whole) for head in self.overall]


class Reading(nn.Module):
    """The text encoder with its reading head."""

    def __init__(self, encoder: CLIPTextModel, width: int) -> None:
        super().__init__()
        self.encoder, self.head = encoder, ReadingHead(width)

    def forward(
        self, ids: torch.Tensor, things: torch.Tensor, overall: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Loss, and the share of named things whose number and colour are both read right."""
        said, setting = self.head(self.encoder(ids).last_hidden_state)
        loss = ids.new_zeros((), dtype=torch.float32)
        named = things[:, :, 0] > 0
        right = named.clone()
        for place, answer in enumerate(said):
            truth = things[:, :, place]
            # Most things are absent from most texts: they count less, or "absent" would be learnt
            # first.
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


def train_reader(
    recipe: Recipe, tokenizer: CLIPTokenizer, encoder: CLIPTextModel, folder: Path
) -> None:
    """Train `encoder` in place."""
    stage, device = recipe.reader, recipe.device
    # Texts are short: attention is faster unfused.
    encoder.set_attn_implementation("eager")
    reading = Reading(encoder, recipe.shape.text_width).to(device)
    run = Run(folder, "reader", reading, stage)
    if run.step < stage.steps:
        texts = Texts(
            recipe, tokenizer, run.step * stage.batch, (stage.steps - run.step) * stage.batch
        )
        batches = iter(DataLoader(texts, stage.batch, num_workers=recipe.workers))
        for _ in run.steps():
            ids, things, overall = (part.to(device) for part in next(batches))
            # What is behind the longest text of the batch is padding alone.
            ids = ids[:, : int((ids != tokenizer.pad_token_id).sum(1).max()) + 2]
            with torch.autocast(device, torch.bfloat16):
                loss, right = reading(ids, things, overall)
            run.learn(loss, right=round(float(right), 4))
    run.settle()
    encoder.eval()
