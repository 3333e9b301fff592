"""Training configurations: network sizes and the length of each stage, by kind of machine."""

from dataclasses import dataclass, replace

from imaging.postcard.networks import Shape


@dataclass(frozen=True)
class Stage:
    """One training run: `steps` optimiser steps of `batch` examples at a peak learning rate of
    `rate`.

    `seconds`, where it isn't None, is a time limit: the run ends at whichever limit it meets first,
    and the learning rate falls with the share of that limit.
    """

    steps: int
    batch: int
    rate: float
    edits: float = 0.0  # share of the denoiser's examples that are edits
    seconds: float | None = None

    def progress(self, step: int, seconds: float) -> float:
        """The share of the run that is done, 0…1, after so many steps and seconds."""
        by_steps = step / self.steps
        by_time = seconds / self.seconds if self.seconds else 0.0
        return min(1.0, max(by_steps, by_time))


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that determines the weights, apart from the code and rounding on the hardware.

    `scenes` and `triples` are the numbers of drawn scenes and of edit examples.
    """

    name: str
    shape: Shape
    seed: int
    autoencoder: Stage
    full_size: Stage
    text_encoder: Stage
    denoiser: Stage
    scenes: int
    triples: int
    aspects: tuple[str, ...] = ("1:1", "3:2", "2:3", "4:5", "16:9", "9:16")
    square_share: float = 0.7  # of the drawn pictures
    square_batches: float = 0.72  # of the denoiser's batches
    workers: int = 2
    device: str = "cpu"
    compiled: bool = False
    steps_per_picture: int = 8
    guidance: float = 3.0
    edit_guidance: float = 1.5
    image_guidance: float = 1.5


def shortened(config: TrainingConfig, steps: int) -> TrainingConfig:
    """The config with at most `steps` steps a stage and few scenes, for a trial run."""

    def cut(stage: Stage) -> Stage:
        return replace(stage, steps=min(stage.steps, steps))

    few = max(64, steps * 4)
    return replace(
        config,
        autoencoder=cut(config.autoencoder),
        full_size=cut(config.full_size),
        text_encoder=cut(config.text_encoder),
        denoiser=cut(config.denoiser),
        scenes=min(config.scenes, few),
        triples=min(config.triples, few),
    )


SHAPE = Shape()

_CPU = TrainingConfig(
    name="cpu",
    shape=SHAPE,
    seed=0,
    autoencoder=Stage(3600, 16, 1.2e-3),
    full_size=Stage(1500, 4, 1e-3),
    text_encoder=Stage(1800, 128, 1.3e-3),
    denoiser=Stage(39_500, 32, 2e-3, edits=0.31),
    scenes=90_000,
    triples=26_000,
    square_share=0.9,
    workers=1,
)

CONFIGS: dict[str, TrainingConfig] = {
    # About 5.5 hours on one CPU core with bfloat16 matrix instructions (AMX).
    "cpu": _CPU,
    # A fifth of that time: grounds, times and coarse things. Export it with `--small`.
    "first": replace(
        _CPU,
        name="first",
        autoencoder=Stage(1200, 16, 1.2e-3),
        full_size=Stage(300, 4, 1e-3),
        text_encoder=Stage(900, 128, 1.3e-3),
        denoiser=Stage(6000, 32, 2e-3, edits=0.31),
        scenes=40_000,
        triples=10_000,
        square_share=1.0,
    ),
    # One GPU and twelve CPU cores for drawing. Never run on a GPU: its duration is not measured.
    "gpu": TrainingConfig(
        name="gpu",
        shape=SHAPE,
        seed=0,
        autoencoder=Stage(8000, 64, 1.2e-3),
        full_size=Stage(5000, 32, 1e-3),
        text_encoder=Stage(3000, 512, 1.3e-3),
        denoiser=Stage(16_000, 256, 2e-3, edits=0.31),
        scenes=240_000,
        triples=80_000,
        square_share=0.7,
        workers=12,
        device="cuda",
        compiled=True,
    ),
}
