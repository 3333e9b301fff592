"""Calls of several threads as one: who waits, who is told what, and who pays for a mistake."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from sqlalchemy.exc import OperationalError

from tasks.store.together import Together

PATIENCE = 10.0


class Desk:
    """Work that waits until it is let go, and keeps what it was given at once."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.begun, self.go = Event(), Event()

    def work(self, items: Sequence[int]) -> list[int]:
        self.calls.append(list(items))
        self.begun.set()
        assert self.go.wait(PATIENCE)
        if 13 in items:
            raise ValueError("13 is unlucky")
        return [2 * item for item in items]


def test_alone_nobody_waits_for_company() -> None:
    together = Together[int, int](lambda items: [-item for item in items])
    assert [together(1), together(2)] == [-1, -2]


def test_who_comes_while_a_call_goes_on_has_a_part_in_the_next_one() -> None:
    desk = Desk()
    together = Together[int, int](desk.work, most=3)
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(together, 1)
        assert desk.begun.wait(PATIENCE)
        others = [together.soon(item, threads) for item in (2, 3, 4, 5)]
        desk.go.set()
        assert [one.result(PATIENCE) for one in (first, *others)] == [2, 4, 6, 8, 10]
    assert desk.calls == [[1], [2, 3, 4], [5]]


def test_a_mistake_is_its_own_makers() -> None:
    desk = Desk()
    together = Together[int, int](desk.work)
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(together, 1)
        assert desk.begun.wait(PATIENCE)
        unlucky, other = together.soon(13, threads), together.soon(4, threads)
        desk.go.set()
        assert first.result(PATIENCE) == 2
        assert other.result(PATIENCE) == 8
        with pytest.raises(ValueError, match="unlucky"):
            unlucky.result(PATIENCE)


def test_a_server_that_is_away_is_asked_once_for_all() -> None:
    calls: list[Sequence[int]] = []
    begun, go = Event(), Event()

    def away(items: Sequence[int]) -> list[int]:
        calls.append(items)
        begun.set()
        assert go.wait(PATIENCE)
        raise OperationalError("SELECT 1", None, Exception("no server"))

    together = Together[int, int](away)
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(together, 1)
        assert begun.wait(PATIENCE)
        others = [together.soon(item, threads) for item in (2, 3)]
        go.set()
        for one in (first, *others):
            with pytest.raises(OperationalError):
                one.result(PATIENCE)
    assert calls == [[1], [2, 3]]


def test_a_thread_that_is_made_to_end_leaves_nobody_waiting() -> None:
    begun, go = Event(), Event()

    def ended(items: Sequence[int]) -> list[int]:
        begun.set()
        assert go.wait(PATIENCE)
        if 13 in items:
            raise SystemExit
        return list(items)

    together = Together[int, int](ended)
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(together, 1)
        assert begun.wait(PATIENCE)
        others = [together.soon(item, threads) for item in (13, 4)]
        go.set()
        assert first.result(PATIENCE) == 1
        assert [type(one.exception(PATIENCE)) for one in others] == [SystemExit, SystemExit]
