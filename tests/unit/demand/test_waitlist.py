"""The waitlist: in order, as many as there is room for, and nobody is lost."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tasks.waitlist import (
    INVITATION_LASTS,
    Waiting,
    awaited,
    batch_size,
    invite,
    lapse,
    position,
)

T0 = datetime(2026, 11, 23, tzinfo=UTC)


def joined(*minutes: int) -> list[Waiting]:
    return [Waiting(f"m{n}", T0 + timedelta(minutes=at)) for n, at in enumerate(minutes)]


@given(st.lists(st.integers(0, 500), max_size=30), st.integers(-2, 40))
def test_the_first_who_came_are_invited_first(minutes: list[int], batch: int) -> None:
    everyone = joined(*minutes)
    guests = invite(everyone, batch, T0)
    assert len(guests) == min(max(batch, 0), len(everyone))
    left = {w.member for w in everyone} - {g.member for g in guests}
    latest = max((g.joined_at for g in guests), default=T0)
    assert all(w.joined_at >= latest for w in everyone if w.member in left)


@given(
    st.lists(st.tuples(st.sampled_from(["invite", "lapse", "come"]), st.integers(0, 5))),
    st.integers(0, 12),
)
def test_nobody_is_lost_whatever_happens(events: list[tuple[str, int]], members: int) -> None:
    """Everybody who joined is on the list or has come in."""
    line = {w.member: w for w in joined(*range(members))}
    inside: set[str] = set()
    now = T0
    for kind, number in events:
        now += INVITATION_LASTS / 2
        if kind == "invite":
            line |= {w.member: w for w in invite(line.values(), number, now)}
        elif kind == "lapse":
            line = {m: lapse(w, now) for m, w in line.items()}
        else:
            coming = [m for m, w in line.items() if w.invited(now)][:number]
            inside |= set(coming)
            line = {m: w for m, w in line.items() if m not in coming}
        assert len(line) + len(inside) == members
    standing = [w.member for w in line.values() if w.invited_until is None]
    places = sorted(position(line.values(), m) or 0 for m in standing)
    assert places == list(range(1, len(standing) + 1))


def test_a_lapsed_invitation_stands_again_behind_the_others() -> None:
    early, late = joined(0, 10)
    (invited,) = invite([early, late], 1, T0)
    assert invited.member == "m0"
    assert invited.invited(T0)
    assert position([invited, late], "m1") == 1
    assert position([invited, late], "m0") is None
    after = T0 + INVITATION_LASTS
    back = lapse(invited, after)
    assert not back.invited(after)
    assert position([back, late], "m0") == 2
    assert lapse(late, after) is late


@given(room=st.floats(0, 1e6), seconds=st.floats(0.1, 60), invited=st.floats(0, 500))
def test_a_batch_fits_the_room_that_is_left(room: float, seconds: float, invited: float) -> None:
    batch = batch_size(room, seconds, invited)
    assert batch >= 0
    if batch:
        assert (batch + invited) * 0.5 * seconds <= room + 1e-6


def test_no_room_no_guests() -> None:
    assert batch_size(0.0, 1.0, 0) == 0
    assert batch_size(math.inf, 1.0, 0) == 0
    assert batch_size(100.0, 0.0, 0) == 0
    assert batch_size(100.0, 10.0, 0) == 20


def test_who_never_comes_does_not_hold_the_room_of_the_others() -> None:
    """A thousand wait, nobody comes: all are invited within hours, though few at a time."""
    invited: list[int] = []  # the minute of each invitation
    for minute in range(180):
        held = sum(awaited(minute - at) for at in invited)
        batch = batch_size(100.0, 5.0, held)
        assert batch <= 40
        invited += [minute] * batch
    assert len(invited) > 500


def test_who_was_not_told_is_awaited_for_longer_and_who_let_it_lapse_less() -> None:
    assert awaited(0.0) == 1.0
    assert awaited(-5.0) == 1.0
    assert awaited(30.0) < 0.1
    assert awaited(30.0, told=False) > 0.7
    assert awaited(0.0, lapses=2) == 0.25
