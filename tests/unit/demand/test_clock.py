"""The clock's duties go on, whatever becomes of one of them."""

from __future__ import annotations

from threading import Event

import pytest

from tasks import clock


def test_a_duty_that_breaks_is_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dead thread would leave doors and leases as they are, in a process that looks alive."""
    monkeypatch.setattr(clock, "PAUSE_SECONDS", 0.01)
    stop, begun, others = Event(), 0, Event()

    def broken(_stop: Event) -> None:
        nonlocal begun
        begun += 1
        if begun == 3:
            stop.set()
        raise ValueError("a row that cannot be read")

    def sound(ended: Event) -> None:
        others.set()
        ended.wait()

    clock.run([broken, sound], stop)
    assert begun == 3
    assert others.is_set()
