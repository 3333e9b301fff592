"""Every way in uses one parser: flags, words alone and instructions about a picture."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from bots.core import commands
from bots.core.command_parser import (
    clean_edges,
    is_prompt,
    parse,
    parse_about,
    parse_blend,
    parse_edit,
    parse_in_channel,
    parse_prompt_field,
    parse_reroll,
    parse_with_files,
)
from bots.core.commands import (
    Ask,
    BadCommand,
    BadInput,
    Blend,
    Cancel,
    Edit,
    Imagine,
    Reroll,
    Undo,
    Upload,
    Upscale,
    Vary,
)

PICTURE = UUID(int=7)
FILE = Upload(b"a picture", "a.png")
FLAGS = "--ar 16:9 --no trees --model sdxl --count 2 --seed 7"
OPTIONS: dict[str, Any] = {
    "aspect": "16:9",
    "negative": "trees",
    "model": "sdxl",
    "count": 2,
    "seed": 7,
}


def test_flags_of_an_instruction_about_a_picture_are_kept() -> None:
    assert parse_about(f"make it blue {FLAGS}", PICTURE) == Edit(PICTURE, "make it blue", **OPTIONS)
    loose = parse_about(f"a blue house {FLAGS} --strength 0,5", PICTURE)
    assert loose == Imagine("a blue house", reference=PICTURE, strength=0.5, **OPTIONS)


def test_flags_of_an_edit_form_are_kept_and_its_fields_win() -> None:
    mask = Upload(b"mask")
    typed = parse_edit(f"make it blue {FLAGS} --strength 0.5", FILE, mask=mask, count=3, seed=0)
    chosen = {**OPTIONS, "count": 3, "seed": 0, "strength": 0.5}
    assert typed == Edit(FILE, "make it blue", mask, **chosen)


def test_flags_beside_files_are_kept() -> None:
    edited = parse_with_files(f"make it blue {FLAGS}", (FILE,))
    assert edited == Edit(FILE, "make it blue", **OPTIONS)
    assert parse_with_files(FLAGS, (FILE,)) == Vary(FILE, **OPTIONS)
    assert parse_with_files(f"together {FLAGS}", (FILE, FILE)) == Blend(
        (FILE, FILE), "together", **OPTIONS
    )
    assert parse_with_files("", (FILE,)) == Vary(FILE)


def test_flags_of_a_blend_are_kept() -> None:
    sources = (PICTURE, uuid4())
    assert parse_blend(f"as one {FLAGS}", sources) == Blend(sources, "as one", **OPTIONS)
    assert parse_blend("", sources) == Blend(sources)
    assert parse_blend("--strength 0,3", sources) == Blend(sources, strength=0.3)


def test_flags_of_a_reroll_are_kept() -> None:
    job = uuid4()
    assert parse_reroll(f"a dog {FLAGS}", job) == Reroll(job, "a dog", **OPTIONS)
    assert parse_reroll("--ar 1:1", job) == Reroll(job, aspect="1:1")
    assert parse_reroll("", job) == Reroll(job)


def test_wrong_flag_about_a_picture_is_refused() -> None:
    for function in (parse_edit, parse_about):
        parsed = function("make it blue --ar potato", PICTURE)
        assert isinstance(parsed, BadCommand)
        assert parsed.code is BadInput.BAD_ASPECT


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("undo", Undo(PICTURE)),
        ("retour !", Undo(PICTURE)),
        ("annule", Cancel()),
        ("cancel", Cancel()),
        ("vary", Vary(PICTURE)),
        ("upscale please", Upscale(PICTURE)),
        ("again", Reroll(picture=PICTURE)),
        ("help", commands.Help()),
        ("quota ?", commands.Quota()),
        ("/queue", commands.Queue()),
        ("/imagine a house", Imagine("a house")),
    ],
)
def test_word_alone_about_a_picture_is_a_command(text: str, command: commands.Command) -> None:
    assert parse_about(text, PICTURE) == command


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("thanks!!", BadCommand(BadInput.NOTHING_TO_DRAW)),
        ("trop bien merci", BadCommand(BadInput.NOTHING_TO_DRAW)),
        ("👍", BadCommand(BadInput.NOTHING_TO_DRAW)),
        ("supprime cette image", BadCommand(BadInput.DELETE_BUTTON)),
        ("again but square", Reroll(picture=PICTURE, aspect="1:1")),
        ("again --ar 16:9 --count 2", Reroll(picture=PICTURE, aspect="16:9", count=2)),
        ("--ar 16:9", Reroll(picture=PICTURE, aspect="16:9")),
        ("square", Reroll(picture=PICTURE, aspect="1:1")),
        ("la même en 16:9", Reroll(picture=PICTURE, aspect="16:9")),
        ("make it blue in 16:9", Edit(PICTURE, "make it blue", aspect="16:9")),
        ("how much longer?", commands.Queue()),
    ],
)
def test_sentence_about_a_picture_is_understood(
    text: str, command: commands.Command | BadCommand
) -> None:
    assert parse_about(text, PICTURE) == command


def test_sent_file_is_varied_where_the_words_are_options_alone() -> None:
    assert parse_with_files("in 16:9 please", (FILE,)) == Vary(FILE, aspect="16:9")
    assert parse_with_files("the same, seed 4", (FILE,)) == Vary(FILE, seed=4)


@pytest.mark.parametrize("text", ["hello", "thanks", "still in line", "2 more", "again --ar 16:9"])
def test_prompt_field_takes_chatter_and_again_as_a_prompt(text: str) -> None:
    assert isinstance(parse_prompt_field(text), Imagine)


def test_question_about_cancelling_cancels_nothing() -> None:
    for text in ("how do I cancel", "comment j'annule ?", "can I undo that?"):
        assert parse(text) == commands.Help()


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("help", commands.Help()),
        ("annule", Cancel()),
        ("again", Imagine("again")),
        ("variations", Imagine("variations")),
        ("a house --ar 3:2", Imagine("a house", aspect="3:2")),
    ],
)
def test_account_word_alone_in_a_prompt_field_is_a_command(
    text: str, command: commands.Command
) -> None:
    assert parse_prompt_field(text) == command


def test_instruction_in_a_channel_asks_which_picture_is_meant() -> None:
    asked = parse_in_channel("make the house blue --seed 3")
    assert asked == Ask("make the house blue --seed 3", Imagine("make the house blue", seed=3))
    assert parse_in_channel("make a blue house") == Imagine("make a blue house")
    assert parse("make the house blue") == Imagine("make the house blue")
    assert parse_in_channel("/imagine make the house blue") == Imagine("make the house blue")


@pytest.mark.parametrize("text", ["help", "cancel", "/queue", "--ar 16:9", "", "/imagine"])
def test_command_is_no_prompt(text: str) -> None:
    assert not is_prompt(text)


@pytest.mark.parametrize("text", ["a house", "make it blue", "/imagine a house"])
def test_prompt_and_instruction_are_prompts(text: str) -> None:
    assert is_prompt(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("again with 9 pictures", BadInput.BAD_COUNT),
        ("encore avec 12 images", BadInput.BAD_COUNT),
        ("again in 0:3", BadInput.BAD_ASPECT),
    ],
)
def test_wrong_option_of_a_repetition_is_named(text: str, code: BadInput) -> None:
    wrong = parse(text)
    assert isinstance(wrong, BadCommand)
    assert wrong.code is code


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("!imagine a cat", "/imagine a cat"),
        ("／imagine a cat", "/imagine a cat"),
        (" \u200b/quota ", "/quota"),
        ("!a cat", "!a cat"),
        ("a cat!", "a cat!"),
    ],
)
def test_command_begins_with_a_plain_slash(text: str, clean: str) -> None:
    assert clean_edges(text) == clean
