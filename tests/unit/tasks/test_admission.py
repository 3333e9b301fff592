"""The decision about an order: every reason against it, and the first one that counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.request import ImageRequest, Operation
from tasks.admission import (
    Admitted,
    Facts,
    cost_of,
    decide,
    feature_of,
    feature_refusal,
    forbidden_word,
    when_affordable,
)
from tasks.doors import Decision
from tasks.job import Reason
from tasks.policy import DEFAULT_TIERS, Limits
from tasks.quota import Entry, Standing
from tasks.tiers import Entitlement, Feature, Tier

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def request(**changes: Any) -> ImageRequest:
    values = {"operation": Operation.IMAGINE, "prompt": "a red star", "profile": "postcard"}
    return ImageRequest(**{**values, "width": 64, "height": 64, "seed": 1, **changes})


def facts(tier: Tier = Tier.FREE, **changes: Any) -> Facts:
    """A member with everything in order."""
    asked = changes.pop("asked", {})
    usual = Facts(
        entitlement=Entitlement(tier, DEFAULT_TIERS[tier]),
        door=Decision(),
        feature_refusal=None,
        request=request(**asked),
        waiting=0,
        running=0,
        standing=Standing(0, 0),
        pool=None,
        words=(),
        models=("postcard",),
        limits=Limits(),
    )
    return replace(usual, **changes)


REFUSALS: dict[str, tuple[Facts, dict[str, Any]]] = {
    "blocked": (
        facts(entitlement=Entitlement(Tier.FREE, DEFAULT_TIERS[Tier.FREE], blocked=True)),
        {},
    ),
    "doors-closed": (
        facts(door=Decision("doors-closed")),
        {"tier": "free", "feature": "imagine", "of_feature": False},
    ),
    "doors-waitlist": (
        facts(door=Decision("doors-waitlist", feature=Feature.PRIVATE)),
        {"tier": "free", "feature": "private", "of_feature": True},
    ),
    "unknown-model": (
        facts(models=("sdxl",)),
        {"model": "postcard", "models": ["sdxl"]},
    ),
    "too-many-pictures": (facts(asked={"count": 2}), {"count": 2, "limit": 1}),
    "too-large": (
        facts(asked={"width": 2048, "height": 1024}),
        {"megapixels": 2.1, "limit": 1.0},
    ),
    "unknown-picture": (facts(parent_exists=False), {}),
    "prompt-empty": (facts(asked={"prompt": "  "}), {}),
    "prompt-too-long": (facts(asked={"prompt": "x" * 2001}), {"length": 2001, "limit": 2000}),
    "forbidden-words": (facts(words=("RED star",)), {"word": "RED star"}),
    "waiting-full": (facts(waiting=1, running=1), {"limit": 1}),
    "quota-spent": (facts(standing=Standing(2, 0.5)), {"left": 0.5, "cost": 1}),
}


@pytest.mark.parametrize("code", REFUSALS)
def test_each_reason_against_an_order(code: str) -> None:
    found, details = REFUSALS[code]
    assert decide(found, 1) == Reason(code, details)


def test_everything_in_order_is_admitted() -> None:
    assert decide(facts(), 1) == Admitted(1)


def test_a_spent_quota_is_relaxed_where_the_tier_says_so() -> None:
    assert decide(facts(Tier.PRO, standing=Standing(1800, 0)), 1) == Admitted(1, relaxed=True)


def test_a_spent_pool_counts_like_a_spent_quota() -> None:
    spent = facts(Tier.TEAM, pool=Standing(1000, 0))
    assert decide(spent, 1) == Reason("quota-spent", {"left": 0, "cost": 1})
    assert decide(facts(Tier.TEAM, pool=Standing(900, 0)), 1) == Admitted(1)


def test_a_megapixel_is_1024_by_1024() -> None:
    square = {"width": 1024, "height": 1024}
    assert decide(facts(asked=square), 1) == Admitted(1)
    assert cost_of(request(**square), None) == 1


def test_the_servers_own_limit_is_the_lower() -> None:
    large = {"width": 1024, "height": 1024}
    refused = decide(facts(Tier.PRO, asked=large, largest_megapixels=0.5), 1)
    assert refused == Reason("too-large", {"megapixels": 1.05, "limit": 0.5})


def test_operations_without_words_need_none() -> None:
    vary = facts(Tier.PLUS, asked={"operation": Operation.VARY, "prompt": ""})
    assert decide(vary, 1) == Admitted(1)


@pytest.mark.parametrize(
    ("changes", "usual", "cost"),
    [
        ({}, 8, 1),
        ({"count": 4}, 8, 4),
        ({"width": 2000, "height": 1500}, 8, 3),
        ({"steps": 16}, 8, 2),
        ({"steps": 4}, 8, 1),
        ({"steps": 16}, None, 1),
        ({"count": 2, "width": 2000, "height": 1000, "steps": 16}, 8, 8),
    ],
)
def test_the_price(changes: dict[str, Any], usual: int | None, cost: float) -> None:
    assert cost_of(request(**changes), usual) == cost


@given(
    count=st.integers(1, 4),
    side=st.integers(1, 4096),
    steps=st.none() | st.integers(1, 200),
    usual=st.none() | st.integers(1, 100),
)
def test_no_picture_is_cheaper_than_a_credit(
    count: int, side: int, steps: int | None, usual: int | None
) -> None:
    assert cost_of(request(count=count, width=side, height=side, steps=steps), usual) >= count


@pytest.mark.parametrize("prompt", ["Gore!", "no GORE here", "a (gore)"])
def test_a_forbidden_word_is_found_as_a_word(prompt: str) -> None:
    assert forbidden_word(prompt, ["gore"]) == "gore"


@pytest.mark.parametrize("prompt", ["Al Gorenson", "categorey", "g o r e"])
def test_a_part_of_a_word_is_not_the_word(prompt: str) -> None:
    assert forbidden_word(prompt, ["gore", " "]) is None


def test_the_lowest_tier_with_the_feature_is_named() -> None:
    refusal = feature_refusal(Feature.EDIT, Tier.FREE, [Tier.PRO, Tier.PLUS, Tier.TEAM])
    details = {"feature": "edit", "tier": "free", "needs": "plus"}
    assert refusal == Reason("feature-not-in-tier", details)
    assert feature_refusal(Feature.PRIVATE, Tier.PLUS, [Tier.PRO]).details["needs"] == "pro"
    for having in ([], [Tier.FREE]):
        assert feature_refusal(Feature.BLEND, Tier.PLUS, having).code == "feature-closed"


def test_commands_need_their_feature() -> None:
    assert feature_of("edit", private=False) == (Feature.EDIT,)
    assert feature_of("imagine", private=True) == (Feature.IMAGINE, Feature.PRIVATE)


def test_both_the_quota_and_the_pool_must_have_room_again() -> None:
    policy = DEFAULT_TIERS[Tier.TEAM]
    own = ([Entry(NOW - timedelta(hours=2), 100)], Standing(100, 0))
    pool = ([Entry(NOW - timedelta(hours=1), 1000)], Standing(1000, 0))
    assert when_affordable(policy, own, None, 1, NOW) == NOW + timedelta(hours=1)
    assert when_affordable(policy, own, pool, 1, NOW) == NOW + timedelta(hours=2)
    assert when_affordable(policy, own, pool, 101, NOW) is None
