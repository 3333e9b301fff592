"""The published vocabulary: what is known, what is marked, and that the shipped file is current."""

import json
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imaging.postcard import vocabulary as words
from imaging.postcard.captions import caption
from imaging.postcard.handwritten import written_prompts
from imaging.postcard.informal_captions import choose_mentions, write_caption
from imaging.postcard.published_vocabulary import (
    CATEGORIES,
    PATH,
    build_vocabulary,
    write_vocabulary,
)
from imaging.postcard.scenes import random_grey_scene, random_varied_scene
from imaging.vocabulary import Vocabulary, prompt_words, read_vocabulary, without_accents


def vocabulary_of_folder(folder: Path) -> Vocabulary:
    found = read_vocabulary(folder, "postcard")
    assert found is not None
    return found


SHIPPED = vocabulary_of_folder(PATH.parent)


PUBLISHED = json.loads(PATH.read_text(encoding="utf-8"))["words"]


def test_a_word_outside_the_vocabulary_is_named_as_typed_and_once() -> None:
    assert SHIPPED.unknown_words("A Samurai next to a red house, samurai!") == ["Samurai"]
    assert SHIPPED.unknown_words("un dragon et deux licornes bleues") == ["dragon", "licornes"]
    assert SHIPPED.unknown_words("four cats") == ["four"]
    assert SHIPPED.unknown_words("7 cats") == ["7"]


@pytest.mark.parametrize(
    "prompt",
    [
        "three red apples",
        "deux chats, l'un noir et l'autre blanc",
        "Étoile JAUNE, fond bleu",
        "etoile jaune a cote d'une fusee",
        "Dessine-moi une maison blanche s’il te plaît",
        "boats, foxes aside",
    ],
)
def test_inflected_forms_capitals_and_lost_accents_are_known(prompt: str) -> None:
    assert set(SHIPPED.unknown_words(prompt)) <= {"foxes", "aside"}


@pytest.fixture(scope="module")
def informal(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    """The vocabulary of weights that were fine-tuned on informal captions."""
    folder = tmp_path_factory.mktemp("informal")
    write_vocabulary(folder / "vocabulary.json", informal=True)
    return vocabulary_of_folder(folder)


def test_weights_without_fine_tuning_know_fewer_words(informal: Vocabulary, tmp_path: Path) -> None:
    write_vocabulary(tmp_path / "vocabulary.json")
    formal = vocabulary_of_folder(tmp_path)
    prompt = "a gray cat near a tree in the garden"
    assert informal.unknown_words(prompt) == []
    assert formal.unknown_words(prompt) == ["gray", "near", "garden"]


@given(seed=st.integers(0, 2**32 - 1), grey=st.booleans())
@settings(max_examples=300, deadline=None)
def test_captions_use_known_words_only(seed: int, grey: bool, informal: Vocabulary) -> None:
    rng = Random(seed)
    scene = random_grey_scene(rng) if grey else random_varied_scene(rng)
    language: words.Language = rng.choice(("en", "fr"))
    said = choose_mentions(rng, scene)
    text = write_caption(rng, scene, said, language, mixed=seed % 3 == 0)
    assert not informal.unknown_words(text), text
    assert not informal.names_nothing(text), text
    if not grey:
        formal = caption(rng, scene, language)
        assert not SHIPPED.unknown_words(formal), formal
        assert not SHIPPED.names_nothing(formal), formal


@given(st.text())
@settings(max_examples=200, deadline=None)
def test_any_text_has_an_answer_made_of_its_own_words(text: str) -> None:
    unknown = SHIPPED.unknown_words(text)
    assert set(unknown) <= set(prompt_words(text))
    assert len({word.lower() for word in unknown}) == len(unknown)
    assert SHIPPED.unknown_words(" ".join(unknown)) == unknown


def test_a_prompt_names_nothing_without_thing_colour_ground_or_time() -> None:
    for prompt in ("", "samurai", "please draw me something", "a big one", "☃ 中文"):
        assert SHIPPED.names_nothing(prompt), prompt
    for prompt in ("cat", "du bleu", "at night", "la mer", "samurai in the snow"):
        assert not SHIPPED.names_nothing(prompt), prompt


def test_every_thing_and_colour_is_published_in_both_languages() -> None:
    for language, nouns in (
        ("en", [noun.en for noun in words.THINGS.values()]),
        ("fr", [noun.fr for noun in words.THINGS.values()]),
    ):
        published_things = PUBLISHED[language]["things"]
        for pairs in nouns:
            for singular, plural in pairs:
                assert {singular, plural} <= set(published_things)
    for colour in words.COLOURS:
        assert set(words.COLOURS_FR[colour][0]) <= set(PUBLISHED["fr"]["colours"])


def test_hand_written_prompts_are_mostly_known(informal: Vocabulary) -> None:
    # Typos are part of the set, so not all of its words can be.
    unknown = [w for written in written_prompts() for w in informal.unknown_words(written.prompt)]
    total = sum(len(prompt_words(written.prompt)) for written in written_prompts())
    assert len(unknown) < 0.03 * total, unknown


def test_the_shipped_file_is_current() -> None:
    shipped = json.loads(PATH.read_text(encoding="utf-8"))
    assert shipped == json.loads(json.dumps(build_vocabulary(informal=shipped["informal"])))
    assert set(shipped["words"]["en"]) == set(CATEGORIES)


def test_words_are_lower_case_and_sorted() -> None:
    for by_category in PUBLISHED.values():
        for known in by_category.values():
            assert list(known) == sorted(known)
            assert all(word == word.lower() for word in known)
            assert all(without_accents(word) for word in known)


def test_no_torch_is_imported() -> None:
    code = "import sys, imaging.postcard.published_vocabulary; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
