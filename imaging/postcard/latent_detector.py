"""A detector that reads latents: what is centred in each cell, in which colour, on which ground.

Fine-tuning by reward needs it, since its gradient must reach the denoiser. It shares neither input
nor weights with the detector that evaluates pictures, and that one is never used in training.
"""

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from imaging.postcard import vocabulary as words
from imaging.postcard.scenes import Scene, seeded_random
from imaging.postcard.training_config import Stage
from imaging.postcard.training_run import TrainingRun
from imaging.postcard.varied_latents import SceneSet

THINGS = tuple(words.THINGS)
COLOURS = tuple(words.PALETTE)
GROUNDS = (*words.LANDSCAPES, *COLOURS)
TIMES = ("", *words.TIMES)
CELLS = 16  # along the shorter side
NOISE = 0.35  # largest standard deviation of the noise it learns to see through
Example = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


def _block(inside: int, outside: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, stride, 1, bias=False),
        nn.GroupNorm(outside // 16, outside),
        nn.SiLU(),
    )


class LatentDetector(nn.Module):
    """Scaled latents `(n, 4, h, w)` to logits: things `(n, 25, h, w)` whose class 0 is "none",
    colours `(n, 11, h, w)`, ground `(n, 16)`, time `(n, 4)`. Height and width are even.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fine = nn.Sequential(_block(4, 64), _block(64, 64))
        self.middle = nn.Sequential(_block(64, 128, 2), _block(128, 128), _block(128, 128))
        self.merge = nn.Sequential(_block(192, 96), _block(96, 96))
        self.things = nn.Conv2d(96, 1 + len(THINGS), 1)
        self.colours = nn.Conv2d(96, len(COLOURS), 1)
        self.ground = nn.Linear(192, len(GROUNDS))
        self.time = nn.Linear(192, len(TIMES))

    def forward(
        self, latents: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        fine = self.fine(latents)
        middle = self.middle(fine)
        seen = self.merge(torch.cat([functional.interpolate(middle, scale_factor=2.0), fine], 1))
        whole = torch.cat([middle.mean((2, 3)), fine.mean((2, 3))], 1)
        return self.things(seen), self.colours(seen), self.ground(whole), self.time(whole)


def cell_targets(scene: Scene) -> tuple[torch.Tensor, torch.Tensor]:
    """The class of each cell: the thing centred in it (0 none, -1 ignored) and its colour
    (-1 ignored). Cells beside a centre are ignored.
    """
    width, height = (round(side * CELLS) for side in scene.extent)
    things = torch.zeros(height, width, dtype=torch.long)
    colours = torch.full((height, width), -1)
    centres = [(item, x, y) for item in scene.items for x, y in item.centres]
    cells = [(int(y * CELLS), int(x * CELLS)) for _, x, y in centres]
    for row, column in cells:
        things[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] = -1
    for (item, _, _), (row, column) in zip(centres, cells, strict=True):
        things[row, column] = 1 + THINGS.index(item.thing)
        colours[row, column] = COLOURS.index(item.colour)
    return things, colours


class LabelledLatents(Dataset[Example]):
    """Batch number i of one picture size: latents, cell targets, grounds and times."""

    def __init__(
        self, sets: dict[str, SceneSet], batch: int, first: int, count: int, seed: int
    ) -> None:
        self.sets, self.batch, self.seed = sets, batch, seed
        self.first, self.count = first, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Example:
        rng = seeded_random(self.seed, "detector batch", self.first + index)
        names = list(self.sets)
        chosen = self.sets[rng.choices(names, [len(self.sets[n].latents) for n in names])[0]]
        numbers = [rng.randrange(len(chosen.latents)) for _ in range(self.batch)]
        scenes = [chosen.scene(number) for number in numbers]
        things, colours = zip(*(cell_targets(scene) for scene in scenes), strict=True)
        return (
            chosen.latents[numbers].float(),
            torch.stack(things),
            torch.stack(colours),
            torch.tensor([GROUNDS.index(scene.ground) for scene in scenes]),
            torch.tensor([TIMES.index(scene.time) for scene in scenes]),
        )


def roughened(latents: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Latents with noise of a random strength, at most `NOISE`."""
    strength = torch.rand(len(latents), 1, 1, 1, generator=generator) * NOISE
    noise = torch.randn(latents.shape, generator=generator) * strength
    return latents + noise.to(latents.device)


def train_latent_detector(
    sets: dict[str, SceneSet],
    scaling: float,
    folder: Path,
    stage: Stage,
    *,
    seed: int = 0,
    device: str = "cpu",
    workers: int = 0,
) -> LatentDetector:
    """A trained detector; resumes from `folder`."""
    torch.manual_seed(seed)
    detector = LatentDetector()
    detector.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    run = TrainingRun(folder, "latent-detector", detector, stage, decay=0.995)
    generator = torch.Generator().manual_seed(seed + run.step)
    batches = LabelledLatents(sets, stage.batch, run.step, stage.steps - run.step, seed)
    supply = iter(DataLoader(batches, batch_size=None, num_workers=workers))
    for _ in run.steps():
        latents, things, colours, grounds, times = next(supply)
        rough = roughened(latents * scaling, generator)
        seen = rough.to(device, memory_format=torch.channels_last)
        with torch.autocast(device, torch.bfloat16):
            thing, colour, ground, time = (logits.float() for logits in detector(seen))
        things, colours = things.to(device), colours.to(device)
        each = functional.cross_entropy(thing, things, ignore_index=-1, reduction="none")
        found, empty = each[things > 0].mean(), each[things == 0].sum() / 20 / len(latents)
        tint = functional.cross_entropy(colour, colours, ignore_index=-1)
        setting = functional.cross_entropy(ground, grounds.to(device))
        setting = setting + functional.cross_entropy(time, times.to(device))
        right = (thing.argmax(1) == things)[things > 0].float().mean()
        run.update(found + empty + tint + 0.5 * setting, right=round(float(right), 4))
    run.load_average()
    return detector.eval().requires_grad_(False)
