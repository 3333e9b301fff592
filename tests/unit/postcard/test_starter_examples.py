"""Starter examples: what is counted and what is kept."""

import torch
from PIL import Image

from imaging.postcard.detector import CELLS, TIMES, Detector
from imaging.postcard.handwritten import kept_out, parse, read_prompts
from imaging.postcard.pipelines import ImageGenerator
from imaging.postcard.starter_examples import CANDIDATES, Measured, chosen, measure
from imaging.postcard.text_encoder import COLOURS, GROUNDS, THINGS
from imaging.profiles import POSTCARD_FOLDER
from imaging.vocabulary import read_vocabulary


class SeesBrightHouses(Detector):
    """Detects one red house in every picture that is light, and nothing in dark ones."""

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, ...]:  # type: ignore[override]
        count = len(pictures)
        things = torch.zeros(count, 1 + len(THINGS), CELLS, CELLS)
        things[:, 0] = 9.0
        light = pictures.mean((1, 2, 3)) > 0
        things[light, 1 + THINGS.index("house"), 8, 8] = 20.0
        colours = torch.zeros(count, len(COLOURS), CELLS, CELLS)
        colours[:, COLOURS.index("red")] = 9.0
        return things, colours, torch.zeros(count, len(GROUNDS)), torch.zeros(count, len(TIMES))


def light_except(dark: set[int]) -> ImageGenerator:
    def generate(prompts: list[str], seeds: list[int]) -> list[Image.Image]:
        assert set(prompts) == {"x"}
        return [Image.new("L", (128, 128), 0 if seed in dark else 255) for seed in seeds]

    return generate


def test_each_seed_is_made_and_counted() -> None:
    detector = SeesBrightHouses().eval()
    found = measure(parse("x => red house", "en"), detector, light_except({0, 3}))
    assert found == Measured("x", "en", 18, 20, 1)
    none = measure(parse("x => blue house", "fr"), detector, light_except(set()))
    assert (none.right, none.seed) == (0, -1)


class SeesACatBeside(SeesBrightHouses):
    """Detects a cat, too, in every picture."""

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, ...]:  # type: ignore[override]
        things, *rest = super().forward(pictures)
        things[:, 1 + THINGS.index("cat"), 3, 3] = 20.0
        return things, *rest


def test_a_picture_with_something_unnamed_is_not_right() -> None:
    detector = SeesACatBeside().eval()
    assert measure(parse("x => red house", "en"), detector, light_except(set())).right == 0
    both = parse("x => red house; red cat", "en")
    assert measure(both, detector, light_except(set())).right == 20


def test_nineteen_of_twenty_are_kept() -> None:
    kept, lost = (Measured("x", "en", right, 20, 0) for right in (19, 18))
    assert chosen([lost, kept]) == [kept]


def test_candidates_are_known_in_both_languages() -> None:
    candidates = read_prompts(CANDIDATES)
    assert {written.language for written in candidates} == {"en", "fr"}
    assert len(candidates) >= 24
    known = read_vocabulary(POSTCARD_FOLDER, "postcard")
    assert known is not None
    assert not [w for written in candidates for w in known.unknown_words(written.prompt)]
    assert not all(kept_out(written.prompt) for written in candidates)
