"""Example prompts come right: each is among those that were measured, with its picture."""

import re

import pytest
from PIL import Image

from bots.core.locales import LOCALES, localizer_for
from bots.web.examples import EXAMPLES, examples
from bots.web.page_files import PAGE
from imaging.postcard import published_vocabulary
from imaging.postcard.starter_examples import ENOUGH, SEEDS, Measured
from imaging.postcard.starter_examples import examples as measured_examples


@pytest.fixture(scope="module")
def measured() -> dict[str, Measured]:
    found = {one.prompt: one for one in measured_examples()}
    assert all(one.right >= ENOUGH and one.seeds == SEEDS for one in found.values())
    return found


@pytest.mark.parametrize("locale", sorted(EXAMPLES))
def test_the_pages_examples_were_measured_and_have_pictures(
    measured: dict[str, Measured], locale: str
) -> None:
    assert set(EXAMPLES) == set(LOCALES)
    for example in examples(locale, "postcard"):
        prompt, thumbnail = example["prompt"], example["thumbnail"]
        assert prompt is not None
        assert measured[prompt].language == locale
        assert thumbnail is not None
        with Image.open(PAGE.parent / thumbnail.removeprefix("/")) as picture:
            assert picture.size == (128, 128)


def test_another_models_examples_have_no_pictures() -> None:
    assert {one["thumbnail"] for one in examples("en", "sdxl")} == {None}


@pytest.mark.parametrize("locale", sorted(EXAMPLES))
def test_suggestions_elsewhere_were_measured_too(
    measured: dict[str, Measured], locale: str
) -> None:
    localize = localizer_for(locale)
    suggested = [localize(f"slack-suggestion-{number}") for number in (1, 2, 3)]
    prompts = {re.sub(r" --.*", "", text) for text in suggested}
    quoted = {prompt for texts in published_vocabulary.EXAMPLES.values() for prompt in texts}
    assert prompts | quoted <= set(measured)
