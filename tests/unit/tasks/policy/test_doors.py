"""Doors follow the load and do not flap; who may enter is one decision over plain facts."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.request import ImageRequest, Operation
from tasks.jobs.tiers import DoorState, Feature
from tasks.policy import doors
from tasks.policy.doors import (
    AutoDoor,
    Decision,
    DoorInputs,
    DoorLevel,
    DoorLimits,
    Visitor,
    current_state,
    decide,
    degrade,
    follow,
    strictest,
)
from tests.records import assert_records_are_immutable

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
def test_auto_door_moves_one_level_at_a_time_and_holds_it(load: list[float]) -> None:
    doors = [AutoDoor(), *walk([(float(at), wait) for at, wait in enumerate(load)])]
    for before, after in itertools.pairwise(doors):
        assert abs(after.door_level - before.door_level) <= 1
        if after.door_level < before.door_level:
            assert after.since - before.since >= LIMITS.stands
        if after.door_level > before.door_level:
            assert after.since - before.since >= LIMITS.rises


@given(
    door_level=st.sampled_from([DoorLevel.DEGRADED, DoorLevel.WAITLIST, DoorLevel.CLOSED]),
    noise=st.lists(st.floats(0.61, 0.99), min_size=10, max_size=200),
)
def test_noise_around_a_threshold_does_not_flap_the_door(
    door_level: DoorLevel, noise: list[float]
) -> None:
    """Anything between where it rose and where it returns leaves the door as it is."""
    door = AutoDoor(door_level, 0.0)
    for at, share in enumerate(noise):
        door = follow(door, share * LIMITS.rises_at(door_level), 100.0 + 100.0 * at, LIMITS)
        assert door.door_level is door_level


@given(st.lists(waits, min_size=50, max_size=400))
def test_auto_door_reverses_at_most_once_a_minute(load: list[float]) -> None:
    rungs = [door.door_level for door in walk([(float(at), wait) for at, wait in enumerate(load)])]
    downs = sum(b < a for a, b in itertools.pairwise(rungs))
    assert downs <= len(load) / LIMITS.stands + 1


@given(waits)
def test_auto_door_settles_under_steady_load(wait: float) -> None:
    rungs = [door.door_level for door in walk([(10.0 * at, wait) for at in range(100)])]
    assert rungs == sorted(rungs)
    assert len(set(rungs[20:])) == 1


def test_auto_door_degrades_closes_and_reopens() -> None:
    climb = walk([(10.0 * at, 90.0) for at in range(3)])
    assert climb[-1].door_level is DoorLevel.DEGRADED
    path = [(10.0 * at, 900.0 if at < 10 else 1.0) for at in range(60)]
    rungs = [door.door_level for door in walk(path)]
    assert list(dict.fromkeys(rungs)) == [
        DoorLevel.DEGRADED,
        DoorLevel.WAITLIST,
        DoorLevel.CLOSED,
        DoorLevel.OPEN,
    ]
    assert rungs[-1] is DoorLevel.OPEN


def test_auto_door_stays_on_waitlist_while_members_wait() -> None:
    door = AutoDoor(DoorLevel.WAITLIST, 0.0)
    assert follow(door, 0.0, 1000.0, LIMITS, waitlist=3).door_level is DoorLevel.WAITLIST
    assert follow(door, 0.0, 1000.0, LIMITS, waitlist=0).door_level is DoorLevel.DEGRADED


@pytest.mark.parametrize("door_level", DoorLevel)
def test_clock_set_back_does_not_freeze_the_door(door_level: DoorLevel) -> None:
    """It has stood since a moment that is still to come: from now on, then."""
    door = follow(AutoDoor(door_level, 9000.0), 50.0, 1000.0, LIMITS)
    assert door == AutoDoor(door_level, 1000.0)
    wait = 0.0 if door_level else 2000.0
    assert follow(door, wait, 1000.0 + LIMITS.stands, LIMITS).door_level is not door_level


def test_infinite_wait_closes_the_door() -> None:
    assert walk([(10.0 * at, math.inf) for at in range(9)])[-1].door_level is DoorLevel.CLOSED


@pytest.mark.parametrize(
    ("limit", "values"),
    [
        ("return_at", (0.0, 1.0, -0.5, 1.5)),
        ("degrade_at", (0.0, 1.0, -0.5, 1.5)),
        ("close_at", (1.0, 0.5, -1.0)),
    ],
)
def test_inconsistent_door_limits_are_refused(limit: str, values: tuple[float, ...]) -> None:
    for value in values:
        with pytest.raises(ValueError, match="return_at"):
            DoorLimits(**{limit: value})


@pytest.mark.parametrize("longest", [0.0, -1.0, math.nan])
def test_door_without_a_longest_wait_is_refused(longest: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        DoorLimits(longest_wait=longest)


def test_door_limits_close_to_their_bounds_are_valid() -> None:
    DoorLimits(longest_wait=0.5, degrade_at=0.01, close_at=1.01, return_at=0.01)
    DoorLimits(longest_wait=0.5, degrade_at=0.99, close_at=1.01, return_at=0.99)


def test_default_limits_are_half_an_hour_and_multiples_of_it() -> None:
    limits = DoorLimits()
    assert [limits.rises_at(level) for level in DoorLevel] == [0.0, 900.0, 1800.0, 14400.0]
    assert (limits.return_at, limits.stands, limits.rises) == (0.6, 60.0, 5.0)


def test_records_are_immutable() -> None:
    assert_records_are_immutable(doors)


def test_new_door_is_open_and_may_rise_at_once() -> None:
    assert AutoDoor().door_level is DoorLevel.OPEN
    assert follow(AutoDoor(), 51.0, 0.0, LIMITS) == AutoDoor(DoorLevel.DEGRADED, 0.0)


@pytest.mark.parametrize(
    ("door_level", "threshold"),
    [(DoorLevel.OPEN, 50.0), (DoorLevel.DEGRADED, 100.0), (DoorLevel.WAITLIST, 800.0)],
)
def test_door_rises_above_the_next_levels_wait(door_level: DoorLevel, threshold: float) -> None:
    door, above = AutoDoor(door_level, 100.0), DoorLevel(door_level + 1)
    assert follow(door, threshold, 130.0, LIMITS).door_level is door_level
    assert follow(door, threshold + 0.5, 104.9, LIMITS).door_level is door_level
    assert follow(door, threshold + 0.5, 105.0, LIMITS) == AutoDoor(above, 105.0)
    assert follow(door, threshold + 0.5, 130.0, LIMITS) == AutoDoor(above, 130.0)


@pytest.mark.parametrize(
    ("door_level", "threshold"),
    [(DoorLevel.DEGRADED, 30.0), (DoorLevel.WAITLIST, 60.0), (DoorLevel.CLOSED, 480.0)],
)
def test_door_goes_back_below_six_tenths_of_its_levels_wait(
    door_level: DoorLevel, threshold: float
) -> None:
    door, below = AutoDoor(door_level, 100.0), DoorLevel(door_level - 1)
    assert follow(door, threshold, 300.0, LIMITS) == door
    assert follow(door, threshold - 0.5, 159.9, LIMITS) == door
    assert follow(door, threshold - 0.5, 160.0, LIMITS) == AutoDoor(below, 160.0)
    assert follow(door, threshold - 0.5, 300.0, LIMITS) == AutoDoor(below, 300.0)


def test_open_and_closed_doors_stay_at_their_ends() -> None:
    opened, closed = AutoDoor(DoorLevel.OPEN, 0.0), AutoDoor(DoorLevel.CLOSED, 0.0)
    assert follow(opened, 0.0, 900.0, LIMITS) == opened
    assert follow(opened, -1.0, 900.0, LIMITS) == opened
    assert follow(closed, math.inf, 900.0, LIMITS) == closed


def test_waiting_members_hold_the_door_on_the_waitlist_only() -> None:
    for door_level in (DoorLevel.DEGRADED, DoorLevel.CLOSED):
        door = follow(AutoDoor(door_level, 0.0), 0.0, 900.0, LIMITS, waitlist=1)
        assert door == AutoDoor(DoorLevel(door_level - 1), 900.0)
    waiting = AutoDoor(DoorLevel.WAITLIST, 0.0)
    assert follow(waiting, 0.0, 900.0, LIMITS, waitlist=1) == waiting
    assert follow(waiting, 0.0, 900.0, LIMITS) == AutoDoor(DoorLevel.DEGRADED, 900.0)
    assert follow(waiting, 900.0, 900.0, LIMITS, waitlist=1) == AutoDoor(DoorLevel.CLOSED, 900.0)


def test_manual_door_ignores_the_load() -> None:
    assert current_state(DoorState.OPEN, AutoDoor(DoorLevel.CLOSED)) == (DoorState.OPEN, False)
    assert current_state(DoorState.AUTO, AutoDoor(DoorLevel.DEGRADED)) == (DoorState.OPEN, True)
    for door_level, state in (
        (DoorLevel.OPEN, DoorState.OPEN),
        (DoorLevel.WAITLIST, DoorState.WAITLIST),
        (DoorLevel.CLOSED, DoorState.CLOSED),
    ):
        assert current_state(DoorState.AUTO, AutoDoor(door_level)) == (state, False)
    for set_to in (DoorState.WAITLIST, DoorState.CLOSED):
        assert current_state(set_to, AutoDoor(DoorLevel.DEGRADED)) == (set_to, False)


@pytest.mark.parametrize(
    ("facts", "visitor", "code"),
    [
        (DoorInputs(DoorState.OPEN), Visitor(known=False), ""),
        (DoorInputs(DoorState.CLOSED), Visitor(known=True, invited=True), "doors-closed"),
        (DoorInputs(DoorState.CLOSED, by_hand=False), Visitor(known=True, invited=True), ""),
        (DoorInputs(DoorState.CLOSED, by_hand=False), Visitor(known=True), "doors-closed"),
        (DoorInputs(DoorState.WAITLIST), Visitor(known=True), "doors-waitlist"),
        (DoorInputs(DoorState.WAITLIST), Visitor(known=False, invited=True), ""),
        (
            DoorInputs(DoorState.OPEN, feature=DoorState.CLOSED),
            Visitor(known=True),
            "feature-closed",
        ),
        (DoorInputs(DoorState.OPEN, server=DoorState.CLOSED), Visitor(known=True), "doors-closed"),
        (DoorInputs(DoorState.OPEN, sign_ups=False), Visitor(known=False), "sign-ups-suspended"),
        (DoorInputs(DoorState.OPEN, sign_ups=False), Visitor(known=True), ""),
        (DoorInputs(DoorState.OPEN, sign_ups=False), Visitor(known=False, paid=True), ""),
    ],
)
def test_door_decision(facts: DoorInputs, visitor: Visitor, code: str) -> None:
    decision = decide(facts, visitor)
    assert decision.code == code
    assert decision.admitted == (not code)


def test_degrading_door_marks_the_decision() -> None:
    visitor = Visitor(known=True)
    assert decide(DoorInputs(DoorState.OPEN, degraded=True), visitor) == Decision(degraded=True)
    assert decide(DoorInputs(DoorState.OPEN), visitor) == Decision("", degraded=False)
    assert decide(DoorInputs(DoorState.OPEN), visitor).degraded is False


def test_strictest_door_wins() -> None:
    assert strictest([OPEN, WAITLIST]) is WAITLIST
    assert strictest([WAITLIST, CLOSED, OPEN]) is CLOSED
    assert strictest([CLOSED, WAITLIST]) is CLOSED
    assert strictest([OPEN]) is OPEN
    assert strictest([]) is OPEN


OPEN, WAITLIST, CLOSED = DoorState.OPEN, DoorState.WAITLIST, DoorState.CLOSED
NEWCOMER, KNOWN = Visitor(known=False), Visitor(known=True)
INVITED = Visitor(known=False, invited=True)
CLOSED_EDIT = Decision("feature-closed", feature=Feature.EDIT)
WAIT_FOR_EDIT = Decision("doors-waitlist", feature=Feature.EDIT)
WAIT = Decision("doors-waitlist")


@pytest.mark.parametrize(
    ("facts", "visitor", "decision"),
    [
        # The feature's door; it names the feature.
        (DoorInputs(OPEN, feature=CLOSED, which=Feature.EDIT), KNOWN, CLOSED_EDIT),
        (DoorInputs(OPEN, feature=CLOSED, which=Feature.EDIT), INVITED, CLOSED_EDIT),
        (DoorInputs(CLOSED, feature=CLOSED, which=Feature.EDIT), KNOWN, CLOSED_EDIT),
        (DoorInputs(OPEN, feature=CLOSED, by_hand=False), INVITED, Decision()),
        (DoorInputs(OPEN, feature=WAITLIST, which=Feature.EDIT), KNOWN, WAIT_FOR_EDIT),
        (DoorInputs(OPEN, feature=WAITLIST, which=Feature.EDIT), INVITED, Decision()),
        (DoorInputs(WAITLIST, feature=WAITLIST, which=Feature.EDIT), KNOWN, WAIT),
        (DoorInputs(WAITLIST, feature=OPEN, which=Feature.EDIT), KNOWN, WAIT),
        # The server's door.
        (DoorInputs(OPEN, server=WAITLIST), KNOWN, WAIT),
        (DoorInputs(OPEN, server=WAITLIST), INVITED, Decision()),
        (DoorInputs(OPEN, feature=WAITLIST, server=WAITLIST), KNOWN, WAIT),
        (DoorInputs(OPEN, server=CLOSED), INVITED, Decision("doors-closed")),
        (DoorInputs(OPEN, server=CLOSED, by_hand=False), INVITED, Decision()),
        (DoorInputs(OPEN, server=CLOSED, by_hand=False), KNOWN, Decision("doors-closed")),
        # The tier's door; an invitation opens what the load closed, not what a person closed.
        (DoorInputs(CLOSED), NEWCOMER, Decision("doors-closed")),
        (DoorInputs(CLOSED), INVITED, Decision("doors-closed")),
        (DoorInputs(CLOSED, by_hand=False), INVITED, Decision()),
        (DoorInputs(CLOSED, by_hand=False), Visitor(True, paid=True), Decision("doors-closed")),
        (DoorInputs(WAITLIST), Visitor(True, paid=True), WAIT),
        # Suspended sign-ups keep out newcomers only.
        (DoorInputs(OPEN, sign_ups=False), NEWCOMER, Decision("sign-ups-suspended")),
        (DoorInputs(OPEN, sign_ups=False), KNOWN, Decision()),
        (DoorInputs(OPEN, sign_ups=False), INVITED, Decision()),
        (DoorInputs(OPEN, sign_ups=False), Visitor(False, paid=True), Decision()),
        (DoorInputs(OPEN), NEWCOMER, Decision()),
        (DoorInputs(WAITLIST, degraded=True), INVITED, Decision(degraded=True)),
    ],
)
def test_who_may_enter(facts: DoorInputs, visitor: Visitor, decision: Decision) -> None:
    assert decide(facts, visitor) == decision
    assert decide(facts, visitor).admitted is (decision.code == "")


@given(
    width=st.integers(1, 32).map(lambda n: 64 * n),
    height=st.integers(1, 32).map(lambda n: 64 * n),
    count=st.integers(1, 4),
    steps=st.one_of(st.none(), st.integers(1, 50)),
)
def test_degraded_request_is_valid_and_cheaper(
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
    cost, smallest = count * width * height * (steps or 20), 64 * 64
    assert less.width * less.height * less.steps < cost or cost == smallest


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        # width, height, steps: half the area in whole multiples of 64, and six tenths of the steps
        ((1024, 1024, 20), (704, 704, 12)),
        ((512, 768, 25), (320, 512, 15)),
        ((1024, 576, 8), (704, 384, 5)),
        ((2048, 64, 4), (1408, 64, 2)),
        ((128, 65, 1), (64, 64, 1)),
        ((64, 40, 2), (64, 40, 1)),
        ((1024, 1024, None), (704, 704, 18)),
    ],
)
def test_degraded_size_and_steps(
    asked: tuple[int, int, int | None], served: tuple[int, int, int]
) -> None:
    width, height, steps = asked
    request = ImageRequest(
        Operation.IMAGINE, "a house", "sdxl", width, height, 1, count=4, steps=steps
    )
    less = degrade(request, usual_steps=30)
    assert (less.width, less.height, less.steps) == served
    assert less == replace(request, count=1, width=served[0], height=served[1], steps=served[2])


def test_degraded_sides_are_multiples_of_the_models_own() -> None:
    request = ImageRequest(Operation.IMAGINE, "a house", "postcard", 100, 256, 1, steps=10)
    less = degrade(request, usual_steps=20, multiple=8)
    assert (less.width, less.height) == (64, 176)


@pytest.mark.parametrize(
    ("factor", "size", "served"),
    [(4, (1200, 800), (600, 400)), (2, (600, 400), (600, 400)), (None, (600, 400), (600, 400))],
)
def test_degraded_upscale_has_factor_two_at_most(
    factor: int | None, size: tuple[int, int], served: tuple[int, int]
) -> None:
    """Its sides are the source's times the factor: nothing else about it could be made less."""
    wanted = ImageRequest(Operation.UPSCALE, "", "postcard", *size, 1, factor=factor, steps=8)
    less = degrade(wanted, usual_steps=20)
    assert less == replace(wanted, factor=2, width=served[0], height=served[1])
    assert (type(less.width), type(less.height)) == (int, int)


@pytest.mark.parametrize("operation", [one for one in Operation if one is not Operation.UPSCALE])
def test_every_other_operation_is_degraded_alike(operation: Operation) -> None:
    wanted = ImageRequest(operation, "a house", "postcard", 512, 512, 1, count=2, steps=10)
    less = degrade(wanted, usual_steps=20)
    assert less == replace(wanted, count=1, width=320, height=320, steps=6)
