"""Several lease loops: a full one keeps no work from another."""

from __future__ import annotations

from threading import Event
from typing import Any
from unittest.mock import Mock

from tasks.worker.lease_loops import LeaseLoops
from tasks.worker.slots import Slots

PATIENCE = 30.0


def a_loop(size: int, taken: int = 0, jobs: int = 0) -> Any:
    slots = Slots(size, headroom=0)
    slots.take(taken)
    return Mock(slots=slots, **{"jobs_to_take.return_value": jobs})


def test_ticket_goes_to_every_loop_that_has_room() -> None:
    served = Event()
    first, full, free = a_loop(2), a_loop(1, taken=1), a_loop(1)
    free.serve.side_effect = lambda _: served.set()
    LeaseLoops([first, full, free]).serve(3)
    assert served.wait(PATIENCE)
    first.serve.assert_called_once_with(3)
    free.serve.assert_called_once_with(3)
    full.serve.assert_not_called()


def test_loop_that_waits_does_not_keep_the_others() -> None:
    served, end = Event(), Event()
    waiting, free = a_loop(1), a_loop(1)
    waiting.serve.side_effect = lambda _: end.wait(PATIENCE)
    free.serve.side_effect = lambda _: served.set()
    LeaseLoops([a_loop(1), waiting, free]).serve()
    assert served.wait(PATIENCE)
    end.set()


def test_watch_fills_the_loops_with_ready_work() -> None:
    idle, busy = a_loop(2), a_loop(2, jobs=2)
    loops = LeaseLoops([idle, busy])
    assert loops.jobs_to_take() == [(busy, 2)]
    assert (loops.base, loops.size) == (4, 4)
    loops.stop()
    idle.stop.assert_called_once_with()
    busy.stop.assert_called_once_with()
