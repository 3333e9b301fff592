"""The judge: a small detector, trained on freshly drawn scenes only, that says what it sees in a
picture.

It never meets a generated picture or any of Postcard's networks. On a grid of 16 x 16 cells it
says which thing is centred in a cell and in which colour; from the whole picture it says the
ground and the time of day.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from imaging.postcard import vocabulary as words
from imaging.postcard.drawing import draw
from imaging.postcard.progress import Run
from imaging.postcard.reader import COLOURS, GROUNDS, THINGS
from imaging.postcard.recipe import Stage
from imaging.postcard.scenes import Scene, luck, random_training_scene

SIDE = 64
CELLS = 16  # a side of a square picture
STRIDE = 16  # pixels of a cell of the network's coarsest part
TIMES = ("", *words.TIMES)
NEAR = 1.9  # cells: two sightings closer than this are one thing
STAGE = Stage(steps=4500, batch=32, rate=3e-3)


@dataclass(frozen=True)
class Sighting:
    """One thing the judge sees, centred on (x, y) in units of the picture's shorter side."""

    thing: str
    colour: str
    x: float
    y: float
    sure: float


@dataclass(frozen=True)
class Verdict:
    """All the judge sees in one picture."""

    sightings: tuple[Sighting, ...]
    ground: str
    time: str


def _block(inside: int, outside: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, stride, 1, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(inplace=True),
    )


class Judge(nn.Module):
    """Pictures `(n, 3, 64, 64)` in -1…1 to logits: things and colours `(n, classes, 16, 16)`,
    ground and time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Sequential(_block(3, 24, 2), _block(24, 48, 2), _block(48, 64))
        self.middle = nn.Sequential(_block(64, 96, 2), _block(96, 96))
        self.coarse = nn.Sequential(_block(96, 128, 2), _block(128, 128), _block(128, 96))
        self.merge_middle = _block(192, 64)
        self.merge_fine = nn.Sequential(_block(128, 64), _block(64, 64))
        self.things = nn.Conv2d(64, 1 + len(THINGS), 1)
        self.colours = nn.Conv2d(64, len(COLOURS), 1)
        self.ground = nn.Linear(160, len(GROUNDS))
        self.time = nn.Linear(160, len(TIMES))

    def forward(
        self, pictures: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        fine = self.fine(pictures)
        middle = self.middle(fine)
        coarse = self.coarse(middle)
        up = self.merge_middle(
            torch.cat([functional.interpolate(coarse, scale_factor=2.0), middle], 1)
        )
        seen = self.merge_fine(torch.cat([functional.interpolate(up, scale_factor=2.0), fine], 1))
        whole = torch.cat([coarse.mean((2, 3)), fine.mean((2, 3))], 1)
        return self.things(seen), self.colours(seen), self.ground(whole), self.time(whole)


class JudgedDrawings(Dataset[tuple[torch.Tensor, ...]]):
    """Drawn scenes with what is to be seen in them: picture, thing and colour of each cell (-1:
    not asked), ground, time.
    """

    def __init__(self, seed: str, first: int, count: int) -> None:
        self.seed, self.first, self.count = seed, first, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[torch.Tensor, ...]:
        rng = luck(self.seed, self.first + index)
        scene = random_training_scene(rng)
        picture = torch.from_numpy(np.array(draw(scene, 0.5))).permute(2, 0, 1)
        things, colours = cells_of(scene)
        ground = torch.tensor(GROUNDS.index(scene.ground))
        return picture, things, colours, ground, torch.tensor(TIMES.index(scene.time))


def cells_of(scene: Scene) -> tuple[torch.Tensor, torch.Tensor]:
    """What each cell shows: number of the thing (0 none, -1 not asked) and of its colour (-1 not
    asked).
    """
    things = torch.zeros(CELLS, CELLS, dtype=torch.long)
    colours = torch.full((CELLS, CELLS), -1)
    centres = [(item, x, y) for item in scene.items for x, y in item.centres]
    # A centre near a cell's border belongs to its neighbours as well: nothing is asked of those.
    for _, x, y in centres:
        row, column = int(y * CELLS), int(x * CELLS)
        things[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] = -1
    for item, x, y in centres:
        row, column = int(y * CELLS), int(x * CELLS)
        things[row, column] = 1 + THINGS.index(item.thing)
        colours[row, column] = COLOURS.index(item.colour)
    return things, colours


def _roughened(pictures: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Drawn pictures a little blurred, tinted and noisy, so that the judge looks at things and not
    at sharpness.
    """
    real = pictures.float() / 127.5 - 1
    soft = functional.avg_pool2d(functional.pad(real, (1, 1, 1, 1), mode="replicate"), 3, 1)
    share = torch.rand(len(real), 1, 1, 1, generator=chance)
    real = real + (soft - real) * share
    real = real + torch.randn(len(real), 3, 1, 1, generator=chance) * 0.03
    return real + torch.randn(real.shape, generator=chance) * (
        0.06 * torch.rand(len(real), 1, 1, 1, generator=chance)
    )


