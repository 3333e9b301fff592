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
    easy_share: float = 0.0
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

_CPU = Recipe(
    name="cpu",
    shape=SHAPE,
    seed=0,
    autoencoder=Stage(1500, 8, 2e-3),
    polisher=Stage(1000, 6, 1.5e-3),
    reader=Stage(2200, 48, 1.5e-3),
    painter=Stage(6000, 16, 1e-3),
    editor=Stage(3000, 16, 6e-4),
    scenes=12_000,
    triples=2_600,
    square_share=0.9,
    easy_share=0.9,
    workers=1,
)

RECIPES: dict[str, Recipe] = {
    # About an hour on two CPU cores of their own.
    "cpu": _CPU,
    # The same in a quarter of the time: grounds, times and rough things. Export it with `--small`.
    "first": replace(
        _CPU,
        name="first",
        autoencoder=Stage(800, 8, 2e-3),
        polisher=Stage(200, 6, 1.5e-3),
        reader=Stage(1200, 48, 1.5e-3),
        painter=Stage(1600, 16, 1e-3),
        editor=Stage(200, 16, 6e-4),
        scenes=6_000,
        triples=600,
        square_share=1.0,
    ),
    # One modern GPU and a dozen cores to draw on: meant for 25 minutes, never timed on one.
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
