"""Captions, instructions and the tokenizer: they say what is there, and any text at all has an
encoding.
"""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import CLIPTokenizer

from imaging.postcard import vocabulary as words
from imaging.postcard.captions import caption, known_words, roughened
from imaging.postcard.edits import KINDS, random_edit
from imaging.postcard.scenes import overlap, random_scene
from imaging.postcard.tokenizer import learn_merges, load_tokenizer, write_tokenizer

SEEDS = st.integers(0, 2**32 - 1)
LANGUAGES = st.sampled_from(["en", "fr"])


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> CLIPTokenizer:
    folder: Path = tmp_path_factory.mktemp("tokenizer")
    write_tokenizer(folder, known_words(), 40)
    return load_tokenizer(folder)


def spoken(text: str, language: words.Language) -> list[str]:
    """The things a text names, in order: the simplest possible parser."""
    forms = {
        form: thing
        for thing, noun in words.THINGS.items()
        for pair in (noun.en if language == "en" else noun.fr)
        for form in pair
    }
    # "coucher du soleil" and "soleil couchant" are times of day.
    for choices in words.TIMES_FR.values():
        for phrase in choices:
            text = text.replace(phrase, " ") if "soleil" in phrase else text
    pieces = text.lower().replace("'", " ").replace(",", " ").split()
    return [forms[piece] for piece in pieces if piece in forms]


@given(SEEDS, LANGUAGES)
@settings(max_examples=150, deadline=None)
def test_captions_name_what_is_drawn(seed: int, language: words.Language) -> None:
    rng = Random(seed)
    scene = random_scene(rng)
    text = caption(rng, scene, language, terse=0.0)
    assert spoken(text, language) == [item.thing for item in scene.items]
    pieces = text.lower().replace("'", " ").replace(",", " ").split()
    for colour in {item.colour for item in scene.items}:
        table = (
            words.COLOURS_EN[colour]
            if language == "en"
            else [f for forms in words.COLOURS_FR[colour] for f in forms]
        )
        assert any(form in pieces for form in table), (text, colour)
    if scene.time:
        assert any(
            phrase in text
            for phrase in (words.TIMES_EN if language == "en" else words.TIMES_FR)[scene.time]
        )


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_french_agrees_with_its_noun(seed: int) -> None:
    rng = Random(seed)
    text = caption(rng, random_scene(rng), "fr", terse=0.0)
    for wrong in (
        "de un ",
        "de une ",
        "un maison",
        "une arbre",
        "le étoile",
        "maison vert ",
        "arbre verte",
    ):
        assert f" {wrong}" not in f" {text}"


@given(SEEDS, LANGUAGES, st.sampled_from(KINDS))
@settings(max_examples=100, deadline=None)
def test_edits_change_one_thing(seed: int, language: words.Language, kind: str) -> None:
    edit = random_edit(Random(seed), language, kind=kind)
    before, after = edit.before, edit.after
    assert edit.instruction
    assert before.texture_seed == after.texture_seed
    for place, item in enumerate(after.items):
        assert not any(overlap(item, other) for other in after.items[:place])
    changed = set(before.items) ^ set(after.items)
    assert len(changed) == {"time": 0, "ground": 0, "add": 1, "remove": 1}.get(kind, 2)
    assert (before.ground != after.ground) == (kind == "ground")
    if kind != "ground":
        assert (before.time != after.time) == (kind == "time")


def test_every_word_of_the_grammar_is_one_token(tokenizer: CLIPTokenizer) -> None:
    long = [word for word in known_words() if word.isalpha() and len(tokenizer.tokenize(word)) != 1]
    assert long == []


@given(SEEDS, LANGUAGES)
@settings(max_examples=100, deadline=None)
def test_captions_fit(tokenizer: CLIPTokenizer, seed: int, language: words.Language) -> None:
    rng = Random(seed)
    text = roughened(rng, caption(rng, random_scene(rng), language))
    assert len(tokenizer(text).input_ids) <= 40


@given(st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_text_has_an_encoding(tokenizer: CLIPTokenizer, text: str) -> None:
    ids = tokenizer(text, padding="max_length", truncation=True, max_length=40).input_ids
    assert len(ids) == 40
    assert all(0 <= token < len(tokenizer) for token in ids)
    assert ids[0] == tokenizer.bos_token_id


def test_unknown_words_are_spelled_and_not_dropped(tokenizer: CLIPTokenizer) -> None:
    pieces = tokenizer.tokenize("zyzzyva ☃")
    assert "".join(pieces).replace("</w>", "").startswith("zyzzyva")
    assert len(pieces) > 3


def test_merges_do_not_depend_on_order() -> None:
    assert learn_merges(["house", "horse", "mouse"]) == learn_merges(
        ["mouse", "house", "horse", "house"]
    )
