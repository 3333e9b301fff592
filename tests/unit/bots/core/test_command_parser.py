"""Typed text parses to a command, or to an error with its message."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.core import commands
from bots.core.command_parser import (
    clean_edges,
    imagine,
    parse,
    parse_about,
    parse_edit,
    parse_in_channel,
    parse_prompt_field,
    parse_reroll,
    parse_with_files,
)
from bots.core.commands import (
    ASPECTS,
    MAX_PROMPT,
    BadCommand,
    BadInput,
    Cancel,
    Edit,
    Imagine,
    Privacy,
    Reroll,
    Settings,
    Undo,
    Upload,
    Upscale,
    Vary,
    Waitlist,
)
from bots.core.locales import LOCALES, localizer_for
from bots.core.prompt_flags import parse_prompt
from bots.core.refusals import bad_command_reply
from tasks.client import GlobalDoor
from tasks.jobs.tiers import DoorState, Feature, Tier

words = st.lists(
    st.sampled_from(["a", "red", "house", "by", "the", "sea", "at", "night", "--", "2"]), min_size=1
)


@settings(deadline=None)
@given(
    before=words,
    after=words,
    aspect=st.sampled_from(ASPECTS),
    count=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
    dash=st.sampled_from(["--", "—", "–"]),
    glue=st.sampled_from([" ", "="]),
)
def test_flags_are_parsed_anywhere_in_a_prompt(
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


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_command_or_a_message_in_both_languages(text: str) -> None:
    parsed = parse(text)
    if isinstance(parsed, BadCommand):
        for locale in LOCALES:
            assert bad_command_reply(parsed, localizer_for(locale)).text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", BadInput.PROMPT_EMPTY),
        ("   ", BadInput.PROMPT_EMPTY),
        ("--ar 1:1", BadInput.PROMPT_EMPTY),
        ("x" * (MAX_PROMPT + 1), BadInput.PROMPT_TOO_LONG),
        ("house --foo 1", BadInput.UNKNOWN_FLAG),
        ("house --ar 9:2", BadInput.BAD_ASPECT),
        ("house --ar 1:5", BadInput.BAD_ASPECT),
        ("house --ar 0:5", BadInput.BAD_ASPECT),
        ("house --ar large", BadInput.BAD_ASPECT),
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
def test_invalid_input_has_an_error_code(text: str, code: BadInput) -> None:
    parsed = parse(text)
    assert isinstance(parsed, BadCommand)
    assert parsed.code is code
    assert (
        len(bad_command_reply(parsed, localizer_for("en")).text) < 300
    )  # whatever length was typed


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
            commands.StudioDoors(GlobalDoor.SIGN_UPS, DoorState.CLOSED),
        ),
        ("/atelier studio block <@U9|ann>", commands.StudioBlock("U9")),
        ("/atelier studio words gun, big knife", commands.StudioWords(("gun", "big knife"))),
        ("/atelier studio words try my gun", commands.StudioWords(trial="my gun")),
        ("/atelier studio grant <@U9> 5 sorry", commands.StudioGrant("U9", 5.0, "sorry")),
    ],
)
def test_text_parses_to_a_command(text: str, command: commands.Command) -> None:
    assert parse(text) == command


def test_last_flag_of_a_kind_wins_and_given_flags_are_listed() -> None:
    prompt = parse_prompt("a --seed 1 b --seed 2")
    assert not isinstance(prompt, BadCommand)
    assert (prompt.words, prompt.seed, prompt.flags) == ("a b", 2, frozenset({"seed"}))


PICTURE, JOB = UUID(int=7), UUID(int=8)
FILE = Upload(b"a picture", "a.png")
NEEDS_PICTURE = BadCommand(BadInput.NEEDS_PICTURE)
PROMPT_EMPTY = BadCommand(BadInput.PROMPT_EMPTY)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("undo", Undo()),
        ("cancel", Cancel()),
        ("again", Reroll()),
        ("vary", NEEDS_PICTURE),
        ("upscale", NEEDS_PICTURE),
        ("edit", NEEDS_PICTURE),
        ("blend", NEEDS_PICTURE),
        ("imagine", PROMPT_EMPTY),
        ("/imagine", PROMPT_EMPTY),
        ("queue", commands.Queue()),
        ("history", commands.History()),
        ("waitlist", Waitlist("status")),
        ("settings", Settings({})),
    ],
)
def test_word_alone_without_a_picture(text: str, command: commands.Command | BadCommand) -> None:
    assert parse(text) == command


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("undo", Undo(PICTURE)),
        ("vary", Vary(PICTURE)),
        ("upscale", Upscale(PICTURE)),
        ("edit", NEEDS_PICTURE),
        ("blend", NEEDS_PICTURE),
        ("again", Reroll(picture=PICTURE)),
        ("cancel", Cancel()),
    ],
)
def test_word_alone_about_a_picture(text: str, command: commands.Command | BadCommand) -> None:
    assert parse(text, picture=PICTURE) == command
    assert parse_about(text, PICTURE) == command


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("cancel ab12cd", Cancel("ab12cd")),
        ("annule ab12cd34", Cancel("ab12cd34")),
        ("Annuler AB12CD34", Cancel("ab12cd34")),
        ("privacy export", Privacy("export")),
        ("privacy delete", Privacy("delete")),
        ("privacy delete confirm", Privacy("delete", confirmed=True)),
        ("waitlist join", Waitlist("join")),
        ("waitlist leave", Waitlist("leave")),
        ("waitlist status", Waitlist("status")),
        ("settings language=fr", Settings({"language": "fr"})),
        ("settings count=2 aspect=", Settings({"count": 2, "aspect": None})),
        ("studio roles", commands.StudioRoles()),
        ("studio doors", commands.StudioDoors()),
        ("studio capacity", commands.StudioCapacity()),
        ("studio words", commands.StudioWords()),
        ("studio settings", commands.StudioSettings()),
        ("studio audit", commands.StudioAudit()),
        ("studio doors free closed", commands.StudioDoors(Tier.FREE, DoorState.CLOSED)),
        ("studio doors plus auto", commands.StudioDoors(Tier.PLUS, DoorState.AUTO)),
    ],
)
def test_short_form_of_a_command_is_that_command(text: str, command: commands.Command) -> None:
    assert parse(text) == command


@pytest.mark.parametrize(
    "text",
    [
        "cancel ab12c",
        "cancel ab12cd345",
        "cancel the show",
        "cancel ab12cd now",
        "privacy burn",
        "privacy delete everything",
        "privacy export now",
        "waitlist burn",
        "waitlist join now",
        "settings of a film, mood=dark",
        "studio lights",
        "studio roles of a film",
        "studio doors free ajar",
        "studio doors free",
        "help me paint",
        "queue at the door",
    ],
)
def test_longer_text_is_a_prompt(text: str) -> None:
    assert parse(text) == Imagine(text)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/imagine a house", Imagine("a house")),
        ("/IMAGINE a house", Imagine("a house")),
        ("／imagine a house", Imagine("a house")),
        ("⁄imagine a house", Imagine("a house")),
        ("∕imagine a house", Imagine("a house")),
        ("  \u200b/queue ", commands.Queue()),
        ("/Queue", commands.Queue()),
        ("/cancel ab12cd34", Cancel("ab12cd34")),
        ("/cancel abc", Cancel("abc")),
        ("/waitlist status", Waitlist("status")),
        ("/waitlist", Waitlist("status")),
        ("/atelier waitlist status", Waitlist("status")),
        ("/atelier waitlist leave", Waitlist("leave")),
        ("/settings language=fr", Settings({"language": "fr"})),
        ("/atelier settings language=fr", Settings({"language": "fr"})),
        ("/atelier settings language=FR", Settings({"language": "fr"})),
        ("/studio audit", commands.StudioAudit()),
        ("/atelier studio audit", commands.StudioAudit()),
        ("/undo", Undo()),
        ("/again", Reroll()),
        ("/stop", Cancel()),
        ("/cancel it", Cancel("it")),
        ("/imagine imagine a house", Imagine("a house")),
        ("/imagine prompt a house", Imagine("a house")),
        ("/imagine PROMPT  a prompt by candlelight", Imagine("a prompt by candlelight")),
        ("/imagine a teleprompt screen", Imagine("a teleprompt screen")),
        ("/imagine prompt prompt cards", Imagine("prompt cards")),
        ("/imagine cancel ab12cd34", Imagine("cancel ab12cd34")),
    ],
)
def test_slash_command(text: str, command: commands.Command) -> None:
    assert parse(text) == command


@pytest.mark.parametrize(
    ("text", "word"),
    [("/nothing at all", "nothing"), ("/atelier Nothing", "Nothing"), ("/my queue", "my")],
)
def test_unknown_command_lists_those_that_exist(text: str, word: str) -> None:
    known = "cancel, help, history, privacy, queue, quota, settings, studio, undo, waitlist"
    if not text.startswith("/atelier"):
        known = known.replace("history, ", "history, imagine, ")
    assert parse(text) == BadCommand(BadInput.UNKNOWN_COMMAND, {"word": word, "known": known})


@pytest.mark.parametrize("text", ["again", "vary", "upscale", "edit", "blend"])
def test_word_about_a_picture_is_a_prompt_in_a_prompt_field(text: str) -> None:
    assert parse_prompt_field(text) == Imagine(text)


@pytest.mark.parametrize(
    ("text", "command"),
    [("undo", Undo()), ("imagine", PROMPT_EMPTY), ("/imagine a cat", Imagine("a cat"))],
)
def test_other_words_are_commands_in_a_prompt_field(
    text: str, command: commands.Command | BadCommand
) -> None:
    assert parse_prompt_field(text) == command


def test_instruction_asks_only_where_it_is_a_message() -> None:
    asked = parse_in_channel("  make it blue ")
    assert asked == commands.Ask("make it blue", Imagine("make it blue"))
    assert parse_in_channel("／imagine make it blue") == Imagine("make it blue")
    assert parse_in_channel("queue") == commands.Queue()
    assert isinstance(parse_in_channel("make it blue --ar potato"), BadCommand)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("vary", Vary(FILE)),
        ("Upscale please", Upscale(FILE)),
        ("make it blue", Edit(FILE, "make it blue")),
        ("edit", NEEDS_PICTURE),
        ("/queue", commands.Queue()),
        ("undo", Undo()),
        ("help", commands.Help()),
    ],
)
def test_words_about_a_file(text: str, command: commands.Command | BadCommand) -> None:
    assert parse_about(text, FILE) == command
    assert parse_with_files(text, [FILE]) == command


def test_mask_of_an_edit_keeps_a_strength_from_making_a_new_picture() -> None:
    mask = Upload(b"mask")
    assert parse_edit("blue --strength 0.5", FILE) == Imagine("blue", reference=FILE, strength=0.5)
    assert parse_edit("blue --strength 0", FILE) == Imagine("blue", reference=FILE, strength=0.0)
    edited = parse_edit("blue --strength 0.5", FILE, mask=mask)
    assert edited == Edit(FILE, "blue", mask, strength=0.5)
    assert parse_about("blue", FILE, mask=mask) == Edit(FILE, "blue", mask)


def test_form_of_an_edit_wins_over_flags_where_it_is_filled_in() -> None:
    text = "blue --count 2 --seed 7"
    assert parse_edit(text, FILE) == Edit(FILE, "blue", count=2, seed=7)
    assert parse_edit(text, FILE, count=3) == Edit(FILE, "blue", count=3, seed=7)
    assert parse_edit(text, FILE, seed=0) == Edit(FILE, "blue", count=2, seed=0)
    assert parse_edit("", FILE) == PROMPT_EMPTY


def test_files_without_words_are_varied_and_wrong_flags_refused() -> None:
    text = "--strength 0.5 --count 2 --ar 16:9 --model sdxl --seed 7 --no trees"
    varied = Vary(FILE, 0.5, 2, aspect="16:9", model="sdxl", seed=7, negative="trees")
    assert parse_with_files(text, [FILE]) == varied
    for files in ([FILE], [FILE, FILE]):
        parsed = parse_with_files("--ar potato", files)
        assert isinstance(parsed, BadCommand)
        assert parsed.code is BadInput.BAD_ASPECT
    three = commands.Blend((FILE, FILE, FILE), "as one")
    assert parse_with_files("as one", [FILE, FILE, FILE]) == three


def test_reroll_keeps_what_is_not_typed() -> None:
    assert parse_reroll("a dog --no cats", JOB) == Reroll(JOB, "a dog", negative="cats")
    rerolled = parse_reroll("--strength 0.5", JOB)
    assert rerolled == Reroll(JOB, strength=0.5)
    assert isinstance(rerolled, Reroll)
    assert (rerolled.prompt, rerolled.negative) == (None, None)
    assert isinstance(parse_reroll("--ar potato", JOB), BadCommand)


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("imagine a red house", Imagine("a red house")),
        ("Imagine, the sea", Imagine("the sea")),
        ("imaginez : une maison", Imagine("une maison")),
        ("imaginer les toits", Imagine("les toits")),
        ("imagine all the people", Imagine("imagine all the people")),
        ("imagine dragons", Imagine("imagine dragons")),
        ("imagined a house", Imagine("imagined a house")),
        ("prompt: a red house", Imagine("a red house")),
        ("Description : a red house", Imagine("a red house")),
        ("prompt:a house count:2", Imagine("a house", count=2)),
        (
            "prompt: a house aspect: 16:9 negative: trees",
            Imagine("a house", aspect="16:9", negative="trees"),
        ),
        ("prompt: a house Seed:7 strength:0.5", Imagine("a house", seed=7, strength=0.5)),
        ("a house count:2", Imagine("a house count:2")),
        ("--ar 16:9 imagine a house", Imagine("a house", aspect="16:9")),
        ("--ar 16:9 prompt: a house", Imagine("a house", aspect="16:9")),
        ("--ar 16:9 prompt: zebras", Imagine("zebras", aspect="16:9")),
        ("--ar 16:9 imagine the sea", Imagine("the sea", aspect="16:9")),
        ("prompt: a house NEGATIVE: trees", Imagine("a house", negative="trees")),
        ("prompt: a house model :sdxl", Imagine("a house", model="sdxl")),
        ("the prompt: a house", Imagine("the prompt: a house")),
    ],
)
def test_commands_own_words_are_not_part_of_the_prompt(text: str, order: Imagine) -> None:
    assert imagine(text) == order


def test_prompt_that_is_too_long_without_its_own_words_is_refused() -> None:
    refused = imagine("--ar 16:9 imagine a house --ar potato")
    assert isinstance(refused, BadCommand)
    inner = imagine(f"--ar 16:9 prompt: {'x' * (MAX_PROMPT + 1)}")
    assert isinstance(inner, BadCommand)
    assert inner.code is BadInput.PROMPT_TOO_LONG


EXPORT, ERASURE = Privacy("export"), Privacy("delete")


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("export my data", EXPORT),
        ("Download all my data", EXPORT),
        ("exporter mes données", EXPORT),
        ("télécharge mes données", EXPORT),
        ("delete my data", ERASURE),
        ("Erase my account!", ERASURE),
        ("supprimer toutes mes données", ERASURE),
        ("efface mon compte", ERASURE),
        ("delete this picture", BadCommand(BadInput.DELETE_BUTTON)),
        ("can you delete my last image", BadCommand(BadInput.DELETE_BUTTON)),
        ("supprime la dernière photo", BadCommand(BadInput.DELETE_BUTTON)),
        ("do you sell my data", BadCommand(BadInput.PRIVACY_CHOICE)),
        ("are my data private?", BadCommand(BadInput.PRIVACY_CHOICE)),
        ("mes données sont-elles vendues ?", BadCommand(BadInput.PRIVACY_CHOICE)),
        ("tu gardes mes données ?", BadCommand(BadInput.PRIVACY_CHOICE)),
        ("delete my data center", Imagine("delete my data center")),
    ],
)
def test_sentence_about_data_or_a_picture(text: str, command: commands.Command) -> None:
    assert parse(text) == command
    if not isinstance(command, Imagine):
        assert parse_about(text, PICTURE) == command


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("again --seed 5", Reroll(seed=5)),
        ("again --no trees", Reroll(negative="trees")),
        (
            "again --ar 16:9 --count 2 --model sdxl --strength 0.5",
            Reroll(aspect="16:9", count=2, model="sdxl", strength=0.5),
        ),
        ("--count 2 again", Reroll(count=2)),
        ("vary --seed 5", Imagine("vary", seed=5)),
        ("--seed 5", PROMPT_EMPTY),
        ("again and again --seed 5", Imagine("again and again", seed=5)),
    ],
)
def test_again_with_flags_is_a_repetition(
    text: str, command: commands.Command | BadCommand
) -> None:
    parsed = parse(text)
    assert parsed == command
    if isinstance(parsed, Reroll):
        assert parsed.negative is None or parsed.negative
        assert parse_about(text, FILE) != command  # a file has no order to repeat
        assert parse(text, picture=PICTURE) == replace(parsed, picture=PICTURE)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  a house \n", "a house"),
        ("\u200b\ufeff a house", "a house"),
        ("\u200ea house\u200e", "a house\u200e"),
        ("／queue", "/queue"),
        ("a／b", "a／b"),
        ("/queue", "/queue"),
    ],
)
def test_edges_of_a_text_are_cleaned(text: str, cleaned: str) -> None:
    assert clean_edges(text) == cleaned


@pytest.mark.parametrize(
    ("text", "aspect"),
    [
        ("an old man, oil painting, portrait", "2:3"),
        ("ramen shop in portrait", "2:3"),
        ("mamie en portrait", "2:3"),
        ("rolling hills, landscape", "3:2"),
        ("resto de ramen, paysage", "3:2"),
        ("a portrait of an old man", None),
        ("a landscape", None),
        ("a man in a landscape", None),
        ("an old man, portrait --ar 1:1", "1:1"),
    ],
)
def test_last_words_suggest_an_aspect_and_stay_words(text: str, aspect: str | None) -> None:
    command = parse_in_channel(text)
    assert isinstance(command, Imagine)
    assert (command.prompt, command.aspect) == (
        text.partition(" --")[0],
        aspect,
    )
