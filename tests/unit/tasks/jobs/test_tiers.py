"""Tiers: their order, and the one that a member's roles give."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tasks.jobs import tiers
from tasks.jobs.tiers import (
    DoorState,
    Entitlement,
    Feature,
    Quota,
    Tier,
    TierPolicy,
    resolve_tier,
)
from tests.records import assert_records_are_immutable

ROLES = {"supporter": Tier.PLUS, "staff": Tier.TEAM, "patron": Tier.PRO, "guest": Tier.FREE}


def test_records_are_immutable() -> None:
    assert_records_are_immutable(tiers)


def test_tiers_rank_from_free_to_pro() -> None:
    assert {tier.value: tier.rank for tier in Tier} == {"free": 0, "plus": 1, "team": 2, "pro": 3}


def test_every_tier_but_free_is_paid() -> None:
    assert [tier.value for tier in Tier if tier.paid] == ["plus", "team", "pro"]
    assert not Tier("free").paid


@pytest.mark.parametrize(
    ("roles", "tier"),
    [
        ((), Tier.FREE),
        (("stranger",), Tier.FREE),
        (("supporter",), Tier.PLUS),
        (("supporter", "patron", "guest"), Tier.PRO),
        (("patron", "supporter"), Tier.PRO),
        (("guest", "staff", "supporter"), Tier.TEAM),
        (("stranger", "guest"), Tier.FREE),
    ],
)
def test_highest_tier_of_several_roles_wins(roles: tuple[str, ...], tier: Tier) -> None:
    assert resolve_tier(roles, ROLES) is tier


def test_default_applies_only_without_a_role_that_gives_a_tier() -> None:
    assert resolve_tier((), ROLES, default=Tier.TEAM) is Tier.TEAM
    assert resolve_tier(("supporter",), ROLES, default=Tier.TEAM) is Tier.PLUS


def test_tier_is_not_relaxed_and_has_no_pool_by_default() -> None:
    policy = TierPolicy(
        tier=Tier.FREE,
        weight=1.0,
        running=1,
        waiting=1,
        quota=Quota(3, timedelta(hours=24)),
        largest_megapixels=1.0,
        count=1,
        features=frozenset({Feature.IMAGINE}),
        doors=DoorState.AUTO,
    )
    assert policy.relaxed is False
    assert policy.pool is None
    assert Entitlement(Tier.FREE, policy).blocked is False
    assert Entitlement(Tier.FREE, policy).denied == ""
