"""The text people type becomes a command, or one clear sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.core import command as commands
from bots.core.command import ASPECTS, MAX_PROMPT, BadCommand, BadInput, Imagine
from bots.core.flags import parse_prompt
from bots.core.grammar import parse
from bots.core.reasons import misread
from bots.core.sentences import LOCALES, speak
from tasks.client import Whole
from tasks.tiers import DoorState, Feature, Tier

words = st.lists(
    st.sampled_from(["a", "red", "house", "by", "the", "sea", "at", "night", "--", "2"]), min_size=1
)


@given(
    before=words,
    after=words,
    aspect=st.sampled_from(ASPECTS),
    count=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
    dash=st.sampled_from(["--", "—", "–"]),
    glue=st.sampled_from([" ", "="]),
)
def test_flags_may_stand_anywhere_and_leave_the_words(
    before: list[str], after: list[str], aspect: str, count: int, seed: int, dash: str, glue: str
) -> None:
    text = (
        f"{' '.join(before)} {dash}ar{glue}{aspect} {dash}count{glue}{count} "
        f"{dash}seed{glue}{seed} {' '.join(after)}"
    )
    parsed = parse(text)
    assert isinstance(parsed, Imagine)
    assert parsed.prompt == " ".join([*before, *after])
    assert (parsed.aspect, parsed.count, parsed.seed) == (aspect, count, seed)


@given(st.text())
def test_any_text_is_a_command_or_a_sentence_in_both_languages(text: str) -> None:
    parsed = parse(text)
    if isinstance(parsed, BadCommand):
        for locale in LOCALES:
            assert misread(parsed, speak(locale)).text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", BadInput.PROMPT_EMPTY),
        ("   ", BadInput.PROMPT_EMPTY),
        ("--ar 1:1", BadInput.PROMPT_EMPTY),
        ("x" * (MAX_PROMPT + 1), BadInput.PROMPT_TOO_LONG),
        ("house --foo 1", BadInput.UNKNOWN_FLAG),
        ("house --ar 7:5", BadInput.BAD_ASPECT),
        ("house --count 99", BadInput.BAD_COUNT),
        ("house --count -1", BadInput.BAD_COUNT),
        ("house --count ²", BadInput.BAD_COUNT),
        ("house --seed seven", BadInput.BAD_SEED),
        ("house --seed 99999999999", BadInput.BAD_SEED),
        ("house --strength nan", BadInput.BAD_STRENGTH),
        ("house --strength 2", BadInput.BAD_STRENGTH),
        ("house --seed 000000000000999999999999999", BadInput.BAD_SEED),
        ("house --count 000000001999", BadInput.BAD_COUNT),
        ("house --count " + "0" * 5000, BadInput.BAD_COUNT),
        ("house --seed " + "9" * 5000, BadInput.BAD_SEED),
        ("house --seed", BadInput.FLAG_NEEDS_VALUE),
        ("house --no", BadInput.FLAG_NEEDS_VALUE),
        ("/nothing", BadInput.UNKNOWN_COMMAND),
        ("/atelier nothing", BadInput.UNKNOWN_COMMAND),
        ("/atelier privacy burn", BadInput.UNKNOWN_COMMAND),
        ("/atelier settings colour=red", BadInput.BAD_SETTING),
        ("/atelier settings count=9", BadInput.BAD_COUNT),
        ("/atelier settings language=zz", BadInput.BAD_LANGUAGE),
        ("/atelier studio role @x", BadInput.NEEDS_ROLE),
        ("/atelier studio role @x gold", BadInput.BAD_TIER),
        ("/atelier studio doors free ajar", BadInput.BAD_STATE),
        ("/atelier studio grant @x lots", BadInput.BAD_CREDITS),
        ("/atelier studio grant @x nan", BadInput.BAD_CREDITS),
    ],
)
def test_what_cannot_be_understood_names_its_fault(text: str, code: BadInput) -> None:
    parsed = parse(text)
    assert isinstance(parsed, BadCommand)
    assert parsed.code is code
    assert len(misread(parsed, speak("en")).text) < 300  # whatever length was typed


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/imagine a house --no trees, cars", Imagine("a house", negative="trees, cars")),
        ("--no trees --ar 2:3 a house", Imagine("a house", aspect="2:3", negative="trees")),
        ("/imagine\na house --seed 007\nby the\tsea", Imagine("a house by the sea", seed=7)),
        ("a house --seed " + "0" * 5000, Imagine("a house", seed=0)),
        ("/atelier\tqueue", commands.Queue()),
        ("/atelier", commands.Help()),
        ("/atelier queue", commands.Queue()),
        ("/quota", commands.Quota()),
        ("/atelier cancel ab12cd34", commands.Cancel("ab12cd34")),
        ("/atelier privacy delete confirm", commands.Privacy("delete", confirmed=True)),
        ("/atelier waitlist join", commands.Waitlist("join")),
        (
            "/atelier settings aspect=16:9 count=",
            commands.Settings({"aspect": "16:9", "count": None}),
        ),
        ("/atelier studio role <!subteam^S1|@pay> plus", commands.StudioRole("S1", Tier.PLUS)),
        ("/atelier studio role <@&77> none", commands.StudioRole("77", None)),
        ("/studio doors free closed", commands.StudioDoors(Tier.FREE, DoorState.CLOSED)),
        ("/studio doors Upscale auto", commands.StudioDoors(Feature.UPSCALE, DoorState.AUTO)),
        (
            "/studio doors sign-ups closed",
            commands.StudioDoors(Whole.SIGN_UPS, DoorState.CLOSED),
        ),
        ("/atelier studio block <@U9|ann>", commands.StudioBlock("U9")),
        ("/atelier studio words gun, big knife", commands.StudioWords(("gun", "big knife"))),
        ("/atelier studio words try my gun", commands.StudioWords(trial="my gun")),
        ("/atelier studio grant <@U9> 5 sorry", commands.StudioGrant("U9", 5.0, "sorry")),
    ],
)
def test_words_become_commands(text: str, command: commands.Command) -> None:
    assert parse(text) == command


def test_the_last_of_a_kind_counts_and_the_flags_given_are_known() -> None:
    prompt = parse_prompt("a --seed 1 b --seed 2")
    assert not isinstance(prompt, BadCommand)
    assert (prompt.words, prompt.seed, prompt.flags) == ("a b", 2, frozenset({"seed"}))
