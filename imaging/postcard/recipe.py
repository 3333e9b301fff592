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
    editor: Stage
    scenes: int
    triples: int
    crop: int = 64
    plain_only: bool = False
    things: tuple[str, ...] = ()
    aspects: tuple[str, ...] = ("1:1", "3:2", "2:3", "4:5", "16:9", "9:16")
    square_share: float = 0.7
    workers: int = 2
    device: str = "cpu"
    steps_per_picture: int = 8
    guidance: float = 3.0


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
        editor=cut(recipe.editor),
        scenes=min(recipe.scenes, few),
        triples=min(recipe.triples, few),
    )


SHAPE = Shape()

RECIPES: dict[str, Recipe] = {
    # Two CPU cores, in the background.
    "cpu": Recipe(
        name="cpu",
        shape=SHAPE,
        seed=0,
        autoencoder=Stage(1800, 8, 1e-3),
        polisher=Stage(1200, 8, 1e-3),
        reader=Stage(2500, 128, 1e-3),
        painter=Stage(5000, 32, 8e-4),
        editor=Stage(2500, 32, 5e-4),
        scenes=24_000,
        triples=8_000,
        square_share=0.85,
        workers=1,
    ),
    # One modern GPU and a dozen cores to draw on: about 25 minutes.
    "gpu": Recipe(
        name="gpu",
        shape=SHAPE,
        seed=0,
        autoencoder=Stage(12000, 64, 1e-3),
        polisher=Stage(6000, 64, 1e-3),
        reader=Stage(6000, 512, 1e-3),
        painter=Stage(16000, 256, 1e-3),
        editor=Stage(7000, 256, 6e-4),
        scenes=240_000,
        triples=80_000,
        square_share=0.6,
        workers=12,
        device="cuda",
    ),
}
