"""Buttons and the pace of edits: pure rules."""

from __future__ import annotations

from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from bots.core.reply import Action, Button
from bots.discord import buttons
from bots.discord.address import DISCORD_API, FILE_HOSTS, file_origins
from bots.discord.pace import EACH, LEAST, Pace

ANY_BUTTON = st.builds(
    Button,
    st.sampled_from(list(Action)),
    st.text(min_size=1, max_size=20),
    st.one_of(st.none(), st.uuids()),
    st.one_of(st.none(), st.integers(1, 4)),
)


@given(ANY_BUTTON)
def test_what_is_written_in_a_button_is_read_again(button: Button) -> None:
    custom = buttons.custom_id(button)
    assert len(custom) <= 100
    assert buttons.read(custom) == buttons.Press(button.action, button.target)


@given(st.text(max_size=100))
def test_what_others_wrote_is_no_press(custom: str) -> None:
    press = buttons.read(custom)
    assert press is None or buttons.TEMPLATE.fullmatch(custom)


@given(st.lists(ANY_BUTTON, max_size=25))
def test_rows_keep_every_button_in_order_and_hold_five(given_buttons: list[Button]) -> None:
    rows = buttons.rows(given_buttons)
    assert [b for row in rows for b in row] == given_buttons
    assert all(1 <= len(row) <= 5 for row in rows)


def test_four_pictures_give_four_rows() -> None:
    pictures: list[UUID] = [uuid4() for _ in range(4)]
    numbered = [
        Button(action, "x", picture, number)
        for action in (Action.VARY, Action.UPSCALE, Action.EDIT)
        for number, picture in enumerate(pictures, 1)
    ]
    plain = [Button(a, "x", uuid4()) for a in (Action.REROLL, Action.DETAILS, Action.DELETE)]
    assert [len(row) for row in buttons.rows([*numbered, *plain])] == [4, 4, 4, 3]


def test_one_message_is_edited_at_most_every_two_seconds_and_less_in_a_crowd() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    job = uuid4()
    edits = 0
    for step in range(101):
        now[0] = step / 10
        edits += pace.may_edit(job)
    assert edits == 10 // LEAST + 1
    crowd = [uuid4() for _ in range(40)]
    edits = 0
    for step in range(1000, 2000):
        now[0] = step / 10
        edits += sum(pace.may_edit(one) for one in crowd)
    assert edits <= 100 / EACH + len(crowd)
    assert len({*crowd}) * 2 < edits


def test_files_come_from_discord_and_from_a_set_api() -> None:
    assert file_origins(DISCORD_API) == FILE_HOSTS
    assert file_origins("http://127.0.0.1:9/api/v10") == FILE_HOSTS | {"http://127.0.0.1:9"}
