"""Doors set by hand: words, the stricter of two, and what an order passes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.doors import AutoDoor, Rung, Visitor, decide
from tasks.handset import SUBJECTS, HandSet, Subject, UsualDoors, Whole, facts_for, read_subject
from tasks.tiers import DoorState, Feature, Tier

USUAL = UsualDoors(dict.fromkeys(Tier, DoorState.OPEN) | {Tier.FREE: DoorState.AUTO})
states = st.sampled_from(list(DoorState))
maybe = st.none() | states
rungs = st.sampled_from(list(Rung))
STRICT = {DoorState.OPEN: 0, DoorState.WAITLIST: 1, DoorState.CLOSED: 2}


def hand(everywhere: DoorState | None, here: DoorState | None, subject: Subject) -> HandSet:
    return HandSet(
        {} if everywhere is None else {subject: everywhere}, {} if here is None else {subject: here}
    )


def test_every_door_has_a_word_of_its_own() -> None:
    assert len({subject.value for subject in SUBJECTS}) == len(SUBJECTS)
    assert [read_subject(subject.value.upper()) for subject in SUBJECTS] == list(SUBJECTS)
    with pytest.raises(ValueError, match="sign-ups"):
        read_subject("gold")


@given(maybe, maybe, states, rungs)
def test_a_server_is_never_more_open_than_the_operator_says(
    everywhere: DoorState | None, here: DoorState | None, usual: DoorState, rung: Rung
) -> None:
    auto = AutoDoor(rung)
    now, _ = hand(everywhere, here, Tier.FREE).now(Tier.FREE, usual, auto)
    alone, _ = hand(everywhere, None, Tier.FREE).now(Tier.FREE, usual, auto)
    if everywhere is not None:
        assert STRICT[now] >= STRICT[alone]
    if here is not None and everywhere is None:
        own, _ = hand(None, here, Tier.FREE).now(Tier.FREE, DoorState.OPEN, auto)
        assert now is own, "by hand wins over the file"
    if here is None and everywhere is None:
        assert now is (rung.state if usual is DoorState.AUTO else usual)


@given(st.sampled_from(list(Feature)), states, rungs)
def test_only_what_is_wanted_counts(feature: Feature, state: DoorState, rung: Rung) -> None:
    by_hand, autos = HandSet({feature: state}), {feature: AutoDoor(rung)}
    others = [one for one in Feature if one is not feature]
    found = facts_for(Tier.PRO, others, USUAL, by_hand, autos)
    assert (found.feature, found.degraded) == (DoorState.OPEN, False)
    mine = facts_for(Tier.PRO, [feature], USUAL, by_hand, autos)
    assert mine.feature is (rung.state if state is DoorState.AUTO else state)
    assert mine.degraded == (state is DoorState.AUTO and rung is Rung.DEGRADED)


@pytest.mark.parametrize("shut", [Tier.FREE, Feature.IMAGINE, Whole.EVERYTHING])
def test_what_is_closed_by_hand_is_closed_to_the_invited_too(shut: Subject) -> None:
    full = {Tier.FREE: AutoDoor(Rung.CLOSED)}
    guest = Visitor(known=True, invited=True)
    by_load = facts_for(Tier.FREE, iter([Feature.IMAGINE]), USUAL, HandSet(), full)
    assert by_load.tier is DoorState.CLOSED
    assert decide(by_load, guest).admitted, "they were promised it"
    assert not decide(by_load, Visitor(known=True)).admitted
    for by_hand in (HandSet({shut: DoorState.CLOSED}), HandSet({}, {shut: DoorState.CLOSED})):
        closed = facts_for(Tier.FREE, iter([Feature.IMAGINE]), USUAL, by_hand, full)
        assert not decide(closed, guest).admitted


def test_sign_ups_and_the_whole_have_doors() -> None:
    shut = UsualDoors(USUAL.tiers, sign_ups=False)
    assert not facts_for(Tier.FREE, [], shut, HandSet(), {}).sign_ups
    by_hand = HandSet({Whole.SIGN_UPS: DoorState.OPEN, Whole.EVERYTHING: DoorState.WAITLIST})
    opened = facts_for(Tier.FREE, [], shut, by_hand, {})
    assert opened.sign_ups
    assert opened.server is DoorState.WAITLIST
