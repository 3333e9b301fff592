"""Waits between repeats: growing, spread, and as the server asks."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from random import Random

import pytest

from imaging.engine.servers import retries
from imaging.engine.servers.retries import LONGEST_RETRY_AFTER, backoff, retry_after

NOW = datetime(2026, 11, 30, 12, 0, 0, tzinfo=UTC)


def test_waits_double_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_SECONDS", 1.0)
    monkeypatch.setattr(retries, "MOST_SECONDS", 5.0)
    waits = list(islice(backoff(Random(1)), 6))
    for wait, most in zip(waits, (1, 2, 4, 5, 5, 5), strict=True):
        assert most / 2 <= wait <= most


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("-3", None),
        ("nan", None),
        ("soon", None),
        ("1e12", LONGEST_RETRY_AFTER),
        ("Mon, 30 Nov 2026 12:00:30 GMT", 30.0),
        ("Mon, 30 Nov 2026 11:00:00 GMT", 0.0),
    ],
)
def test_retry_after_is_read(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds
