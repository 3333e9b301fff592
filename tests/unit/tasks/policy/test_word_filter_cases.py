"""The word filter on hidden words and on ordinary prompts; the trial and admission agree."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.policy.word_filter import MAX_GAP, WordFilter, forbidden_word

DATA = Path(__file__).parent / "data"
MAX_FALSE_ALARMS = 0.005
LIST = (
    "gun", "kill", "ass", "sex", "cock", "cum", "tit", "anal", "nazi", "rape", "nude", "naked",
    "porn", "slut", "dick", "pussy", "piss", "shit", "fuck", "cunt", "whore", "hell", "bomb",
    "terrorist",
    "drug*", "meth", "weed", "coke", "gore", "blood*", "hitler", "fag", "negro", "spic",
    "chink", "merde", "con", "cul", "bite", "pute", "salope", "sexe", "seins", "viol", "tuer",
    "bombe",
    "nichon", "enculé", "putain", "pédé", "drogue*", "white power", "big knife", "оружие", "убить",
    "секс", "бля", "爆弾", "殺す", "セックス", "ちんこ", "炸弹", "색스",
)  # fmt: skip


def lines(name: str) -> list[str]:
    text = (DATA / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("# ")]


def evasions() -> list[tuple[str, str]]:
    pairs = (line.partition(" ⇒ ") for line in lines("evasions.txt"))
    return [(word, text) for word, _, text in pairs]


@pytest.mark.parametrize(("word", "text"), evasions())
def test_hidden_word_is_found(word: str, text: str) -> None:
    assert forbidden_word(text, [word]) == word


def test_there_are_enough_evasions() -> None:
    assert len(evasions()) >= 60


def test_ordinary_prompts_are_admitted() -> None:
    prompts = lines("ordinary_prompts.txt")
    words = WordFilter(LIST)
    alarms = [(prompt, found) for prompt in prompts if (found := words.find(prompt))]
    for prompt, found in alarms:
        print(f"false alarm: {found!r} in {prompt!r}")
    print(f"{len(alarms)} of {len(prompts)} ordinary prompts refused")
    assert len(prompts) >= 2000
    assert len(alarms) <= MAX_FALSE_ALARMS * len(prompts)


hostile = st.text(alphabet="a1!*@$ lik.s3-0оесГ*爆ばー#", max_size=400)


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.text(max_size=400), hostile))
def test_work_is_linear_in_the_text(text: str) -> None:
    words = WordFilter(LIST)
    _, steps = words.search(text)
    assert steps <= 60 * (len(text) + 1)
    _, doubled = words.search(f"{text}\n{text}")
    assert doubled <= 2 * steps + 60 * 20


def lines_run(words: WordFilter, text: str) -> int:
    """How many lines of Python a search executes."""
    count = 0

    def trace(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        words.find(text)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("piece", ["0", "@", "a", "1", "*", "l1!|", "g u n ", "a-", "()", "о0"])
def test_long_runs_are_read_in_linear_time(piece: str) -> None:
    words = WordFilter(LIST)
    short, long = (lines_run(words, piece * count) for count in (100, 1000))
    assert long <= 12 * short + 1000


def test_work_stays_linear_on_a_long_hostile_text() -> None:
    words = WordFilter([*LIST, *("a" * length for length in range(3, 40))])
    for piece in ("a", "1", "*", "a*", "l1!|", "g u n ", "a-"):
        short, long = (words.search(piece * count)[1] for count in (200, 2000))
        assert long <= 11 * short + 500, piece


@pytest.mark.parametrize("count", [1, MAX_GAP, 40, 4000])
def test_spaces_of_any_number_are_one_gap(count: int) -> None:
    words = WordFilter(["gun"])
    assert words.find((" " * count).join("gun")) == "gun"
    assert words.search((" " * count).join("gunx" * 20))[1] <= 60 * 80


@pytest.mark.parametrize(
    "text",
    [
        "C U M U L U S", "C.U.M.U.L.U.S clouds", "C - U - M - U - L - U - S", "B A S S", "C O N E",
        "he'll go", "it's hit by light", "put in a vase", "an al fresco dinner", "nu de dos",
        "5 hit points", "who re-draws it",
    ],
)  # fmt: skip
def test_ordinary_text_beside_a_hidden_word_is_admitted(text: str) -> None:
    assert forbidden_word(text, LIST) is None