def train_judge(folder: Path, seed: int = 0, stage: Stage = STAGE, workers: int = 1) -> Judge:
    """A trained judge: read from `folder` if it has finished there before, else trained in a few
    minutes.
    """
    torch.manual_seed(seed)
    judge = Judge().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    run = Run(folder, "judge", judge, stage, decay=0.99)
    chance = torch.Generator().manual_seed(seed + run.step)
    supply = iter(
        DataLoader(
            JudgedDrawings(f"judge {seed}", run.step * stage.batch, 10**9),
            stage.batch,
            num_workers=workers,
        )
    )
    judge.train()
    for _ in run.steps():
        pictures, things, colours, grounds, times = next(supply)
        real = _roughened(pictures, chance).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            thing, colour, ground, time = (answer.float() for answer in judge(real))
        each = functional.cross_entropy(thing, things, ignore_index=-1, reduction="none")
        # A picture has one to six things and some two hundred empty cells.
        found, empty = each[things > 0].mean(), each[things == 0].sum() / 20
        tint = functional.cross_entropy(colour, colours, ignore_index=-1)
        setting = functional.cross_entropy(ground, grounds) + functional.cross_entropy(time, times)
        run.learn(found + empty / stage.batch + tint + 0.5 * setting)
    run.settle()
    return judge.eval()  # type: ignore[no-any-return]


@torch.no_grad()
def look(judge: Judge, pictures: list[Image.Image], threshold: float = 0.5) -> list[Verdict]:
    """What the judge sees in each picture, all of one size; their shorter side is read as 64 px."""
    found = []
    for start in range(0, len(pictures), 32):
        batch = [_as_seen(picture) for picture in pictures[start : start + 32]]
        real = torch.from_numpy(np.stack(batch)).permute(0, 3, 1, 2).float() / 127.5 - 1
        things, colours, grounds, times = judge(real.contiguous(memory_format=torch.channels_last))
        likely = things.softmax(1)
        for row in range(len(batch)):
            sightings = _peaks(likely[row], colours[row], threshold)
            ground, time = GROUNDS[int(grounds[row].argmax())], TIMES[int(times[row].argmax())]
            found.append(Verdict(sightings, ground, time))
    return found


def _as_seen(picture: Image.Image) -> np.ndarray[Any, np.dtype[np.uint8]]:
    # Whole strides of the network, or its finer and coarser halves would not meet.
    scale = SIDE / min(picture.size)
    width, height = (round(side * scale / STRIDE) * STRIDE for side in picture.size)
    return np.asarray(picture.convert("RGB").resize((width, height), Image.Resampling.BOX))


def _peaks(likely: torch.Tensor, colours: torch.Tensor, threshold: float) -> tuple[Sighting, ...]:
    present = 1 - likely[0]
    columns, unit = present.shape[1], min(present.shape)
    kept: list[Sighting] = []
    spots: list[tuple[int, int]] = []
    for place in present.flatten().argsort(descending=True).tolist():
        row, column = divmod(int(place), columns)
        sure = float(present[row, column])
        if sure < threshold:
            break
        if any(math.dist((row, column), spot) < NEAR for spot in spots):
            continue
        thing = THINGS[int(likely[1:, row, column].argmax())]
        colour = COLOURS[int(colours[:, row, column].argmax())]
        spots.append((row, column))
        kept.append(Sighting(thing, colour, (column + 0.5) / unit, (row + 0.5) / unit, sure))
    return tuple(kept)
