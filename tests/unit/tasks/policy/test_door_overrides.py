"""Doors set by hand: words, the stricter of two, and what an order passes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.jobs.tiers import DoorState, Feature, Tier
from tasks.policy.door_overrides import (
    SUBJECTS,
    DoorOverrides,
    GlobalDoor,
    Subject,
    UsualDoors,
    door_inputs,
    read_subject,
)
from tasks.policy.doors import AutoDoor, DoorLevel, Visitor, decide

USUAL = UsualDoors(dict.fromkeys(Tier, DoorState.OPEN) | {Tier.FREE: DoorState.AUTO})
states = st.sampled_from(list(DoorState))
maybe = st.none() | states
rungs = st.sampled_from(list(DoorLevel))
STRICT = {DoorState.OPEN: 0, DoorState.WAITLIST: 1, DoorState.CLOSED: 2}


def hand(everywhere: DoorState | None, here: DoorState | None, subject: Subject) -> DoorOverrides:
    return DoorOverrides(
        {} if everywhere is None else {subject: everywhere}, {} if here is None else {subject: here}
    )


def test_every_door_has_a_distinct_name() -> None:
    assert len({subject.value for subject in SUBJECTS}) == len(SUBJECTS)
    assert [read_subject(subject.value.upper()) for subject in SUBJECTS] == list(SUBJECTS)
    with pytest.raises(ValueError, match="sign-ups"):
        read_subject("gold")


@given(maybe, maybe, states, rungs)
def test_server_is_never_more_open_than_the_operator_allows(
    everywhere: DoorState | None, here: DoorState | None, usual: DoorState, door_level: DoorLevel
) -> None:
    auto = AutoDoor(door_level)
    now, _ = hand(everywhere, here, Tier.FREE).now(Tier.FREE, usual, auto)
    alone, _ = hand(everywhere, None, Tier.FREE).now(Tier.FREE, usual, auto)
    if everywhere is not None:
        assert STRICT[now] >= STRICT[alone]
    if here is not None and everywhere is None:
        own, _ = hand(None, here, Tier.FREE).now(Tier.FREE, DoorState.OPEN, auto)
        assert now is own, "by hand wins over the file"
    if here is None and everywhere is None:
        assert now is (door_level.state if usual is DoorState.AUTO else usual)


@given(st.sampled_from(list(Feature)), states, rungs)
def test_only_requested_features_count(
    feature: Feature, state: DoorState, door_level: DoorLevel
) -> None:
    by_hand = DoorOverrides({feature: state})
    autos: dict[Subject, AutoDoor] = {feature: AutoDoor(door_level)}
    others = [one for one in Feature if one is not feature]
    found = door_inputs(Tier.PRO, others, USUAL, by_hand, autos)
    assert (found.feature, found.degraded) == (DoorState.OPEN, False)
    mine = door_inputs(Tier.PRO, [feature], USUAL, by_hand, autos)
    assert mine.feature is (door_level.state if state is DoorState.AUTO else state)
    assert mine.degraded == (state is DoorState.AUTO and door_level is DoorLevel.DEGRADED)


@pytest.mark.parametrize("shut", [Tier.FREE, Feature.IMAGINE, GlobalDoor.EVERYTHING])
def test_door_closed_by_hand_also_refuses_invited_members(shut: Subject) -> None:
    full: dict[Subject, AutoDoor] = {Tier.FREE: AutoDoor(DoorLevel.CLOSED)}
    guest = Visitor(known=True, invited=True)
    by_load = door_inputs(Tier.FREE, iter([Feature.IMAGINE]), USUAL, DoorOverrides(), full)
    assert by_load.tier is DoorState.CLOSED
    assert decide(by_load, guest).admitted, "they were promised it"
    assert not decide(by_load, Visitor(known=True)).admitted
    for by_hand in (
        DoorOverrides({shut: DoorState.CLOSED}),
        DoorOverrides({}, {shut: DoorState.CLOSED}),
    ):
        closed = door_inputs(Tier.FREE, iter([Feature.IMAGINE]), USUAL, by_hand, full)
        assert not decide(closed, guest).admitted


def test_sign_ups_and_everything_have_doors() -> None:
    shut = UsualDoors(USUAL.tiers, sign_ups=False)
    assert not door_inputs(Tier.FREE, [], shut, DoorOverrides(), {}).sign_ups
    by_hand = DoorOverrides(
        {GlobalDoor.SIGN_UPS: DoorState.OPEN, GlobalDoor.EVERYTHING: DoorState.WAITLIST}
    )
    opened = door_inputs(Tier.FREE, [], shut, by_hand, {})
    assert opened.sign_ups
    assert opened.server is DoorState.WAITLIST
