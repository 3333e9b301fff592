"""The values of flags: what is read, and what is refused with which details."""

from __future__ import annotations

from typing import Any

import pytest

from bots.core.commands import BadInput
from bots.core.flag_values import COUNT_WORDS, FlagError, aspect_of, listed, read_flag


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("aspect", "16:9", "16:9"),
        ("aspect", "1920x1080", "16:9"),
        ("aspect", "2 × 4", "1:2"),
        ("aspect", "2.35:1", "47:20"),
        ("aspect", "2,5 par 1", "5:2"),
        ("aspect", "3 by 2", "3:2"),
        ("aspect", "3 SUR 2", "3:2"),
        ("aspect", "1:4", "1:4"),
        ("aspect", "4:1", "4:1"),
        ("aspect", " 3*2 ", "3:2"),
        ("aspect", "99999:99999", "1:1"),
        ("count", "1", 1),
        ("count", "4", 4),
        ("count", "003", 3),
        ("count", "٢", 2),
        ("seed", "0", 0),
        ("seed", "000", 0),
        ("seed", "0" * 13, 0),
        ("seed", "0" * 20 + "42", 42),
        ("count", "0" * 12 + "2", 2),
        ("seed", "4294967295", 4294967295),
        ("strength", "0", 0.0),
        ("strength", "1", 1.0),
        ("strength", "100%", 1.0),
        ("strength", "35 %", 0.35),
        ("strength", "0,25", 0.25),
        ("strength", ".5", 0.5),
        ("strength", "1.0000000000", 1.0),
        ("negative", "trees, Cars", "trees, Cars"),
        ("model", "SDXL", "SDXL"),
        ("language", "fr", "fr"),
        ("language", "FR", "fr"),
        ("language", "en", "en"),
        ("something else", "Kept", "Kept"),
    ],
)
def test_value_is_read(name: str, value: str, read: Any) -> None:
    found = read_flag(name, value)
    assert (found, type(found)) == (read, type(read))


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("one un une", 1),
        ("two deux", 2),
        ("three trois", 3),
        ("four quatre", 4),
        ("five cinq", 5),
        ("six", 6),
        ("seven sept", 7),
        ("eight huit", 8),
        ("nine neuf", 9),
        ("ten dix", 10),
    ],
)
def test_number_words_count(words: str, count: int) -> None:
    for word in words.split():
        assert COUNT_WORDS[word] == count
        if count <= 4:
            assert read_flag("count", word) == read_flag("count", word.upper()) == count
        else:
            with pytest.raises(FlagError) as wrong:
                read_flag("count", word)
            assert wrong.value.command.code is BadInput.BAD_COUNT


@pytest.mark.parametrize(
    ("words", "aspect"),
    [
        ("square carré carre carrée carree", "1:1"),
        ("portrait vertical verticale", "2:3"),
        ("landscape paysage horizontal horizontale", "3:2"),
        ("widescreen wide", "16:9"),
    ],
)
def test_shape_words_are_aspects(words: str, aspect: str) -> None:
    for word in words.split():
        assert read_flag("aspect", word) == aspect


ASPECTS = "1:1, 3:2, 2:3, 4:5, 16:9, 9:16"


@pytest.mark.parametrize(
    ("name", "value", "code", "details"),
    [
        ("aspect", "large", BadInput.BAD_ASPECT, {"known": ASPECTS}),
        ("aspect", "4.0001:1", BadInput.BAD_ASPECT, {"known": ASPECTS}),
        ("aspect", "1:4.0001", BadInput.BAD_ASPECT, {"known": ASPECTS}),
        ("aspect", "0:1", BadInput.BAD_ASPECT, {"known": ASPECTS}),
        ("aspect", "1:0", BadInput.BAD_ASPECT, {"known": ASPECTS}),
        ("aspect", "0:0", BadInput.BAD_ASPECT, {"known": ASPECTS}),
        ("aspect", "16:9:1", BadInput.BAD_ASPECT, {"known": ASPECTS}),
        ("aspect", "100000:100000", BadInput.BAD_ASPECT, {"known": ASPECTS}),
        ("aspect", "1.00001:1", BadInput.BAD_ASPECT, {"known": ASPECTS}),
        ("count", "0", BadInput.BAD_COUNT, {"limit": 4}),
        ("count", "5", BadInput.BAD_COUNT, {"limit": 4}),
        ("count", "-1", BadInput.BAD_COUNT, {"limit": 4}),
        ("count", "many", BadInput.BAD_COUNT, {"limit": 4}),
        ("count", "", BadInput.BAD_COUNT, {"limit": 4}),
        ("count", "²", BadInput.BAD_COUNT, {"limit": 4}),
        ("seed", "4294967296", BadInput.BAD_SEED, {"limit": "4294967295"}),
        ("seed", "1234567890123", BadInput.BAD_SEED, {"limit": "4294967295"}),
        ("seed", "seven", BadInput.BAD_SEED, {"limit": "4294967295"}),
        ("strength", "1.01", BadInput.BAD_STRENGTH, {}),
        ("strength", "101%", BadInput.BAD_STRENGTH, {}),
        ("strength", "-0.5", BadInput.BAD_STRENGTH, {}),
        ("strength", "half", BadInput.BAD_STRENGTH, {}),
        ("strength", "0.00000000000", BadInput.BAD_STRENGTH, {}),
        ("language", "zz", BadInput.BAD_LANGUAGE, {"known": "en, fr"}),
    ],
)
def test_value_is_refused(name: str, value: str, code: BadInput, details: dict[str, Any]) -> None:
    with pytest.raises(FlagError) as refused:
        read_flag(name, value)
    assert refused.value.command.code is code
    assert refused.value.command.details == {"value": value, **details}


def test_aspect_is_read_alone_too() -> None:
    assert aspect_of("6:4") == "3:2"


def test_values_are_listed_with_commas() -> None:
    assert listed(["a", "b", "c"]) == "a, b, c"
    assert listed([]) == ""
