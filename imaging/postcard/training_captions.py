"""The captions that fine-tuning sees: formal and informal ones, none of them hand-written."""

from random import Random

from imaging.postcard import vocabulary as words
from imaging.postcard.captions import caption, roughened
from imaging.postcard.handwritten import kept_out
from imaging.postcard.informal_captions import Mentions, informal_caption
from imaging.postcard.scenes import Scene


def informal_training_caption(rng: Random, scene: Scene) -> tuple[str, Mentions]:
    """An informal caption and what it says."""
    while True:
        text, said = informal_caption(rng, scene)
        if not kept_out(text):
            return text, said


def formal_training_caption(rng: Random, scene: Scene, *, terse: float = 0.5) -> str:
    """A caption of the first training's kind, in either language."""
    while True:
        language: words.Language = rng.choice(("en", "fr"))
        text = roughened(rng, caption(rng, scene, language, terse=terse))
        if not kept_out(text):
            return text
