"""What is wrong with a picture that is there, against prompts in similar words."""

from __future__ import annotations

import pytest

from bots.core.instructions import reads_as_instruction, reads_as_order
from bots.core.picture_remarks import has_caption


@pytest.mark.parametrize(
    "text",
    [
        "the roof should be steeper",
        "he was supposed to wear a cape",
        "ok cool but can the dog be sitting down",
        "the one on the left needs glasses",
        "its missing a leg",
        "what if it was in space",
        "wrong colour, should be green",
        "love it! could you add a little boat?",
        "celui de gauche devrait être plus grand",
        "elle devrait sourire",
        "je trouve qu'il manque une cheminée",
        "c'est pas la bonne couleur",
        "j'adore ! tu peux ajouter un bateau ?",
        "le chien il peut être assis ?",
        "et si c'était dans l'espace",
    ],
)
def test_remark_about_a_picture_is_an_instruction(text: str) -> None:
    assert reads_as_instruction(text)


@pytest.mark.parametrize(
    "text",
    [
        "the king must die, chess illustration",
        "le roi doit mourir, partie d'échecs",
        "he should have been a king, painting",
        "wrong way sign on a highway",
        "what if trees had legs",
        "love it or leave it, bumper sticker",
        "a man who should be king",
        "pourquoi les flamants sont roses",
    ],
)
def test_similar_words_of_a_prompt_are_none(text: str) -> None:
    assert not reads_as_instruction(text)


def test_caption_is_a_kind_of_picture_after_a_comma() -> None:
    assert has_caption("change the world, protest sign")
    assert has_caption("donne moi la lune, affiche de film")
    assert not has_caption("change the sign, please")


@pytest.mark.parametrize(
    "text",
    [
        "remove the ring, gandalf whispering",
        "add to basket, old lady shopping for hats",
        "drop the mic, a penguin singing opera",
        "enlève la bague, gandalf qui chuchote",
        "mets les voiles, un chat qui navigue",
    ],
)
def test_somebody_who_does_something_after_a_comma_is_a_new_picture(text: str) -> None:
    assert has_caption(text)
    assert not reads_as_instruction(text)


@pytest.mark.parametrize(
    "text",
    [
        "remove the ring, the hand holding it too",
        "change the pose, arms crossing",
        "make it bigger, his tail wagging",
        "remove the hat, try something else",
        "add a dog, maybe it starts barking",
        "enlève la bague, celle qui brille",
        "ajoute un chien, les oreilles qui pendent",
    ],
)
def test_part_of_the_picture_after_a_comma_is_a_change(text: str) -> None:
    assert not has_caption(text)


@pytest.mark.parametrize("text", ["plz make a mermaid", "euh je voudrais genre un loup", "draw me"])
def test_order_of_a_new_picture(text: str) -> None:
    assert reads_as_order(text) is (text != "draw me")


@pytest.mark.parametrize("opening", ["and now ", "can you maybe ", "so wait and now "])
def test_many_openings_are_read_in_bounded_steps(opening: str) -> None:
    assert not reads_as_instruction(opening * 40 + "zebra")


def test_prompt_that_begins_like_a_change_is_drawn_where_a_caption_follows() -> None:
    assert not reads_as_instruction("add water, instant noodles ad")
    assert not reads_as_instruction("tournez à gauche, panneau de route")
