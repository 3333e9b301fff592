"""Pauses before a dead child's next life."""

from __future__ import annotations

from bots.operator.backoff import Backoff


def test_delay_doubles_up_to_ten_seconds() -> None:
    backoff = Backoff()
    assert [backoff.after(0.1) for _ in range(8)] == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


def test_long_uptime_resets_the_delay() -> None:
    backoff = Backoff()
    for _ in range(6):
        backoff.after(0.0)
    assert [backoff.after(lived) for lived in (31.0, 0.0, 31.0)] == [0.2, 0.4, 0.2]
