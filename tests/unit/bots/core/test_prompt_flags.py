"""Prompts with flags, case by case: how a flag is set, where its value ends, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from bots.core import prompt_flags
from bots.core.commands import MAX_PROMPT, BadCommand, BadInput, Imagine, Upload
from bots.core.prompt_flags import Prompt, check_prompt, first_word, parse_prompt, prompt_fault
from tests.records import assert_records_are_immutable

KNOWN = "--ar, --count, --seed, --no, --model, --strength"


def test_records_are_immutable() -> None:
    assert_records_are_immutable(prompt_flags)


def read(text: str, **options: Any) -> tuple[str, dict[str, Any]]:
    """The words and the flags of a prompt; fails where it is refused."""
    prompt = parse_prompt(text, **options)
    assert isinstance(prompt, Prompt), prompt
    return prompt.words, {name: getattr(prompt, name) for name in sorted(prompt.flags)}


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("--aspect 3:2", {"aspect": "3:2"}),
        ("--ar 3:2", {"aspect": "3:2"}),
        ("--count 2", {"count": 2}),
        ("--n 2", {"count": 2}),
        ("--seed 5", {"seed": 5}),
        ("--model sdxl", {"model": "sdxl"}),
        ("--strength 0.5", {"strength": 0.5}),
        ("--format 3:2", {"aspect": "3:2"}),
        ("-format 3:2", {"aspect": "3:2"}),
        ("--aspect-ratio 3:2", {"aspect": "3:2"}),
        ("--aspect_ratio=3:2", {"aspect": "3:2"}),
        ("--negative-prompt trees", {"negative": "trees"}),
        ("--num-images 2", {"count": 2}),
        ("--count 2x", {"count": 2}),
        ("--seed #5", {"seed": 5}),
        ('--ar "3:2"', {"aspect": "3:2"}),
        ("--ar «3:2»", {"aspect": "3:2"}),
        ('--no "trees"', {"negative": "trees"}),
        ('--model "sdxl"', {"model": "sdxl"}),
        ("--no trees please", {"negative": "trees"}),
        ("--nombre 2", {"count": 2}),
        ("--graine 5", {"seed": 5}),
        ("--sans arbres", {"negative": "arbres"}),
        ("--modèle sdxl", {"model": "sdxl"}),
        ("--modele sdxl", {"model": "sdxl"}),
        ("--intensité 50%", {"strength": 0.5}),
        ("--intensite 50%", {"strength": 0.5}),
        ("--COUNT 2", {"count": 2}),
        ("--count2", {"count": 2}),
        ("--seed:5", {"seed": 5}),
        ("--seed = 5", {"seed": 5}),
        ("--strength .5", {"strength": 0.5}),
        ("--strength.5", {"strength": 0.5}),
        ("--no-trees", {"negative": "trees"}),
        ("--no_trees", {"negative": "trees"}),
        ("--no: trees", {"negative": "trees"}),
        ("--3:2", {"aspect": "3:2"}),
        ("— ar 3:2", {"aspect": "3:2"}),
        ("-ar 3:2", {"aspect": "3:2"}),
        ("- count 2", {"count": 2}),
        ("—seed 5", {"seed": 5}),
        ("-no trees", {"negative": "trees"}),
        ("-model sdxl", {"model": "sdxl"}),
    ],
)
def test_flag_at_the_end(text: str, flags: dict[str, Any]) -> None:
    assert read(f"a house {text}") == ("a house", flags)


@pytest.mark.parametrize(
    "text",
    [
        # Names that are no flags, or that only two hyphens make one.
        "a house -format large",
        "a house -sans arbres",
        "a well-made house",
        "a house - 5 windows",
        "a house -x 5",
        "a house —x 5",
        "a house — — of dashes",
        "a house -",
        "a house --",
        "a house — a garden",
        # A word glued to a hyphen.
        "a house-count 2",
        "a house-seed 5",
        "a no-no house",
        "x--ray of light",
        "a--foo 1",
        # A space between dash and name is prose unless a number must follow.
        "a house - no trees",
        "a house -- no trees, no people",
        "a house -- no trees; no people",
        "a house -- no trees. no people",
        "a house —— no trees",
        "a house -— no trees",
        "a house — no trees",
        "a house - model railway",
        # The name is part of a longer word.
        "a house -counts 2",
        "a house -north of 2",
        "a house -no2 pencil",
        "a house -nó trees",
        # A single dash before a name with a value that is none.
        "a house -count on me today",
        "a house —seed of hope and joy",
        "a house - count me",
        "a house -n roll",
        # A dash that closes later in the line.
        "a knight —no fear— in armour",
        "a knight -no fear-, in armour",
        "a knight —model citizen—.",
    ],
)
def test_dash_in_prose_is_no_flag(text: str) -> None:
    assert read(text) == (text, {})


@pytest.mark.parametrize(
    ("text", "words", "flags"),
    [
        ("a —no fear—\nb -no trees", "a —no fear— b", {"negative": "trees"}),
        ("a -no fear\nb— c", "a b— c", {"negative": "fear"}),
        ("house—seed 5", "house", {"seed": 5}),
        ("house--no trees", "house", {"negative": "trees"}),
        ("house--seed 5", "house", {"seed": 5}),
        ("house —count 2.", "house", {"count": 2}),
        ("(a house --seed 5)", "(a house )", {"seed": 5}),
        ("(a house --seed 5) by night", "(a house ) by night", {"seed": 5}),
        ("a house (--seed 5)", "a house", {"seed": 5}),
        ("a house [--seed 5 --count 2]", "a house", {"seed": 5, "count": 2}),
        ("a house {--seed 5}", "a house", {"seed": 5}),
        ('"a house --seed 5"', '"a house "', {"seed": 5}),
        ("a house --seed 5, by the sea", "a house by the sea", {"seed": 5}),
        ("a house --seed 5!! by the sea", "a house by the sea", {"seed": 5}),
        ("a --ar 16:9 b --count 2 c", "a b c", {"aspect": "16:9", "count": 2}),
        ("--count 2 a house", "a house", {"count": 2}),
        ("--model sdxl a house", "a house", {"model": "sdxl"}),
        ("a house --seed\n5", None, {}),
        ("a house --model", None, {}),
        ("a\nhouse", "a house", {}),
        ("--seed 5\na house", "a house", {"seed": 5}),
        ("-model sdxl\na house", "a house", {"model": "sdxl"}),
        ("a  house\t--seed  5", "a house", {"seed": 5}),
        ("a\0 house --seed\0 5", "a house", {"seed": 5}),
        ("a house --seed 1 --seed 2", "a house", {"seed": 2}),
        ("a house --no a --no b --no c", "a house", {"negative": "a, b, c"}),
    ],
)
def test_words_around_flags_are_the_prompt(
    text: str, words: str | None, flags: dict[str, Any]
) -> None:
    if words is None:
        refused = parse_prompt(text)
        assert isinstance(refused, BadCommand)
        assert refused.code is BadInput.FLAG_NEEDS_VALUE
    else:
        assert read(text) == (words, flags)


@pytest.mark.parametrize(
    ("text", "words", "negative"),
    [
        # After the prompt: everything up to the next flag or the end of the line.
        ("a house --no trees by the sea", "a house", "trees by the sea"),
        ("a house --no trees, --seed 5", "a house", "trees"),
        ("a house --no: - trees;", "a house", "trees"),
        ("a house --no “trees” please", "a house", "trees"),
        ('a house --no "trees", cars', "a house", '"trees", cars'),
        ('a house --no cars, "trees"', "a house", 'cars, "trees"'),
        # Two hyphens and a space, where no list of clauses follows in the line.
        ("a house -- no trees", "a house", "trees"),
        ("a house -- no cars, nobody", "a house", "cars, nobody"),
        ("a house -- no cars no people", "a house", "cars no people"),
        ("a house -- no cars\nby the sea, no people", "a house by the sea, no people", "cars"),
        # Before the prompt: up to a determiner …
        ("--no trees a house", "a house", "trees"),
        ("--no big trees the house", "the house", "big trees"),
        ("--no trees l'arbre", "l'arbre", "trees"),
        ("--no trees l’arbre", "l’arbre", "trees"),
        ("--no trees A house", "A house", "trees"),
        ("--no trees deux maisons", "deux maisons", "trees"),
        # … else the first item and those joined to it.
        ("--no trees red house", "red house", "trees"),
        ("--no trees, cars red house", "red house", "trees, cars"),
        ("--no trees and cars red house", "red house", "trees and cars"),
        ("--no trees, and cars red house", "red house", "trees, and cars"),
        ("--no trees & cars + dogs red house", "red house", "trees & cars + dogs"),
        ("--no arbres et voitures maison rouge", "maison rouge", "arbres et voitures"),
    ],
)
def test_words_to_leave_out(text: str, words: str, negative: str) -> None:
    found, flags = read(text)
    assert (found, flags["negative"]) == (words, negative)


@pytest.mark.parametrize("text", ["--no trees", "--no trees, cars", "--no trees and cars"])
def test_list_without_a_prompt_is_no_prompt(text: str) -> None:
    assert parse_prompt(text) == BadCommand(BadInput.PROMPT_EMPTY)
    found, flags = read(text, may_be_empty=True)
    assert (found, flags["negative"]) == ("", text.removeprefix("--no "))


@pytest.mark.parametrize("name", ["ar", "aspect", "count", "model", "seed", "strength"])
@pytest.mark.parametrize("joint", ["-", "_"])
def test_hyphen_after_the_name_begins_words_to_leave_out_only(name: str, joint: str) -> None:
    typed = f"--{name}{joint}5"
    details = {"flag": typed, "meant": f"--{name}", "known": KNOWN}
    assert parse_prompt(f"a house {typed}") == BadCommand(BadInput.NEAR_FLAG, details)
    assert read(f"a house --no{joint}5") == ("a house", {"negative": "5"})


@pytest.mark.parametrize(
    ("text", "code", "details"),
    [
        ("a house --count 2y (big)", BadInput.BAD_COUNT, {"value": "2y", "limit": 4}),
        ("a house --n-2", BadInput.UNKNOWN_FLAG, {"flag": "--n-2", "known": KNOWN}),
        ("a house --seed", BadInput.FLAG_NEEDS_VALUE, {"flag": "--seed"}),
        ("a house --no", BadInput.FLAG_NEEDS_VALUE, {"flag": "--no"}),
        ("a house --no ,", BadInput.FLAG_NEEDS_VALUE, {"flag": "--no"}),
        ("a house --model --seed 5", BadInput.FLAG_NEEDS_VALUE, {"flag": "--model"}),
        ("--foo a house", BadInput.UNKNOWN_FLAG, {"flag": "--foo", "known": KNOWN}),
        ("a house --foo 1", BadInput.UNKNOWN_FLAG, {"flag": "--foo", "known": KNOWN}),
        ("a house --foo-bar", BadInput.UNKNOWN_FLAG, {"flag": "--foo-bar", "known": KNOWN}),
        (
            "a house --sede 1",
            BadInput.NEAR_FLAG,
            {"flag": "--sede", "meant": "--seed", "known": KNOWN},
        ),
        (
            "a house --Modell x",
            BadInput.NEAR_FLAG,
            {"flag": "--Modell", "meant": "--model", "known": KNOWN},
        ),
        ("a house --count many", BadInput.BAD_COUNT, {"value": "many", "limit": 4}),
        ("a house --count 2y", BadInput.BAD_COUNT, {"value": "2y", "limit": 4}),
        ("a house -count 2y", BadInput.BAD_COUNT, {"value": "2y", "limit": 4}),
        (
            "a house -ar potato today",
            BadInput.BAD_ASPECT,
            {"value": "potato", "known": "1:1, 3:2, 2:3, 4:5, 16:9, 9:16"},
        ),
        ("a house - ar", BadInput.FLAG_NEEDS_VALUE, {"flag": "--ar"}),
        ("a house -count many", BadInput.BAD_COUNT, {"value": "many", "limit": 4}),
        ("a house --count 9", BadInput.BAD_COUNT, {"value": "9", "limit": 4}),
        (
            "a house --seed 5x --count 2",
            BadInput.BAD_SEED,
            {"value": "5x", "limit": "4294967295"},
        ),
        ("a house --seed -5", BadInput.BAD_SEED, {"value": "-5", "limit": "4294967295"}),
    ],
)
def test_flag_is_refused(text: str, code: BadInput, details: dict[str, Any]) -> None:
    assert parse_prompt(text) == BadCommand(code, details)


def test_prompt_exactly_at_its_limit_is_accepted() -> None:
    longest = "x" * MAX_PROMPT
    assert read(longest) == (longest, {})
    assert prompt_fault(longest) is None
    check_prompt(longest)
    details = {"length": MAX_PROMPT + 1, "limit": MAX_PROMPT}
    too_long = BadCommand(BadInput.PROMPT_TOO_LONG, details)
    assert parse_prompt(longest + "x") == too_long
    assert prompt_fault(longest + "x") == too_long
    assert read(f"{longest} --seed 5") == (longest, {"seed": 5})


def test_flag_far_from_the_start_is_a_flag() -> None:
    long = "x" * 300
    assert read(f"{long} --no trees") == (long, {"negative": "trees"})
    refused = parse_prompt(f"{long} --foo 1")
    assert refused == BadCommand(BadInput.UNKNOWN_FLAG, {"flag": "--foo", "known": KNOWN})


@pytest.mark.parametrize("length", [1, 300])  # above 256, equal integers are not the same object
def test_dash_at_the_very_end_is_prose(length: int) -> None:
    for end in ("-", "- ", "—\t ", "--  "):
        text = "x" * length + " " + end
        assert read(text) == (text.strip(), {})


def test_text_exactly_at_its_limit_is_parsed() -> None:
    text = "a house --seed 5" + " " * (20_000 - 16)
    assert read(text) == ("a house", {"seed": 5})
    refused = parse_prompt(text + " ")
    details = {"length": 20_001, "limit": MAX_PROMPT}
    assert refused == BadCommand(BadInput.PROMPT_TOO_LONG, details)


def test_empty_prompt_is_refused_unless_it_may_be_empty() -> None:
    assert parse_prompt(" ") == BadCommand(BadInput.PROMPT_EMPTY)
    assert prompt_fault(" \x07") == BadCommand(BadInput.PROMPT_EMPTY)
    assert prompt_fault("a house") is None
    assert read("", may_be_empty=True) == ("", {})
    assert read("--seed 5", may_be_empty=True) == ("", {"seed": 5})


def test_prompt_without_flags_has_none() -> None:
    assert parse_prompt("a house") == Prompt("a house", flags=frozenset())


def test_command_of_a_prompt_has_all_its_flags() -> None:
    text = "a house --ar 3:2 --count 2 --seed 5 --no trees --model sdxl --strength 0.5"
    prompt = parse_prompt(text)
    assert isinstance(prompt, Prompt)
    reference = Upload(b"a picture")
    assert prompt.imagine(reference) == Imagine(
        "a house",
        aspect="3:2",
        count=2,
        model="sdxl",
        seed=5,
        negative="trees",
        reference=reference,
        strength=0.5,
    )
    assert prompt.imagine().reference is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ("", "")),
        ("  ", ("", "")),
        ("one", ("one", "")),
        (" one  two three ", ("one", "two three ")),
        ("one\ntwo", ("one", "two")),
    ],
)
def test_first_word_is_split_at_any_whitespace(text: str, words: tuple[str, str]) -> None:
    assert first_word(text) == words


@pytest.mark.parametrize(
    ("text", "words", "flags"),
    [
        # Taking a flag out makes the words before and after it one flag.
        ("a house --se --count 2 ed 5", None, {}),
        ("a house - --seed 5 -count 2", "a house -", {"seed": 5, "count": 2}),
        ("a house --no trees --seed 5 cars", "a house cars", {"negative": "trees", "seed": 5}),
        # A control character hides a flag from the words, and is dropped with the flag.
        ("a --no b --\x07seed 5", "a", {"negative": "b"}),
        ("a --no b\x07--seed 5", "a", {"negative": "b", "seed": 5}),
        # Each flag shows the next one, up to six times.
        ("a -n -n -n -n 2 2 2 2", "a", {"count": 2}),
        ("a -n -n -n -n -n 2 2 2 2 2", None, {}),
        ("a --no b" + " -\x07n" * 5 + " 2" * 5, "a", {"negative": "b"}),
        ("a --no b" + " -\x07n" * 6 + " 2" * 6, None, {}),
    ],
)
def test_flags_that_others_hide(text: str, words: str | None, flags: dict[str, Any]) -> None:
    if words is None:
        assert isinstance(parse_prompt(text), BadCommand)
    else:
        assert read(text) == (words, flags)


@pytest.mark.parametrize(
    ("text", "words", "negative"),
    [
        ("--no trees, cars and dogs red house", "red house", "trees, cars and dogs"),
        ("--no fog and rain house", "house", "fog and rain"),
    ],
)
def test_items_joined_by_and_belong_to_a_leading_list(text: str, words: str, negative: str) -> None:
    prompt = parse_prompt(text)
    assert isinstance(prompt, Prompt)
    assert (prompt.words, prompt.negative) == (words, negative)


@pytest.mark.parametrize(
    ("text", "words"),
    [("a house-ar 16:9", "a house"), ("a house-ar 16:9 by the sea", "a house by the sea")],
)
def test_aspect_is_a_flag_however_it_is_set(text: str, words: str) -> None:
    prompt = parse_prompt(text)
    assert isinstance(prompt, Prompt)
    assert (prompt.words, prompt.aspect) == (words, "16:9")


@pytest.mark.parametrize(
    ("text", "words", "options"),
    [
        ("an otter (x2, landscape)", "an otter", {"count": 2, "aspect": "3:2"}),
        ("an otter, i'd like 3:2 and 2 images", "an otter", {"count": 2, "aspect": "3:2"}),
        ("une loutre, j'en veux 3", "une loutre", {"count": 3}),
        ("an otter, make it 3:2", "an otter", {"aspect": "3:2"}),
        ("an otter, portrait, 2 versions", "an otter", {"count": 2, "aspect": "2:3"}),
        ("an otter at 16:9", "an otter", {"aspect": "16:9"}),
        ("an otter --images 2 --without hats", "an otter", {"count": 2, "negative": "hats"}),
        ("a poster for the party, 21 june", "a poster for the party, 21 june", {}),
        ("two otters (a mother, a pup)", "two otters (a mother, a pup)", {}),
        ("oil painting of a lake, landscape", "oil painting of a lake, landscape", {}),
    ],
)
def test_options_that_end_a_prompt(text: str, words: str, options: dict[str, object]) -> None:
    assert read(text) == (words, options)
