"""Whether an order is taken: pure. The facts are read by `submit`, in one transaction."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from imaging.request import ImageRequest, Operation
from tasks.doors import Decision
from tasks.job import Reason
from tasks.policy import Limits
from tasks.quota import Entry, Standing, affordable_at
from tasks.tiers import Entitlement, Feature, Quota, Tier, TierPolicy

PROMPTED = frozenset({Operation.IMAGINE, Operation.EDIT, Operation.FILL})
"""Operations that cannot do without words."""

ONE_MEGAPIXEL = 1024**2 / 1_000_000
"""What people call one: a limit of 1 lets 1024 × 1024 in, at the price of one."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the decision depends on, as it was inside the transaction.

    `models` is empty where no worker has said yet what it can make. `parent_exists` is True where
    no parent is named.
    """

    entitlement: Entitlement
    door: Decision
    feature_refusal: Reason | None
    request: ImageRequest
    waiting: int  # the member's queued jobs
    running: int  # the member's jobs on a worker
    standing: Standing
    pool: Standing | None
    words: Sequence[str]
    models: Sequence[str]
    limits: Limits
    parent_exists: bool = True
    feature: Feature = Feature.IMAGINE  # the first of those that are wanted
    largest_megapixels: float | None = None  # the server's own limit


@dataclass(frozen=True, slots=True)
class Admitted:
    """The order may become a job of this cost in credits; `relaxed` beyond the fast credits."""

    cost: float
    relaxed: bool = False


def cost_of(request: ImageRequest, usual_steps: int | None) -> float:
    """Credits: pictures × megapixels of one × how many times the usual steps, each at least 1."""
    longer = (request.steps or 0) / usual_steps if usual_steps else 1.0
    size = request.megapixels if request.megapixels > ONE_MEGAPIXEL else 1.0
    return round(request.count * size * max(1.0, longer), 6)


def decide(facts: Facts, cost: float) -> Admitted | Reason:
    """The first reason against the order, or what it costs.

    "quota-spent" comes without `returns_at`, which takes the whole ledger: see `when_affordable`.
    """
    return (
        _about_the_member(facts)
        or _about_the_request(facts)
        or _about_the_words(facts)
        or _about_the_line(facts)
        or _about_the_credits(facts, cost)
    )


def _about_the_member(facts: Facts) -> Reason | None:
    if facts.entitlement.blocked:
        return Reason("blocked")
    if not facts.door.admitted:
        details = {
            "tier": facts.entitlement.tier.value,
            "feature": (facts.door.feature or facts.feature).value,
            "of_feature": facts.door.feature is not None,
        }
        return Reason(facts.door.code, details)
    return facts.feature_refusal


def _about_the_request(facts: Facts) -> Reason | None:
    request, policy = facts.request, facts.entitlement.policy
    if facts.models and request.profile not in facts.models:
        return Reason("unknown-model", {"model": request.profile, "models": list(facts.models)})
    if request.count > policy.count:
        return Reason("too-many-pictures", {"count": request.count, "limit": policy.count})
    largest = min(policy.largest_megapixels, facts.largest_megapixels or policy.largest_megapixels)
    if request.megapixels > largest * ONE_MEGAPIXEL:
        megapixels = round(request.megapixels, 2)
        return Reason("too-large", {"megapixels": megapixels, "limit": largest})
    if not facts.parent_exists:
        return Reason("unknown-picture")
    return None


def _about_the_words(facts: Facts) -> Reason | None:
    request = facts.request
    if request.operation in PROMPTED and not request.prompt.strip():
        return Reason("prompt-empty")
    limit = facts.limits.prompt_characters
    length = max(len(request.prompt), len(request.negative))
    if length > limit:
        return Reason("prompt-too-long", {"length": length, "limit": limit})
    if word := forbidden_word(request.prompt, facts.words):
        return Reason("forbidden-words", {"word": word})
    return None


def forbidden_word(prompt: str, words: Iterable[str]) -> str | None:
    """The first forbidden word, or phrase, that stands in the prompt as whole words."""
    plain = prompt.casefold()
    for word in words:
        if word.strip() and re.search(rf"(?<!\w){re.escape(word.strip().casefold())}(?!\w)", plain):
            return word
    return None


def _about_the_line(facts: Facts) -> Reason | None:
    """Beside the jobs that may run at once, so many may wait."""
    policy = facts.entitlement.policy
    if facts.waiting + facts.running >= policy.running + policy.waiting:
        return Reason("waiting-full", {"limit": policy.waiting})
    return None


def _about_the_credits(facts: Facts, cost: float) -> Admitted | Reason:
    policy = facts.entitlement.policy
    covered = facts.standing.covers(policy.quota, cost)
    if policy.pool and facts.pool:
        covered = covered and facts.pool.covers(policy.pool, cost)
    if covered:
        return Admitted(cost)
    if policy.relaxed:
        return Admitted(cost, relaxed=True)
    left = facts.standing.left(policy.quota)
    if policy.pool and facts.pool:
        left = min(left, facts.pool.left(policy.pool))
    return Reason("quota-spent", {"left": round(left, 2), "cost": round(cost, 2)})


def when_affordable(
    policy: TierPolicy,
    own: tuple[Sequence[Entry], Standing],
    pool: tuple[Sequence[Entry], Standing] | None,
    cost: float,
    now: datetime,
) -> datetime | None:
    """The moment from which the quota, and the pool, cover the cost; None where they never will."""
    moments = [_affordable(policy.quota, own, cost, now)]
    if policy.pool and pool:
        moments.append(_affordable(policy.pool, pool, cost, now))
    known = [moment for moment in moments if moment is not None]
    return max(known) if len(known) == len(moments) else None


def _affordable(
    quota: Quota, of: tuple[Sequence[Entry], Standing], cost: float, now: datetime
) -> datetime | None:
    entries, standing = of
    return affordable_at(entries, standing.held, quota, cost, now)


_FEATURES = frozenset(feature.value for feature in Feature)


def feature_of(command: str, private: bool) -> tuple[Feature, ...]:
    """The features that an order needs."""
    wanted = Feature(command) if command in _FEATURES else Feature.IMAGINE
    return (wanted, Feature.PRIVATE) if private else (wanted,)


def feature_refusal(feature: Feature, tier: Tier, having: Iterable[Tier]) -> Reason:
    """That the tier does not have the feature, and the lowest above it of those `having` it.

    Where none has, no tier would help: it is closed.
    """
    details = {"feature": feature.value, "tier": tier.value}
    above = (one for one in having if one.rank > tier.rank)
    lowest = min(above, key=lambda one: one.rank, default=None)
    if lowest is None:
        return Reason("feature-closed", details)
    return Reason("feature-not-in-tier", {**details, "needs": lowest.value})
