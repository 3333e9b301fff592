"""Features open by tier, by day, by a stable share of members."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.stages import Stage, Stages, feature_open, opening_day, read_stage, share_of
from tasks.tiers import DoorState, Feature, Quota, Tier, TierPolicy

DAY = date(2026, 12, 15)
FREE = TierPolicy(
    Tier.FREE,
    1.0,
    1,
    1,
    Quota(3, timedelta(hours=24)),
    1.0,
    1,
    frozenset({Feature.IMAGINE}),
    DoorState.AUTO,
)
members = st.text(min_size=1, max_size=20)


@given(members, st.floats(0, 100), st.floats(0, 100))
def test_whoever_is_in_stays_in_as_the_share_grows(member: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    if Stage(percent=low).open_to(Feature.EDIT, member, DAY):
        assert Stage(percent=high).open_to(Feature.EDIT, member, DAY)


@given(members)
def test_nobody_at_nothing_and_everybody_at_a_hundred(member: str) -> None:
    assert not Stage(percent=0).open_to(Feature.EDIT, member, DAY)
    assert Stage(percent=100).open_to(Feature.EDIT, member, DAY)


def test_the_share_is_the_share_and_differs_between_features() -> None:
    keys = [f"discord:1:{n}" for n in range(4000)]
    edit = {k for k in keys if share_of("edit", k) < 25}
    vary = {k for k in keys if share_of("vary", k) < 25}
    assert 900 < len(edit) < 1100
    assert 180 < len(edit & vary) < 320  # a quarter of a quarter: not always the same people


def test_the_hash_is_the_same_for_ever() -> None:
    assert share_of("edit", "discord:1:42") == pytest.approx(47.71, abs=0.01)


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("open", Stage()),
        ("closed", Stage(percent=0)),
        ("2026-12-15", Stage(DAY)),
        ("12.5%", Stage(percent=12.5)),
        ("2026-12-15 25%", Stage(DAY, 25)),
    ],
)
def test_a_stage_is_read(text: str, stage: Stage) -> None:
    assert read_stage(text) == stage


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-13-40", "120%", "-5%", "5% 6%", "2026-12-15 2026-12-16"]
)
def test_a_stage_that_cannot_be_read_says_what_is_expected(text: str) -> None:
    with pytest.raises(ValueError, match="A stage is"):
        read_stage(text)


def test_a_stage_gives_a_tier_a_feature_on_its_day() -> None:
    stages: Stages = {Feature.EDIT: {Tier.FREE: Stage(DAY)}}
    eve = DAY - timedelta(days=1)
    assert not feature_open(Feature.EDIT, FREE, "m", eve, stages)
    assert opening_day(Feature.EDIT, Tier.FREE, "m", eve, stages) == DAY
    assert feature_open(Feature.EDIT, FREE, "m", DAY, stages)
    assert opening_day(Feature.EDIT, Tier.FREE, "m", DAY, stages) is None
    assert feature_open(Feature.IMAGINE, FREE, "m", eve, stages)
    assert not feature_open(Feature.VARY, FREE, "m", DAY, stages)


def test_a_day_is_told_to_those_alone_that_it_opens_for() -> None:
    stages: Stages = {Feature.EDIT: {Tier.FREE: Stage(DAY, 25)}}
    eve = DAY - timedelta(days=1)
    for n in range(40):
        told = opening_day(Feature.EDIT, Tier.FREE, f"m{n}", eve, stages)
        assert (told == DAY) is feature_open(Feature.EDIT, FREE, f"m{n}", DAY, stages)
