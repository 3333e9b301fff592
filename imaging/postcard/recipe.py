"""The recipes: how large the networks are, and how long each stage trains, for each kind of
machine.
"""

from dataclasses import dataclass, replace

from imaging.postcard.networks import Shape


@dataclass(frozen=True)
class Stage:
    """One training run: `steps` of `batch` examples at a peak learning rate of `rate`."""

    steps: int
    batch: int
    rate: float
    edits: float = 0.0  # share of a denoiser's examples that are edits


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights, apart from the code and the hardware's noise."""

    name: str
    shape: Shape
    seed: int
    autoencoder: Stage
    polisher: Stage
    reader: Stage
    painter: Stage
    scenes: int
    triples: int
    aspects: tuple[str, ...] = ("1:1", "3:2", "2:3", "4:5", "16:9", "9:16")
    square_share: float = 0.7  # of the pictures drawn
    square_lessons: float = 0.72  # of the painter's
    workers: int = 2
    device: str = "cpu"
    compiled: bool = False
    steps_per_picture: int = 8
    guidance: float = 3.0
    edit_guidance: float = 1.5
    image_guidance: float = 1.5


def shortened(recipe: Recipe, steps: int) -> Recipe:
    """The recipe with every stage cut to at most `steps` steps, and as few scenes as that needs:
    to try it out.
    """

    def cut(stage: Stage) -> Stage:
        return replace(stage, steps=min(stage.steps, steps))

    few = max(64, steps * 4)
    return replace(
        recipe,
        autoencoder=cut(recipe.autoencoder),
        polisher=cut(recipe.polisher),
        reader=cut(recipe.reader),
        painter=cut(recipe.painter),
        scenes=min(recipe.scenes, few),
        triples=min(recipe.triples, few),
    )


SHAPE = Shape()

_CPU = Recipe(
    name="cpu",
    shape=SHAPE,
    seed=0,
    autoencoder=Stage(3600, 16, 1.2e-3),
    polisher=Stage(1500, 4, 1e-3),
    reader=Stage(1800, 128, 1.3e-3),
    painter=Stage(39_500, 32, 2e-3, edits=0.31),
    scenes=90_000,
    triples=26_000,
    square_share=0.9,
    workers=1,
)

RECIPES: dict[str, Recipe] = {
    # About five and a half hours on one CPU core that multiplies matrices in bfloat16 (AMX).
    "cpu": _CPU,
    # The same in a fifth of the time: grounds, times and rough things. Export it with `--small`.
    "first": replace(
        _CPU,
        name="first",
        autoencoder=Stage(1200, 16, 1.2e-3),
        polisher=Stage(300, 4, 1e-3),
        reader=Stage(900, 128, 1.3e-3),
        painter=Stage(6000, 32, 2e-3, edits=0.31),
        scenes=40_000,
        triples=10_000,
        square_share=1.0,
    ),
    # One modern GPU and a dozen cores to draw on: meant for 25 minutes, never timed on one.
    "gpu": Recipe(
        name="gpu",
        shape=SHAPE,
        seed=0,
        autoencoder=Stage(8000, 64, 1.2e-3),
        polisher=Stage(5000, 32, 1e-3),
        reader=Stage(3000, 512, 1.3e-3),
        painter=Stage(16_000, 256, 2e-3, edits=0.31),
        scenes=240_000,
        triples=80_000,
        square_share=0.7,
        workers=12,
        device="cuda",
        compiled=True,
    ),
}
