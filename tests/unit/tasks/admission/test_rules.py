"""The decision about an order: every reason against it, and the first one that counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.profile_card import card_of, profile_of_card
from imaging.profiles import profile_for
from imaging.request import ImageRequest, Operation
from tasks.admission import rules
from tasks.admission.rules import (
    AdmissionInputs,
    Admitted,
    cost_of,
    decide,
    feature_of,
    feature_refusal,
    when_affordable,
)
from tasks.jobs.job import Reason
from tasks.jobs.tiers import Entitlement, Feature, Quota, Tier
from tasks.policy.config import DEFAULT_TIERS, Limits
from tasks.policy.doors import Decision
from tasks.policy.quota import Entry, QuotaUsage
from tests.records import assert_records_are_immutable

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def request(**changes: Any) -> ImageRequest:
    values = {"operation": Operation.IMAGINE, "prompt": "a red star", "profile": "postcard"}
    return ImageRequest(**{**values, "width": 64, "height": 64, "seed": 1, **changes})


def facts(tier: Tier = Tier.FREE, **changes: Any) -> AdmissionInputs:
    """A member with everything in order."""
    asked = changes.pop("asked", {})
    usual = AdmissionInputs(
        entitlement=Entitlement(tier, DEFAULT_TIERS[tier]),
        door=Decision(),
        feature_refusal=None,
        request=request(**asked),
        waiting=0,
        running=0,
        standing=QuotaUsage(0, 0),
        pool=None,
        words=(),
        models=("postcard",),
        limits=Limits(),
    )
    return replace(usual, **changes)


REFUSALS: dict[str, tuple[AdmissionInputs, dict[str, Any]]] = {
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
    "quota-spent": (facts(standing=QuotaUsage(2, 0.5)), {"left": 0.5, "cost": 1, "limit": 3}),
    "pool-spent": (
        facts(Tier.TEAM, pool=QuotaUsage(999.5, 0)),
        {"left": 0.5, "cost": 1, "limit": 1000},
    ),
}


@pytest.mark.parametrize("code", REFUSALS)
def test_each_refusal_has_its_reason(code: str) -> None:
    found, details = REFUSALS[code]
    assert decide(found, 1) == Reason(code, details)


@pytest.mark.parametrize(
    ("models", "faulty", "admitted"),
    [
        ((), (), True),  # no worker has announced any: it waits for the first
        ((), ("sdxl",), True),
        ((), ("postcard",), False),
        (("sdxl",), ("postcard",), False),
        (("sdxl",), (), False),
        (("postcard",), ("postcard",), True),  # another worker serves it, or it is tried again
    ],
)
def test_order_for_a_model_that_its_workers_cannot_serve_is_refused(
    models: tuple[str, ...], faulty: tuple[str, ...], admitted: bool
) -> None:
    """Whether or not other models are served."""
    refused = Reason("unknown-model", {"model": "postcard", "models": list(models)})
    wanted = Admitted(1) if admitted else refused
    assert decide(facts(models=models, faulty_models=faulty), 1) == wanted


def test_valid_order_is_admitted() -> None:
    assert decide(facts(), 1) == Admitted(1)


def test_spent_quota_is_relaxed_where_the_tier_allows_it() -> None:
    assert decide(facts(Tier.PRO, standing=QuotaUsage(1800, 0)), 1) == Admitted(1, relaxed=True)


def test_spent_pool_is_a_reason_of_its_own() -> None:
    spent = facts(Tier.TEAM, pool=QuotaUsage(1000, 0))
    assert decide(spent, 1) == Reason("pool-spent", {"left": 0, "cost": 1, "limit": 1000})
    assert decide(facts(Tier.TEAM, pool=QuotaUsage(900, 0)), 1) == Admitted(1)


def test_account_that_never_covers_the_cost_is_the_reason() -> None:
    both = facts(Tier.TEAM, standing=QuotaUsage(100, 0), pool=QuotaUsage(1000, 0))
    assert decide(both, 1) == Reason("quota-spent", {"left": 0, "cost": 1, "limit": 100})
    small_pool = replace(both.entitlement.policy, pool=Quota(2, timedelta(hours=3)))
    entitlement = replace(both.entitlement, policy=small_pool)
    refused = decide(replace(both, entitlement=entitlement, pool=QuotaUsage(0, 0)), 3)
    assert refused == Reason("pool-spent", {"left": 2, "cost": 3, "limit": 2})


def test_one_megapixel_is_1024_by_1024() -> None:
    square = {"width": 1024, "height": 1024}
    assert decide(facts(asked=square), 1) == Admitted(1)
    assert cost_of(request(**square), None) == 1
    one_pixel_more = {"width": 17, "height": 61_681}
    refused = Reason("too-large", {"megapixels": 1.05, "limit": 1.0})
    assert decide(facts(asked=one_pixel_more), 1) == refused


def test_lower_of_server_and_tier_size_limit_applies() -> None:
    large = {"width": 1024, "height": 1024}
    refused = decide(facts(Tier.PRO, asked=large, largest_megapixels=0.5), 1)
    assert refused == Reason("too-large", {"megapixels": 1.05, "limit": 0.5})


def test_operations_without_prompt_accept_none() -> None:
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
def test_cost_in_credits(changes: dict[str, Any], usual: int | None, cost: float) -> None:
    assert cost_of(request(**changes), usual) == cost


@given(
    count=st.integers(1, 4),
    side=st.integers(1, 4096),
    steps=st.none() | st.integers(1, 200),
    usual=st.none() | st.integers(1, 100),
)
def test_every_picture_costs_at_least_one_credit(
    count: int, side: int, steps: int | None, usual: int | None
) -> None:
    assert cost_of(request(count=count, width=side, height=side, steps=steps), usual) >= count


@pytest.mark.parametrize("field", ["prompt", "negative"])
@pytest.mark.parametrize("text", ["Gore!", "no GORE here", "a (gore)", "g o r e", "g0re"])
def test_forbidden_word_is_refused_in_prompt_and_negative(text: str, field: str) -> None:
    changed = facts(words=("gore",), asked={field: text})
    assert decide(changed, 1) == Reason("forbidden-words", {"word": "gore"})


@pytest.mark.parametrize("prompt", ["Al Gorenson", "categorey"])
def test_forbidden_word_inside_another_word_is_admitted(prompt: str) -> None:
    changed = facts(words=("gore", " "), asked={"prompt": prompt})
    assert decide(changed, 1) == Admitted(1)


def test_refusal_names_lowest_tier_with_the_feature() -> None:
    refusal = feature_refusal(Feature.EDIT, Tier.FREE, [Tier.PRO, Tier.PLUS, Tier.TEAM])
    details = {"feature": "edit", "tier": "free", "needs": "plus"}
    assert refusal == Reason("feature-not-in-tier", details)
    assert feature_refusal(Feature.PRIVATE, Tier.PLUS, [Tier.PRO]).details["needs"] == "pro"
    for having in ([], [Tier.FREE]):
        assert feature_refusal(Feature.BLEND, Tier.PLUS, having).code == "feature-closed"


def test_each_command_requires_its_feature() -> None:
    assert feature_of("edit", private=False) == (Feature.EDIT,)
    assert feature_of("imagine", private=True) == (Feature.IMAGINE, Feature.PRIVATE)


def test_return_time_waits_for_both_quota_and_pool() -> None:
    policy = DEFAULT_TIERS[Tier.TEAM]
    own = ([Entry(NOW - timedelta(hours=2), 100)], QuotaUsage(100, 0))
    pool = ([Entry(NOW - timedelta(hours=1), 1000)], QuotaUsage(1000, 0))
    assert when_affordable(policy, own, None, 1, NOW) == NOW + timedelta(hours=1)
    assert when_affordable(policy, own, pool, 1, NOW) == NOW + timedelta(hours=2)
    assert when_affordable(policy, own, pool, 101, NOW) is None


def test_records_are_immutable() -> None:
    assert_records_are_immutable(rules)


def test_admission_is_not_relaxed_unless_it_says_so() -> None:
    assert Admitted(1).relaxed is False
    admitted = decide(facts(Tier.PRO), 1)
    assert isinstance(admitted, Admitted)
    assert admitted.relaxed is False


def test_operators_refusal_comes_before_a_servers() -> None:
    policy = DEFAULT_TIERS[Tier.FREE]
    denied = facts(entitlement=Entitlement(Tier.FREE, policy, blocked=True, denied="member-denied"))
    assert decide(denied, 1) == Reason("member-denied")


def test_refusal_at_the_door_names_the_wanted_feature() -> None:
    refused = facts(door=Decision("doors-closed"), feature=Feature.EDIT)
    details = {"tier": "free", "feature": "edit", "of_feature": False}
    assert decide(refused, 1) == Reason("doors-closed", details)


def test_feature_that_is_refused_refuses_the_order() -> None:
    no_edit = Reason("feature-not-in-tier", {"feature": "edit"})
    assert decide(facts(feature_refusal=no_edit), 1) == no_edit
    assert decide(facts(feature_refusal=no_edit, asked={"prompt": ""}), 1) == no_edit
    closed = facts(feature_refusal=no_edit, door=Decision("doors-closed"))
    reason = decide(closed, 1)
    assert isinstance(reason, Reason)
    assert reason.code == "doors-closed"


def test_any_model_is_accepted_before_a_worker_has_announced_its_own() -> None:
    assert decide(facts(models=()), 1) == Admitted(1)
    assert decide(facts(models=("sdxl", "postcard")), 1) == Admitted(1)


@pytest.mark.parametrize("over", [False, True])
@pytest.mark.parametrize(
    ("tier", "largest", "above", "code"),
    [
        (Tier.FREE, {"count": 1}, {"count": 2}, "too-many-pictures"),
        (Tier.PLUS, {"count": 4}, {"count": 5}, "too-many-pictures"),
        (
            Tier.FREE,
            {"width": 1024, "height": 1024},
            {"width": 1025, "height": 1024},
            "too-large",
        ),
        (
            Tier.PLUS,
            {"width": 2048, "height": 1024},
            {"width": 2048, "height": 1025},
            "too-large",
        ),
        (Tier.FREE, {"prompt": "x" * 2000}, {"prompt": "x" * 2001}, "prompt-too-long"),
        (Tier.FREE, {"negative": "x" * 2000}, {"negative": "x" * 2001}, "prompt-too-long"),
    ],
)
def test_order_exactly_at_a_limit_is_admitted(
    tier: Tier, largest: dict[str, Any], above: dict[str, Any], code: str, over: bool
) -> None:
    outcome = decide(facts(tier, asked=above if over else largest), 1)
    assert (outcome.code if isinstance(outcome, Reason) else "") == (code if over else "")


def test_tiers_size_limit_applies_below_the_servers() -> None:
    wide = {"width": 1530, "height": 1533}
    refused = decide(facts(asked=wide, largest_megapixels=3.0), 1)
    assert refused == Reason("too-large", {"megapixels": 2.35, "limit": 1.0})
    assert decide(facts(Tier.PRO, asked=wide, largest_megapixels=3.0), 1) == Admitted(1)


@pytest.mark.parametrize("operation", [Operation.IMAGINE, Operation.EDIT, Operation.FILL])
def test_prompt_of_spaces_is_empty(operation: Operation) -> None:
    refused = decide(facts(Tier.PLUS, asked={"operation": operation, "prompt": " \n "}), 1)
    assert refused == Reason("prompt-empty")


@pytest.mark.parametrize(
    ("tier", "waiting", "running", "full"),
    [
        (Tier.FREE, 0, 0, False),
        (Tier.FREE, 1, 0, False),
        (Tier.FREE, 0, 1, False),
        (Tier.FREE, 2, 0, True),
        (Tier.FREE, 0, 2, True),
        (Tier.FREE, 2, 1, True),
        (Tier.PLUS, 12, 0, False),
        (Tier.PLUS, 9, 3, False),
        (Tier.PLUS, 10, 3, True),
        (Tier.PLUS, 13, 0, True),
    ],
)
def test_waiting_limit_counts_what_may_run(
    tier: Tier, waiting: int, running: int, full: bool
) -> None:
    outcome = decide(facts(tier, waiting=waiting, running=running), 1)
    limit = 1 if tier is Tier.FREE else 10
    assert outcome == (Reason("waiting-full", {"limit": limit}) if full else Admitted(1))


def test_pool_counts_only_where_the_tier_has_one() -> None:
    assert decide(facts(Tier.PLUS, pool=QuotaUsage(5000, 0)), 1) == Admitted(1)
    assert decide(facts(Tier.TEAM, pool=None), 1) == Admitted(1)


def test_first_short_account_is_the_reason_where_both_may_fill_up() -> None:
    """A pool of three covers an order of three once it is full again, as the quota does."""
    policy = replace(DEFAULT_TIERS[Tier.TEAM], pool=Quota(3, timedelta(hours=3)))
    both = facts(
        entitlement=Entitlement(Tier.TEAM, policy),
        standing=QuotaUsage(98.111, 0),
        pool=QuotaUsage(1, 0),
    )
    details = {"left": 1.89, "cost": 3, "limit": 100}
    assert decide(both, 3) == Reason("quota-spent", details)


@pytest.mark.parametrize(
    ("changes", "usual", "cost"),
    [
        ({"width": 1025, "height": 1024}, 8, 1.0496),
        ({"width": 1100, "height": 1000, "steps": 10}, 7, 1.571429),
        ({"steps": 8}, 8, 1),
        ({"steps": 9}, 8, 1.125),
        ({"count": 3, "steps": 12}, 8, 4.5),
    ],
)
def test_cost_is_a_product_rounded_to_a_millionth(
    changes: dict[str, Any], usual: int, cost: float
) -> None:
    assert cost_of(request(**{"width": 512, "height": 512, **changes}), usual) == cost


@pytest.mark.parametrize(
    ("changes", "price", "cost"),
    [
        ({}, 0.5, 0.5),
        ({}, 3.0, 3.0),
        ({}, 0.0, 0.0),
        ({"count": 2}, 1.5, 3.0),
        ({"steps": 20}, 0.25, 0.625),
        ({"width": 2000, "height": 1000}, 2.5, 5.0),
        ({"count": 3, "width": 2000, "height": 1000, "steps": 12}, 1.7, 15.3),
    ],
)
def test_cost_is_multiplied_by_the_models_price(
    changes: dict[str, Any], price: float, cost: float
) -> None:
    assert cost_of(request(**changes), 8, price) == cost


def test_private_orders_and_repeated_ones_need_their_features() -> None:
    assert feature_of("reroll", private=False) == (Feature.IMAGINE,)
    assert feature_of("blend", private=True) == (Feature.BLEND, Feature.PRIVATE)


def test_own_tier_and_lower_ones_are_not_named_as_having_a_feature() -> None:
    details = {"feature": "blend", "tier": "team"}
    having = [Tier.FREE, Tier.PLUS, Tier.TEAM]
    assert feature_refusal(Feature.BLEND, Tier.TEAM, having) == Reason("feature-closed", details)


def test_return_time_is_the_later_of_quota_and_pool() -> None:
    policy = DEFAULT_TIERS[Tier.TEAM]
    own = ([Entry(NOW - timedelta(hours=1), 100)], QuotaUsage(100, 0))
    pool = ([Entry(NOW - timedelta(hours=2), 1000)], QuotaUsage(1000, 0))
    assert when_affordable(policy, own, pool, 1, NOW) == NOW + timedelta(hours=2)
    no_pool = DEFAULT_TIERS[Tier.PLUS]
    spent_own = ([Entry(NOW - timedelta(hours=1), 50)], QuotaUsage(50, 0))
    assert when_affordable(no_pool, spent_own, pool, 1, NOW) == NOW + timedelta(hours=2)
    held: tuple[list[Entry], QuotaUsage] = ([], QuotaUsage(0, 100))
    assert when_affordable(policy, held, None, 1, NOW) == NOW + timedelta(hours=3)
    assert when_affordable(policy, held, None, 101, NOW) is None


@pytest.mark.parametrize(
    ("asked", "code", "details"),
    [
        ({"operation": Operation.EDIT, "sources": ("a",)}, "unsupported", {"operation": "edit"}),
        ({"width": 900, "height": 900}, "unsupported", {"largest": 640_000}),
        ({"negative": "trees"}, "parameter-unsupported", {"parameter": "negative"}),
    ],
)
def test_what_the_engine_would_refuse_is_refused_by_the_card(
    asked: dict[str, Any], code: str, details: dict[str, Any]
) -> None:
    card = card_of(
        replace(
            profile_for("postcard"),
            operations=frozenset({Operation.IMAGINE}),
            parameters=frozenset(),
            largest_pixels=640_000,
        )
    )
    refused = decide(facts(Tier.PRO, asked=asked, profile=profile_of_card("postcard", card)), 1.0)
    assert isinstance(refused, Reason)
    assert refused.code == code
    assert refused.details["model"] == "postcard"
    assert details.items() <= refused.details.items()
    assert isinstance(decide(facts(Tier.PRO, asked=asked, profile=None), 1.0), Admitted)
