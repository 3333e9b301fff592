"""Forms and buttons as commands, and messages as JSON."""

from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.core.command_parser import parse
from bots.core.commands import (
    ASPECTS,
    BadCommand,
    BadInput,
    Blend,
    Cancel,
    Edit,
    Imagine,
    Privacy,
    Quota,
    Reroll,
    Upload,
    Upscale,
    Vary,
    Waitlist,
)
from bots.web.translate import (
    BadRequest,
    PromptForm,
    command_of,
    command_of_button,
    place_of,
)
from bots.web.views import aspect_of, flags_of
from imaging.request import ImageRequest, Operation

FILE = Upload(b"\x89PNG", "cat.png")


def test_text_is_parsed_as_in_slack() -> None:
    text = "a red house --ar 16:9 --count 2 --seed 7 --no trees"
    assert command_of(PromptForm(text)) == parse(text)
    assert command_of(PromptForm("/quota")) == Quota()


def test_file_beside_text_is_a_reference() -> None:
    command = command_of(PromptForm("a cat --strength 0.4", reference=FILE))
    assert isinstance(command, Imagine)
    assert (command.reference, command.strength) == (FILE, 0.4)


def test_edit_takes_picture_or_file_and_mask() -> None:
    picture = uuid4()
    edit = PromptForm("make it blue --seed 3", "edit", target=picture, mask=FILE)
    assert command_of(edit) == Edit(picture, "make it blue", FILE, None, 3)
    assert command_of(PromptForm("make it blue", "edit", source=FILE)) == Edit(FILE, "make it blue")
    assert command_of(PromptForm("make it blue", "edit")) == BadCommand(BadInput.NEEDS_PICTURE)


def test_text_in_thread_edits_latest_picture() -> None:
    picture = uuid4()
    assert command_of(PromptForm("add a moon"), picture) == Edit(picture, "add a moon")
    assert command_of(PromptForm("/quota"), picture) == Quota()
    assert isinstance(command_of(PromptForm("a cat", reference=FILE), picture), Imagine)


def test_blend_and_reroll() -> None:
    one, two = uuid4(), uuid4()
    assert command_of(PromptForm(" ", "blend", sources=(one, two))) == Blend((one, two), "")
    assert command_of(PromptForm("a cat", "reroll", target=one)) == Reroll(one, "a cat")
    assert command_of(PromptForm("", "reroll", target=one)) == Reroll(one, None)


def test_buttons() -> None:
    id_ = uuid4()
    press = {"target": str(id_)}
    assert command_of_button({"action": "cancel", **press}) == Cancel(id_)
    assert command_of_button({"action": "vary", **press}) == Vary(id_)
    assert command_of_button({"action": "upscale", "factor": 4, **press}) == Upscale(id_, 4)
    assert command_of_button({"action": "join-waitlist"}) == Waitlist("join")
    assert command_of_button({"action": "confirm-forget"}) == Privacy("delete", confirmed=True)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"action": "explode"},
        {"action": ["cancel"]},
        {"action": "cancel"},
        {"action": "vary", "target": "../../etc"},
        {"action": "upscale", "target": str(uuid4()), "factor": "2"},
    ],
)
def test_unknown_button_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(BadRequest):
        command_of_button(values)


@pytest.mark.parametrize("channel", ["", "General", "a b", "../x", "-a", "a" * 41])
def test_invalid_channel_name_is_refused(channel: str) -> None:
    with pytest.raises(BadRequest):
        place_of({"channel": channel})


@given(st.sampled_from(ASPECTS), st.sampled_from([512, 768, 1024, 1536]))
def test_aspect_survives_rounding(aspect: str, long: int) -> None:
    across, down = map(int, aspect.split(":"))
    scale = long / max(across, down)
    width, height = (round(side * scale / 64) * 64 for side in (across, down))
    assert aspect_of(width, height) == aspect


@given(st.integers(1, 4), st.sampled_from(ASPECTS), st.sampled_from(["", "trees", "red, snow"]))
def test_flags_round_trip(count: int, aspect: str, negative: str) -> None:
    across, down = map(int, aspect.split(":"))
    request = ImageRequest(
        Operation.IMAGINE, "a cat", "postcard", across * 64, down * 64, 7, count, negative
    )
    again = parse(" ".join(["a cat", *flags_of(request)]))
    assert isinstance(again, Imagine)
    assert (again.prompt, again.negative) == ("a cat", negative)
    assert (again.count or 1, again.aspect or "1:1") == (count, aspect)
