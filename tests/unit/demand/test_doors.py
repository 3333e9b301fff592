"""Doors follow the load and do not flap; who may enter is one decision over plain facts."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.request import ImageRequest, Operation
from tasks.doors import (
    AutoDoor,
    DoorFacts,
    DoorLimits,
    Rung,
    Visitor,
    decide,
    degrade,
    follow,
    now_of,
    strictest,
)
from tasks.tiers import DoorState

LIMITS = DoorLimits(longest_wait=100.0, stands=60.0, rises=5.0)
waits = st.floats(0, 2000)


def walk(wait_at: list[tuple[float, float]], waitlist: int = 0) -> list[AutoDoor]:
    """The door after each (moment, predicted wait)."""
    door, doors = AutoDoor(), []
    for at, wait in wait_at:
        door = follow(door, wait, at, LIMITS, waitlist)
        doors.append(door)
    return doors


@given(st.lists(waits, min_size=2, max_size=300))
def test_it_goes_one_rung_at_a_time_and_stands_a_while(load: list[float]) -> None:
    doors = [AutoDoor(), *walk([(float(at), wait) for at, wait in enumerate(load)])]
    for before, after in itertools.pairwise(doors):
        assert abs(after.rung - before.rung) <= 1
        if after.rung < before.rung:
            assert after.since - before.since >= LIMITS.stands
        if after.rung > before.rung:
            assert after.since - before.since >= LIMITS.rises


@given(
    rung=st.sampled_from([Rung.DEGRADED, Rung.WAITLIST, Rung.CLOSED]),
    noise=st.lists(st.floats(0.61, 0.99), min_size=10, max_size=200),
)
def test_noise_about_its_limit_does_not_make_it_flap(rung: Rung, noise: list[float]) -> None:
    """Anything between where it rose and where it returns leaves the door as it is."""
    door = AutoDoor(rung, 0.0)
    for at, share in enumerate(noise):
        door = follow(door, share * LIMITS.rises_at(rung), 100.0 + 100.0 * at, LIMITS)
        assert door.rung is rung


@given(st.lists(waits, min_size=50, max_size=400))
def test_any_load_at_all_turns_it_back_once_a_minute_at_most(load: list[float]) -> None:
    rungs = [door.rung for door in walk([(float(at), wait) for at, wait in enumerate(load)])]
    downs = sum(b < a for a, b in itertools.pairwise(rungs))
    assert downs <= len(load) / LIMITS.stands + 1


@given(waits)
def test_a_steady_load_settles(wait: float) -> None:
    rungs = [door.rung for door in walk([(10.0 * at, wait) for at in range(100)])]
    assert rungs == sorted(rungs)
    assert len(set(rungs[20:])) == 1


def test_it_degrades_before_it_closes_and_opens_again() -> None:
    climb = walk([(10.0 * at, 90.0) for at in range(3)])
    assert climb[-1].rung is Rung.DEGRADED
    path = [(10.0 * at, 900.0 if at < 10 else 1.0) for at in range(60)]
    rungs = [door.rung for door in walk(path)]
    assert list(dict.fromkeys(rungs)) == [Rung.DEGRADED, Rung.WAITLIST, Rung.CLOSED, Rung.OPEN]
    assert rungs[-1] is Rung.OPEN


def test_it_does_not_open_past_those_who_wait() -> None:
    door = AutoDoor(Rung.WAITLIST, 0.0)
    assert follow(door, 0.0, 1000.0, LIMITS, waitlist=3).rung is Rung.WAITLIST
    assert follow(door, 0.0, 1000.0, LIMITS, waitlist=0).rung is Rung.DEGRADED


@pytest.mark.parametrize("rung", Rung)
def test_a_clock_that_was_set_back_does_not_hold_it(rung: Rung) -> None:
    """It has stood since a moment that is still to come: from now on, then."""
    door = follow(AutoDoor(rung, 9000.0), 50.0, 1000.0, LIMITS)
    assert door == AutoDoor(rung, 1000.0)
    wait = 0.0 if rung else 2000.0
    assert follow(door, wait, 1000.0 + LIMITS.stands, LIMITS).rung is not rung


def test_no_worker_at_all_closes_it() -> None:
    assert walk([(10.0 * at, math.inf) for at in range(9)])[-1].rung is Rung.CLOSED


def test_limits_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="return_at"):
        DoorLimits(return_at=1.0)


def test_a_door_set_by_hand_stays_as_set() -> None:
    assert now_of(DoorState.OPEN, AutoDoor(Rung.CLOSED)) == (DoorState.OPEN, False)
    assert now_of(DoorState.AUTO, AutoDoor(Rung.DEGRADED)) == (DoorState.OPEN, True)
    assert now_of(DoorState.AUTO, AutoDoor(Rung.WAITLIST)) == (DoorState.WAITLIST, False)


@pytest.mark.parametrize(
    ("facts", "visitor", "code"),
    [
        (DoorFacts(DoorState.OPEN), Visitor(known=False), ""),
        (DoorFacts(DoorState.CLOSED), Visitor(known=True, invited=True), "doors-closed"),
        (DoorFacts(DoorState.CLOSED, by_hand=False), Visitor(known=True, invited=True), ""),
        (DoorFacts(DoorState.CLOSED, by_hand=False), Visitor(known=True), "doors-closed"),
        (DoorFacts(DoorState.WAITLIST), Visitor(known=True), "doors-waitlist"),
        (DoorFacts(DoorState.WAITLIST), Visitor(known=False, invited=True), ""),
        (
            DoorFacts(DoorState.OPEN, feature=DoorState.CLOSED),
            Visitor(known=True),
            "feature-closed",
        ),
        (DoorFacts(DoorState.OPEN, server=DoorState.CLOSED), Visitor(known=True), "doors-closed"),
        (DoorFacts(DoorState.OPEN, sign_ups=False), Visitor(known=False), "sign-ups-suspended"),
        (DoorFacts(DoorState.OPEN, sign_ups=False), Visitor(known=True), ""),
        (DoorFacts(DoorState.OPEN, sign_ups=False), Visitor(known=False, paid=True), ""),
    ],
)
def test_who_may_enter(facts: DoorFacts, visitor: Visitor, code: str) -> None:
    decision = decide(facts, visitor)
    assert decision.code == code
    assert decision.admitted == (not code)


def test_whoever_enters_a_degrading_door_is_told() -> None:
    assert decide(DoorFacts(DoorState.OPEN, degraded=True), Visitor(known=True)).degraded


def test_the_strictest_door_decides() -> None:
    assert strictest([DoorState.OPEN, DoorState.WAITLIST]) is DoorState.WAITLIST
    assert strictest([]) is DoorState.OPEN


@given(
    width=st.integers(1, 32).map(lambda n: 64 * n),
    height=st.integers(1, 32).map(lambda n: 64 * n),
    count=st.integers(1, 4),
    steps=st.one_of(st.none(), st.integers(1, 50)),
)
def test_a_degraded_request_costs_less_and_still_can_be_made(
    width: int, height: int, count: int, steps: int | None
) -> None:
    request = ImageRequest(
        Operation.IMAGINE, "a house", "postcard", width, height, 1, count=count, steps=steps
    )
    less = degrade(request, usual_steps=20)
    assert less.count == 1
    assert less.steps is not None
    assert 1 <= less.steps <= (steps or 20)
    assert less.width % 64 == less.height % 64 == 0
    assert 64 <= less.width <= width
    assert 64 <= less.height <= height


@pytest.mark.parametrize("factor", [2, 4])
def test_what_is_enlarged_is_enlarged_twice_at_most(factor: int) -> None:
    """Its sides are the source's times the factor: nothing else about it could be made less."""
    wanted = ImageRequest(
        Operation.UPSCALE, "", "postcard", 300 * factor, 200 * factor, 1, factor=factor, steps=8
    )
    less = degrade(wanted, usual_steps=20)
    assert (less.factor, less.width, less.height, less.steps) == (2, 600, 400, 8)
    assert (less == wanted) is (factor == 2)
