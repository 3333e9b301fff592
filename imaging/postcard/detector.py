"""A small object detector for evaluation, trained on drawn scenes only.

It sees no generated picture in training and shares no weights with Postcard. On a grid of 16 x 16
cells it classifies the thing centred in each cell and its colour; from the whole picture it
classifies the ground and the time of day.
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
from imaging.postcard.scenes import Scene, random_training_scene, seeded_random
from imaging.postcard.text_encoder import COLOURS, GROUNDS, THINGS
from imaging.postcard.training_config import Stage
from imaging.postcard.training_run import TrainingRun

SIDE = 64
CELLS = 16  # along the side of a square picture
STRIDE = 16  # of the coarsest feature map, in pixels
TIMES = ("", *words.TIMES)
NEAR = 1.9  # cells: radius of non-maximum suppression
STAGE = Stage(steps=4500, batch=32, rate=3e-3)


@dataclass(frozen=True)
class Detection:
    """One detected thing, centred on (x, y) in units of the picture's shorter side."""

    thing: str
    colour: str
    x: float
    y: float
    confidence: float


@dataclass(frozen=True)
class DetectedScene:
    """Everything detected in one picture."""

    detections: tuple[Detection, ...]
    ground: str
    time: str


def _block(inside: int, outside: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, stride, 1, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(inplace=True),
    )


class Detector(nn.Module):
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


class DetectorDataset(Dataset[tuple[torch.Tensor, ...]]):
    """Labelled scenes: picture `(3, 64, 64)` in bytes, thing and colour of each cell (-1: ignored),
    ground, time.
    """

    def __init__(self, seed: str, first: int, count: int) -> None:
        self.seed, self.first, self.count = seed, first, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[torch.Tensor, ...]:
        rng = seeded_random(self.seed, self.first + index)
        scene = random_training_scene(rng)
        picture = torch.from_numpy(np.array(draw(scene, 0.5))).permute(2, 0, 1)
        things, colours = cell_targets(scene)
        ground = torch.tensor(GROUNDS.index(scene.ground))
        return picture, things, colours, ground, torch.tensor(TIMES.index(scene.time))


def cell_targets(scene: Scene) -> tuple[torch.Tensor, torch.Tensor]:
    """The class of each cell `(16, 16)`: the thing centred in it (0 none, -1 ignored) and its
    colour (-1 ignored).
    """
    things = torch.zeros(CELLS, CELLS, dtype=torch.long)
    colours = torch.full((CELLS, CELLS), -1)
    centres = [(item, x, y) for item in scene.items for x, y in item.centres]
    # A centre near a cell's border could belong to a neighbour, so neighbours are ignored.
    for _, x, y in centres:
        row, column = int(y * CELLS), int(x * CELLS)
        things[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] = -1
    for item, x, y in centres:
        row, column = int(y * CELLS), int(x * CELLS)
        things[row, column] = 1 + THINGS.index(item.thing)
        colours[row, column] = COLOURS.index(item.colour)
    return things, colours


def _roughened(pictures: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """Augmented pictures: blurred, tinted and noisy, so that the detector doesn't depend on
    sharpness.
    """
    real = pictures.float() / 127.5 - 1
    soft = functional.avg_pool2d(functional.pad(real, (1, 1, 1, 1), mode="replicate"), 3, 1)
    share = torch.rand(len(real), 1, 1, 1, generator=chance)
    real = real + (soft - real) * share
    real = real + torch.randn(len(real), 3, 1, 1, generator=chance) * 0.03
    return real + torch.randn(real.shape, generator=chance) * (
        0.06 * torch.rand(len(real), 1, 1, 1, generator=chance)
    )


def train_detector(folder: Path, seed: int = 0, stage: Stage = STAGE, workers: int = 1) -> Detector:
    """The trained detector. Its checkpoint is read from `folder`; where there is none, it is
    trained, which takes some minutes.
    """
    torch.manual_seed(seed)
    detector = Detector().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    run = TrainingRun(folder, "detector", detector, stage, decay=0.99)
    chance = torch.Generator().manual_seed(seed + run.step)
    supply = iter(
        DataLoader(
            DetectorDataset(f"judge {seed}", run.step * stage.batch, 10**9),
            stage.batch,
            num_workers=workers,
        )
    )
    detector.train()
    for _ in run.steps():
        pictures, things, colours, grounds, times = next(supply)
        real = _roughened(pictures, chance).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            thing, colour, ground, time = (answer.float() for answer in detector(real))
        each = functional.cross_entropy(thing, things, ignore_index=-1, reduction="none")
        # A picture has one to six things and about two hundred empty cells.
        found, empty = each[things > 0].mean(), each[things == 0].sum() / 20
        tint = functional.cross_entropy(colour, colours, ignore_index=-1)
        setting = functional.cross_entropy(ground, grounds) + functional.cross_entropy(time, times)
        run.update(found + empty / stage.batch + tint + 0.5 * setting)
    run.load_average()
    return detector.eval()  # type: ignore[no-any-return]


@torch.no_grad()
def detect(
    detector: Detector, pictures: list[Image.Image], threshold: float = 0.5
) -> list[DetectedScene]:
    """Detections in pictures of one size, which are scaled to a shorter side of 64 pixels.

    `threshold` is the lowest confidence of a detection.
    """
    found = []
    for start in range(0, len(pictures), 32):
        batch = [_as_seen(picture) for picture in pictures[start : start + 32]]
        real = torch.from_numpy(np.stack(batch)).permute(0, 3, 1, 2).float() / 127.5 - 1
        things, colours, grounds, times = detector(
            real.contiguous(memory_format=torch.channels_last)
        )
        likely = things.softmax(1)
        for row in range(len(batch)):
            detections = _non_maximum_suppression(likely[row], colours[row], threshold)
            ground, time = GROUNDS[int(grounds[row].argmax())], TIMES[int(times[row].argmax())]
            found.append(DetectedScene(detections, ground, time))
    return found


def _as_seen(picture: Image.Image) -> np.ndarray[Any, np.dtype[np.uint8]]:
    # Sides must be multiples of the stride, or the feature maps don't match.
    scale = SIDE / min(picture.size)
    width, height = (round(side * scale / STRIDE) * STRIDE for side in picture.size)
    return np.asarray(picture.convert("RGB").resize((width, height), Image.Resampling.BOX))


def _non_maximum_suppression(
    likely: torch.Tensor, colours: torch.Tensor, threshold: float
) -> tuple[Detection, ...]:
    present = 1 - likely[0]
    columns, unit = present.shape[1], min(present.shape)
    kept: list[Detection] = []
    spots: list[tuple[int, int]] = []
    for place in present.flatten().argsort(descending=True).tolist():
        row, column = divmod(int(place), columns)
        confidence = float(present[row, column])
        if confidence < threshold:
            break
        if any(math.dist((row, column), spot) < NEAR for spot in spots):
            continue
        thing = THINGS[int(likely[1:, row, column].argmax())]
        colour = COLOURS[int(colours[:, row, column].argmax())]
        spots.append((row, column))
        kept.append(Detection(thing, colour, (column + 0.5) / unit, (row + 0.5) / unit, confidence))
    return tuple(kept)
