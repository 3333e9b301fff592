"""Near-flags are read or refused, prose is left alone, and what is echoed parses to the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.core.command_parser import imagine, parse
from bots.core.commands import BadCommand, BadInput, Imagine
from bots.core.flag_values import aspect_of
from bots.core.order_text import order_text
from bots.core.prompt_flags import MAX_TYPED, parse_prompt

ZERO_WIDTH = "\u200b"


@pytest.mark.parametrize(
    "flag",
    [
        "--ar16:9", "--ar: 16:9", "--ar:16:9", "--ar=16:9", "--ar = 16:9", "——ar 16:9", "— ar 16:9",
        "—ar 16:9", "–ar 16:9", "-ar 16:9", "−−ar 16:9", "－－ar 16:9", "－－ａｒ　１６：９",
        "‐‐ar 16:9", "‑‑ar 16:9", f"-{ZERO_WIDTH}-ar 16:9", f"--a{ZERO_WIDTH}r 16:9",
        f"--ar 16{ZERO_WIDTH}:9", "--ar 16x9", "--ar 16X9", "--ar 16×9", "--ar 16/9", "--ar 16：9",
        "--ar 16∶9", "--ar 16:9.", "--ar ١٦:٩", "--ar १६:९", "--16:9", "--AR 16:9", "--aspect 16:9",
    ],
)  # fmt: skip
def test_near_flag_with_one_reading_is_understood(flag: str) -> None:
    for text in (f"a house {flag}", f"{flag} a house"):
        assert parse(text) == Imagine("a house", aspect="16:9"), text


@pytest.mark.parametrize("text", ["house--ar 16:9", "house—ar 16:9", "house --ar 16:9"])
def test_flag_glued_to_a_word_is_understood(text: str) -> None:
    assert parse(text) == Imagine("house", aspect="16:9")


@pytest.mark.parametrize(
    ("text", "value"),
    [("0,5", 0.5), ("0.5", 0.5), (".5", 0.5), ("50%", 0.5), ("٠٫٥", 0.5), ("1", 1.0), ("0", 0.0)],
)
def test_strength_may_be_written_with_a_comma_or_as_a_percentage(text: str, value: float) -> None:
    assert parse(f"a house --strength {text}") == Imagine("a house", strength=value)


@pytest.mark.parametrize(
    "text",
    [
        "a knight —tall and brave— in armour",
        "a robot –no face– in the rain",
        "a robot -no face- in the rain",
        "a desert — no water",
        "the —count on me— song",
        "a well--known place",
        "a road -- empty",
        "rock -n roll",
        "word-count 500",
        "a sunflower —seed of hope",
        "a T-shirt, an x-ray, a 16:9 screen",
        "a lake—no very tall green trees",
        "a lake—calm and grey—no people",
        "a lake—no people—at dawn",
        "a half- lit lake—no people-",
        "a road—no end",
        "a road—no cars, end",
    ],
)
def test_dash_in_prose_is_prose(text: str) -> None:
    assert parse(text) == Imagine(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a cat —ar 16:9— on a mat", "a cat on a mat"),
        ("a cat —ar 16:9—on a mat", "a cat on a mat"),
        ("a cat --ar 16:9—on a mat", "a cat —on a mat"),
    ],
)
def test_flag_between_dashes_takes_the_second_one(text: str, words: str) -> None:
    assert parse(text) == Imagine(words, aspect="16:9")


@pytest.mark.parametrize(
    ("text", "code", "meant"),
    [
        ("house --aspec 3:2", BadInput.NEAR_FLAG, "--aspect"),
        ("house --sed 7", BadInput.NEAR_FLAG, "--seed"),
        ("house --stylize 5", BadInput.UNKNOWN_FLAG, None),
        ("house —ar potato", BadInput.BAD_ASPECT, None),
        ("house —seed seven", BadInput.BAD_SEED, None),
    ],
)
def test_near_flag_without_a_reading_is_refused(
    text: str, code: BadInput, meant: str | None
) -> None:
    parsed = parse(text)
    assert isinstance(parsed, BadCommand)
    assert (parsed.code, parsed.details.get("meant")) == (code, meant)


@pytest.mark.parametrize(
    ("text", "words", "negative"),
    [
        ("--no trees a red house", "a red house", "trees"),
        ("--no trees, cars a red house", "a red house", "trees, cars"),
        ("--no trees and cars the sea", "the sea", "trees and cars"),
        ("--no people mountain lake", "mountain lake", "people"),
        ("a house --no trees, cars and people", "a house", "trees, cars and people"),
        ("a house --no trees\nby the sea", "a house by the sea", "trees"),
        ("--no arbres une maison", "une maison", "arbres"),
        ("a house --no trees --no cars", "a house", "trees, cars"),
        ("a lake—no people", "a lake", "people"),
        ("a lake—sans gens", "a lake", "gens"),
        ("a lake—no tall green trees, cars", "a lake", "tall green trees, cars"),
        ("a half- lit lake—no people", "a half- lit lake", "people"),
        ("a lake—no people\nat dawn", "a lake at dawn", "people"),
    ],
)
def test_negative_leaves_the_prompt(text: str, words: str, negative: str) -> None:
    assert parse(text) == Imagine(words, negative=negative)


def test_text_longer_than_a_message_can_be_is_refused_unread() -> None:
    parsed = parse("a --no b " * MAX_TYPED)
    assert isinstance(parsed, BadCommand)
    assert parsed.code is BadInput.PROMPT_TOO_LONG


pieces = st.sampled_from(
    ["a", "red", "house", "—", "-", "--", "–", "ar", "no", "seed", "n", "16:9", "7", ",", "trees",
     "--ar", "--no", "--seed", "—ar", "--count 2", "--ar 16:9", "help", "imagine", "(", ")",
     "👨‍👩‍👧", "é", "\u200b", "\n", "/", "=", ":", "--strength 0,5", "prompt:",
     "/imagine", "make it", "square", "format", "please", "x4", "seed 42", "in", "2 images d'",
     "1920x1080", "thanks", "again"]
)  # fmt: skip


@pytest.mark.parametrize(
    "typed",
    [
        "–no --no trees, cars -no --seed 7 - - −−count 3 --aspect 4:5 again",
        "help --no trees—ar-undo-1--aspect --model=postcard0,5--ar--no",
        "----model=postcard９--ar--no trees, cars--stylize 5vary--seed",
        "--count 2 imagine a",
    ],
)
def test_order_that_no_text_means_is_not_echoed(typed: str) -> None:
    order = imagine(typed)
    assert isinstance(order, Imagine)
    shown = order_text(order)
    assert shown == "" or parse(shown) == order


@settings(max_examples=30 * settings().max_examples, deadline=None)
@given(st.lists(pieces, max_size=12), st.sampled_from([" ", "", "  "]))
def test_echoed_order_parses_to_the_same_order(parts: list[str], glue: str) -> None:
    for read in (parse, imagine):  # a message, and the prompt of a slash command
        order = read(glue.join(parts))
        if isinstance(order, Imagine):
            shown = order_text(order)  # empty where no text means the order
            assert shown == "" or parse(shown) == order


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_echoed_prompt_parses_to_the_same_order(text: str) -> None:
    order = imagine(text)
    if isinstance(order, Imagine):
        shown = order_text(order)
        assert shown == "" or parse(shown) == order


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("aspcet", "--aspect"),
        ("sed", "--seed"),
        ("strenhgt", "--strength"),
        ("ra", "--ar"),
        ("nno", "--no"),
        ("asp", "--aspect"),
        ("cnt", "--count"),
        ("garine", "--graine"),
        ("formats", "--format"),
    ],
)
def test_mistyped_flag_is_answered_with_the_one_that_is_near(typed: str, meant: str) -> None:
    refused = parse(f"a house --{typed} 2")
    assert isinstance(refused, BadCommand)
    assert (refused.code, refused.details["meant"]) == (BadInput.NEAR_FLAG, meant)


@pytest.mark.parametrize(
    "typed", ["rapide", "width", "fast", "raw", "car", "s", "v", "style", "stylize", "x" * 5000]
)
def test_flag_that_is_near_none_is_answered_with_the_flags_there_are(typed: str) -> None:
    refused = parse(f"a house --{typed}")
    assert isinstance(refused, BadCommand)
    assert refused.code == BadInput.UNKNOWN_FLAG
    assert "--seed" in refused.details["known"]


def test_commas_on_both_sides_of_a_flag_leave_one() -> None:
    assert parse("a penguin, --count 3 , on ice") == Imagine("a penguin, on ice", count=3)
    assert parse("a penguin; --seed 7 --count 3; on ice") == Imagine(
        "a penguin; on ice", count=3, seed=7
    )


@settings(deadline=None)
@given(st.text(max_size=200))
def test_words_of_a_prompt_hold_no_flag(text: str) -> None:
    prompt = parse_prompt(text)
    if not isinstance(prompt, BadCommand) and prompt.words:
        again = parse_prompt(prompt.words)
        assert not isinstance(again, BadCommand)
        assert (again.words, again.flags) == (prompt.words, frozenset())


@settings(deadline=None)
@given(st.integers(1, 400), st.integers(1, 400))
def test_any_ratio_up_to_four_is_an_aspect(width: int, height: int) -> None:
    if max(width, height) <= 4 * min(width, height):
        wide, high = map(int, aspect_of(f"{width}:{height}").split(":"))
        assert wide * height == high * width
