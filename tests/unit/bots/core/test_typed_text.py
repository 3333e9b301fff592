"""Typed text keeps what people see and loses what they don't."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.core.typed_text import clean_text, view_of


@pytest.mark.parametrize(
    "text",
    [
        "👨‍👩‍👧‍👦 family",  # ZWJ sequence
        "👩🏽‍🚀 on the moon",  # skin tone in a ZWJ sequence
        "🏴󠁧󠁢󠁥󠁮󠁧󠁿 flag",  # tag sequence
        "🇫🇷🇯🇵",
        "❤️ and ❤︎",  # variation selectors
        "می‌خواهم",  # ZWNJ in Persian
        "क्‍ष",  # ZWJ in Devanagari
        "Donau\u00addampf\u00adschiff",  # soft hyphens
        "cafe\u0301 nai\u0308ve",  # NFD
        "\U0001fae9 \U0001fadf",  # emoji of Unicode 16
        "\U0001faea new",  # assigned after this Python was released
        "x² ½ №",
    ],
)
def test_visible_text_is_kept_whole(text: str) -> None:
    assert clean_text(text) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\u200bcat", "acat"),
        ("re\u2060d ho\ufeffuse", "red house"),
        ("\u202ered\u202c \u2066house\u2069", "red house"),
        ("red\x00 ho\x07use", "red house"),
        ("red\nhouse\tby\r\nthe sea", "red house by the sea"),
        ("red\u00a0house\u3000here", "red house here"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("\u3164\u115f", ""),
        ("a\ufffe\ufdd0b", "ab"),
    ],
)
def test_invisible_characters_go_without_splitting_words(text: str, cleaned: str) -> None:
    assert clean_text(text) == cleaned


@settings(deadline=None)
@given(st.text())
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean_text(clean_text(text)) == clean_text(text)


@settings(deadline=None)
@given(st.text())
def test_view_maps_back_to_the_text(text: str) -> None:
    view = view_of(text)
    assert len(view.origins) == len(view.text) + 1
    assert view.span(0, len(view.text))[1] == len(text)
    assert list(view.origins) == sorted(view.origins)


@given(st.text("a \n\t\u00a0\u3000\u200b-é", max_size=40))
def test_view_with_single_spaces_maps_back_to_the_text(text: str) -> None:
    view = view_of(text).with_single_spaces()
    assert not re.search(r"\s\s", view.text)
    assert len(view.origins) == len(view.text) + 1
    assert list(view.origins) == sorted(view.origins)
    for number, character in enumerate(view.text):
        start, end = view.span(number, number + 1)
        written = view_of(text[start:end]).text
        assert written.isspace() if character.isspace() else written.strip() == character
        assert ("\n" in written) == (character == "\n")
