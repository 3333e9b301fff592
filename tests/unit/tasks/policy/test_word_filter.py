import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.policy.word_filter import forbidden_word

LIST = ["gun", "god", "white power", "nud*", "爆弾", "œuf", "оружие", "ass"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a Ｇｕｎ", "gun"),
        ("GUN!", "gun"),
        ("g u n", "gun"),
        ("g. u. n", "gun"),
        ("g.u.n", "gun"),
        ("gu-n", "gun"),
        ("g|u|n", "gun"),
        ("gùn", "gun"),
        ("g\u200bu\u00adn", "gun"),
        ("guuunnn", "gun"),
        ("gцn", "gun"),
        ("White   Power", "white power"),
        ("nudity", "nud*"),
        ("赤い爆弾を描いて", "爆弾"),
        ("un oeuf", "œuf"),
        ("ОРУЖИЕ", "оружие"),
        ("an @$$", "ass"),
        ("a55", "ass"),
    ],
)
def test_obfuscated_forbidden_words_are_found(text: str, found: str) -> None:
    assert forbidden_word(text, LIST) == found


@pytest.mark.parametrize(
    "text",
    [
        "begun",
        "gunther",
        "a class of assassins",
        "white flowers, power lines",
        "10 cats for $5",
        "letters A B C",
        "A S S E M B L Y",
        "G R A S S",
        "C-L-A-S-S",
        "as soon, as sure",
        "white flo wers",
        "good",
        "",
        "!!!",
    ],
)
def test_innocent_words_are_not_matched(text: str) -> None:
    assert forbidden_word(text, LIST) is None


words = st.text("abcdefghijklmnopqrstuvwxyz", min_size=3, max_size=10)


@given(words, st.lists(words, max_size=5), st.integers(0, 5))
def test_listed_word_is_found_anywhere_in_text(word: str, derived: list[str], at: int) -> None:
    text = " ".join([*derived[:at], word.upper(), *derived[at:]])
    assert forbidden_word(text, [word]) == word


@given(words, st.sampled_from([" ", ".", "-", "_", "*", " - "]))
def test_spelled_out_word_is_found(word: str, mark: str) -> None:
    assert forbidden_word(f"draw {mark.join(word)} now", [word]) == word


@given(words, words)
def test_longer_word_is_not_matched(word: str, more: str) -> None:
    assert forbidden_word(word + "q" + more, [word, more]) is None or "qq" in word + "q" + more


@given(st.text(max_size=300), st.lists(st.text(max_size=20), max_size=10))
def test_any_text_and_list_are_accepted(text: str, listed: list[str]) -> None:
    found = forbidden_word(text, listed)
    assert found is None or found in listed


@pytest.mark.parametrize("entry", ["", "  ", "*", "!?"])
def test_entry_without_letters_never_matches(entry: str) -> None:
    assert forbidden_word("anything !? at * all", [entry]) is None
