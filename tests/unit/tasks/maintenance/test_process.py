"""The services of the clock process are supervised independently."""

from __future__ import annotations

from threading import Event

import pytest

from tasks.maintenance import process


def test_crashed_service_is_restarted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead thread would stop leases or doors in a process that looks alive."""
    monkeypatch.setattr(process, "RESTART_SECONDS", 0.01)
    stop, starts, others = Event(), 0, Event()

    def broken(_stop: Event) -> None:
        nonlocal starts
        starts += 1
        if starts == 3:
            stop.set()
        raise ValueError("a row that cannot be read")

    def healthy(ended: Event) -> None:
        others.set()
        ended.wait()

    process.run([broken, healthy], stop)
    assert starts == 3
    assert others.is_set()
