"""Short and mistyped words of chats."""

from __future__ import annotations

import pytest

from bots.core.chat_spelling import spelled_out


@pytest.mark.parametrize(
    ("typed", "full"),
    [
        ("can u make it biger", "can you make it bigger"),
        ("remvoe teh backgroud", "remove the background"),
        ("c trop sombre", "c'est trop sombre"),
        ("tu pe enlever le chapeau", "tu peux enlever le chapeau"),
        ("g plus de credits", "j'ai plus de credits"),
        ("ajuote un chat mtn", "ajoute un chat maintenant"),
    ],
)
def test_short_and_mistyped_words_are_written_in_full(typed: str, full: str) -> None:
    assert spelled_out(typed) == full


@pytest.mark.parametrize(
    "text", ["a red house by the sea", "un renard dans la neige", "les images"]
)
def test_plain_words_stay(text: str) -> None:
    assert spelled_out(text) == text
