"""The real bolt app over Socket Mode with the real worker behind it."""

from __future__ import annotations

from tests.platforms.slack.conftest import Town
from tests.platforms.slack.evening import spend_an_evening


def test_a_whole_evening(town: Town) -> None:
    spend_an_evening(town, "evening")
    assert town.slack.sockets.late == 0
    assert town.slack.violations == []
    assert town.slack.overruns == []
