"""A detector that reads latents: what is centred in each cell, in which colour, on which ground.

Fine-tuning by reward needs it, since its gradient must reach the denoiser. It shares neither input
nor weights with the detector that evaluates pictures, and that one is never used in training.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from imaging.engine.candidate_selector import LatentDetector, Logits
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
Example = tuple[torch.Tensor, list[Scene]]


def new_detector() -> LatentDetector:
    """An untrained detector for Postcard's things, colours, grounds and times."""
    return LatentDetector(len(THINGS), len(COLOURS), len(GROUNDS), len(TIMES))


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
    """Batch number i of one picture size: latents and their scenes."""

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
        return chosen.latents[numbers].float(), scenes


def detection_loss(logits: Logits, scenes: Sequence[Scene]) -> tuple[torch.Tensor, torch.Tensor]:
    """The loss of a detector's output for these scenes, and the share of things that it finds."""
    thing, colour, ground, time = (part.float() for part in logits)
    targets = (torch.stack(parts) for parts in zip(*map(cell_targets, scenes), strict=True))
    things, colours = (part.to(thing.device) for part in targets)
    grounds = torch.tensor([GROUNDS.index(scene.ground) for scene in scenes])
    times = torch.tensor([TIMES.index(scene.time) for scene in scenes])
    each = functional.cross_entropy(thing, things, ignore_index=-1, reduction="none")
    found, empty = each[things > 0].mean(), each[things == 0].sum() / 20 / len(scenes)
    tint = functional.cross_entropy(colour, colours, ignore_index=-1)
    setting = functional.cross_entropy(ground, grounds.to(thing.device))
    setting = setting + functional.cross_entropy(time, times.to(thing.device))
    right = (thing.argmax(1) == things)[things > 0].float().mean()
    return found + empty + tint + 0.5 * setting, right


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
    detector = new_detector()
    detector.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    run = TrainingRun(folder, "latent-detector", detector, stage, decay=0.995)
    generator = torch.Generator().manual_seed(seed + run.step)
    batches = LabelledLatents(sets, stage.batch, run.step, stage.steps - run.step, seed)
    supply = iter(DataLoader(batches, batch_size=None, num_workers=workers))
    for _ in run.steps():
        latents, scenes = next(supply)
        rough = roughened(latents * scaling, generator)
        seen = rough.to(device, memory_format=torch.channels_last)
        with torch.autocast(device, torch.bfloat16):
            logits = detector(seen)
        loss, right = detection_loss(logits, scenes)
        run.update(loss, right=round(float(right), 4))
    run.load_average()
    return detector.eval().requires_grad_(False)
