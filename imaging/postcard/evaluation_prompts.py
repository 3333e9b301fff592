"""The prompts and edits of the evaluation: held out from training, the same in every run."""

from dataclasses import dataclass

from imaging.postcard import vocabulary as words
from imaging.postcard.captions import caption
from imaging.postcard.edits import KINDS, Edit, random_edit
from imaging.postcard.scenes import Scene, random_held_out_scene, seeded_random


@dataclass(frozen=True)
class EvaluationPrompt:
    """One prompt, the scene it describes, and the seed of the noise."""

    scene: Scene
    prompt: str
    seed: int


def evaluation_prompts(count: int, size: tuple[int, int] = (128, 128)) -> list[EvaluationPrompt]:
    """The first `count` prompts; number i depends on i alone. Colours are always named, so that
    each can be checked.
    """
    found = []
    for seed in range(count):
        rng = seeded_random("question", seed)
        scene = random_held_out_scene(rng, size)
        language: words.Language = "en" if seed % 2 == 0 else "fr"
        found.append(EvaluationPrompt(scene, caption(rng, scene, language, terse=0.0), seed))
    return found


def evaluation_edits(count: int) -> list[Edit]:
    """The first `count` edits between held-out combinations; kinds alternate, half are French."""
    found = []
    for seed in range(count):
        language: words.Language = "en" if (seed // len(KINDS)) % 2 == 0 else "fr"
        found.append(
            random_edit(
                seeded_random("edit question", seed),
                language,
                unseen=True,
                kind=KINDS[seed % len(KINDS)],
            )
        )
    return found
