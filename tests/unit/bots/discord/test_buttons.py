"""Custom ids, rows of buttons, the rate limit of edits, and file origins."""

from __future__ import annotations

from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from bots.core.reply import Action, Button
from bots.discord import buttons
from bots.discord.endpoints import DISCORD_API, FILE_HOSTS, file_origins

ANY_BUTTON = st.builds(
    Button,
    st.sampled_from(list(Action)),
    st.text(min_size=1, max_size=20),
    st.one_of(st.none(), st.uuids()),
    st.one_of(st.none(), st.integers(1, 4)),
)


@given(ANY_BUTTON)
def test_custom_id_round_trips(button: Button) -> None:
    custom = buttons.custom_id(button)
    assert len(custom) <= 100
    assert buttons.parse(custom) == buttons.ComponentAction(button.action, button.target)


@given(st.text(max_size=100))
def test_foreign_custom_id_is_ignored(custom: str) -> None:
    parsed = buttons.parse(custom)
    assert parsed is None or buttons.TEMPLATE.fullmatch(custom)


@given(st.lists(ANY_BUTTON, max_size=25))
def test_rows_keep_order_and_hold_at_most_five_buttons(given_buttons: list[Button]) -> None:
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


def test_file_origins_include_configured_api() -> None:
    assert file_origins(DISCORD_API) == FILE_HOSTS
    assert file_origins("http://127.0.0.1:9/api/v10") == FILE_HOSTS | {"http://127.0.0.1:9"}
