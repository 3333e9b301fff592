"""Features open by tier, by day, by a stable share of members."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.jobs.tiers import DoorState, Feature, Quota, Tier, TierPolicy
from tasks.policy import rollout
from tasks.policy.rollout import (
    Stage,
    Stages,
    feature_open,
    opening_day,
    read_stage,
    share_of,
)
from tests.records import assert_records_are_immutable

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
def test_member_stays_included_as_the_share_grows(member: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    if Stage(percent=low).open_to(Feature.EDIT, member, DAY):
        assert Stage(percent=high).open_to(Feature.EDIT, member, DAY)


@given(members)
def test_zero_percent_excludes_all_and_hundred_includes_all(member: str) -> None:
    assert not Stage(percent=0).open_to(Feature.EDIT, member, DAY)
    assert Stage(percent=100).open_to(Feature.EDIT, member, DAY)


def test_share_is_accurate_and_independent_between_features() -> None:
    keys = [f"discord:1:{n}" for n in range(4000)]
    edit = {k for k in keys if share_of("edit", k) < 25}
    vary = {k for k in keys if share_of("vary", k) < 25}
    assert 900 < len(edit) < 1100
    assert 180 < len(edit & vary) < 320  # a quarter of a quarter: not always the same people


def test_member_hash_is_stable() -> None:
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
def test_stage_text_is_parsed(text: str, stage: Stage) -> None:
    assert read_stage(text) == stage


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-13-40", "120%", "-5%", "5% 6%", "2026-12-15 2026-12-16"]
)
def test_invalid_stage_text_names_the_expected_form(text: str) -> None:
    with pytest.raises(ValueError, match="A stage is"):
        read_stage(text)


def test_stage_opens_a_feature_on_its_day() -> None:
    stages: Stages = {Feature.EDIT: {Tier.FREE: Stage(DAY)}}
    eve = DAY - timedelta(days=1)
    assert not feature_open(Feature.EDIT, FREE, "m", eve, stages)
    assert opening_day(Feature.EDIT, Tier.FREE, "m", eve, stages) == DAY
    assert feature_open(Feature.EDIT, FREE, "m", DAY, stages)
    assert opening_day(Feature.EDIT, Tier.FREE, "m", DAY, stages) is None
    assert feature_open(Feature.IMAGINE, FREE, "m", eve, stages)
    assert not feature_open(Feature.VARY, FREE, "m", DAY, stages)


def test_opening_day_is_shown_to_included_members_only() -> None:
    stages: Stages = {Feature.EDIT: {Tier.FREE: Stage(DAY, 25)}}
    eve = DAY - timedelta(days=1)
    for n in range(40):
        told = opening_day(Feature.EDIT, Tier.FREE, f"m{n}", eve, stages)
        assert (told == DAY) is feature_open(Feature.EDIT, FREE, f"m{n}", DAY, stages)


def test_records_are_immutable() -> None:
    assert_records_are_immutable(rollout)


def test_stage_is_open_to_all_at_once_by_default() -> None:
    assert Stage() == Stage(opens=None, percent=100.0)


def test_share_is_a_number_below_the_percentage() -> None:
    """The share is that of `printf 'edit\\0discord:1:42' | b2sum -l 64` in 2^64."""
    share = share_of("edit", "discord:1:42")
    assert share == pytest.approx(47.713586326781, abs=1e-12)
    assert not Stage(percent=share).open_to(Feature.EDIT, "discord:1:42", DAY)
    assert Stage(percent=share + 1e-9).open_to(Feature.EDIT, "discord:1:42", DAY)


def test_stage_needs_both_the_day_and_the_share() -> None:
    inside, outside = Stage(DAY, 48), Stage(DAY, 47)
    eve, later = DAY - timedelta(days=1), DAY + timedelta(days=40)
    for stage, day, is_open in (
        (inside, eve, False),
        (inside, DAY, True),
        (inside, later, True),
        (outside, eve, False),
        (outside, DAY, False),
        (outside, later, False),
    ):
        assert stage.open_to(Feature.EDIT, "discord:1:42", day) is is_open


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("100%", Stage(percent=100)),
        ("0%", Stage(percent=0)),
        ("99.5%  2026-12-15", Stage(DAY, 99.5)),
    ],
)
def test_stage_at_a_limit_is_parsed(text: str, stage: Stage) -> None:
    assert read_stage(text) == stage


@pytest.mark.parametrize("text", ["100.5%", "101%", "5% 6% 2026-12-15", "open 5%", "closed open"])
def test_stage_beyond_a_limit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f'not "{text}"'):
        read_stage(text)


def test_stage_of_another_tier_does_not_count() -> None:
    stages: Stages = {Feature.IMAGINE: {Tier.PLUS: Stage(percent=0)}}
    assert feature_open(Feature.IMAGINE, FREE, "m", DAY, stages)
    assert opening_day(Feature.IMAGINE, Tier.FREE, "m", DAY, stages) is None


def test_only_a_day_to_come_is_announced() -> None:
    stages: Stages = {Feature.EDIT: {Tier.FREE: Stage(DAY)}, Feature.VARY: {Tier.FREE: Stage()}}
    assert opening_day(Feature.EDIT, Tier.FREE, "m", DAY - timedelta(days=30), stages) == DAY
    assert opening_day(Feature.EDIT, Tier.FREE, "m", DAY + timedelta(days=30), stages) is None
    assert opening_day(Feature.VARY, Tier.FREE, "m", DAY, stages) is None
