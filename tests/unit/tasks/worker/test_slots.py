"""Slots: how many jobs a worker holds, and which slots serve express work only."""

from __future__ import annotations

import pytest

from tasks.worker.slots import Slots


def test_last_free_slots_serve_express_work_only() -> None:
    slots = Slots(3, headroom=1)
    assert [slots.take() for _ in range(4)] == [[True], [True], [False], []]
    assert not slots.wait(patience=0)
    slots.release([False])
    assert slots.wait(patience=0)
    assert slots.take(5) == [False]
    slots.release([True, True, False])
    assert slots.take(5) == [True, True, False]
    assert slots.taken == 3


def test_slot_for_any_work_remains_one() -> None:
    """A backlog of express work must not turn every slot into one for express work only."""
    slots = Slots(4, headroom=2)
    assert slots.take(4) == [True, True, False, False]
    assert slots.full
    for _ in range(3):
        slots.release([True])
        assert not slots.full
        assert slots.take(2) == [True]
    slots.release([True, False])
    assert slots.take(3) == [True, False]


def test_slots_grow_and_keep_the_headroom() -> None:
    slots = Slots(3, headroom=1, growth=4)
    assert slots.take(3) == [True, True, False]
    slots.release([False])
    slots.allow(2)
    assert slots.size == 5
    assert slots.surplus == 0
    assert slots.take(9) == [True, True, False]
    assert slots.full


def test_closed_slots_are_not_taken_again() -> None:
    slots = Slots(3, headroom=1, growth=4)
    slots.allow(9)
    assert slots.size == slots.largest == 7
    assert len(slots.take(9)) == 7
    slots.allow(0)
    assert slots.full
    assert slots.surplus == 4
    slots.release([True] * 4)
    assert slots.take(2) == []  # two ordinary ones and an express one are running
    assert slots.size == 3
    slots.release([True, False])
    assert slots.take(9) == [True, False]


def test_largest_size_has_all_the_growth() -> None:
    assert Slots(3, headroom=1).largest == 3
    assert Slots(4, headroom=2, growth=4).largest == 8


def test_headroom_must_leave_a_slot_for_ordinary_work() -> None:
    with pytest.raises(ValueError, match="cannot be kept free"):
        Slots(1, headroom=1)
