"""The admission rules: pure. `tasks.admission.load` reads their inputs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from imaging.engine.validation import check_request
from imaging.errors import ImagingError
from imaging.profiles import Profile
from imaging.request import ImageRequest, Operation
from tasks.jobs.job import Reason
from tasks.jobs.tiers import Entitlement, Feature, Quota, Tier, TierPolicy
from tasks.policy.config import Limits
from tasks.policy.doors import Decision
from tasks.policy.quota import Entry, QuotaUsage, affordable_at
from tasks.policy.word_filter import forbidden_word

PROMPTED = frozenset({Operation.IMAGINE, Operation.EDIT, Operation.FILL})
"""Operations that need a prompt."""

ONE_MEGAPIXEL = 1024**2 / 1_000_000
"""The usual meaning of a megapixel: a limit of 1 admits 1024 × 1024, for one credit."""


@dataclass(frozen=True, slots=True)
class AdmissionInputs:
    """All inputs of a decision, as read in the transaction.

    `models` are those that a worker serves or is about to try, empty where no worker has announced
    any yet; `faulty_models` are those that one of them cannot serve. `parent_exists` is True where
    no parent is named.
    """

    entitlement: Entitlement
    door: Decision
    feature_refusal: Reason | None
    request: ImageRequest
    waiting: int  # the member's queued jobs
    running: int  # the member's jobs on a worker
    standing: QuotaUsage
    pool: QuotaUsage | None
    words: Sequence[str]
    models: Sequence[str]
    limits: Limits
    faulty_models: Collection[str] = ()
    parent_exists: bool = True
    feature: Feature = Feature.IMAGINE  # the first feature that the order needs
    largest_megapixels: float | None = None  # the server's own limit
    profile: Profile | None = None  # the model as a worker describes it
    model_refusal: Reason | None = None  # the operator keeps the model from the member's tier


@dataclass(frozen=True, slots=True)
class Admitted:
    """The order may become a job of this cost in credits; `relaxed` past the quota."""

    cost: float
    relaxed: bool = False


def cost_of(request: ImageRequest, usual_steps: int | None, price: float = 1.0) -> float:
    """Credits: pictures × megapixels × steps over usual steps, each factor at least 1, × price."""
    size = request.megapixels if request.megapixels > ONE_MEGAPIXEL else 1.0
    longer = max(1.0, request.steps / usual_steps) if request.steps and usual_steps else 1.0
    return round(request.count * size * longer * price, 6)


def decide(inputs: AdmissionInputs, cost: float) -> Admitted | Reason:
    """The first reason against the order, or its admission.

    "quota-spent" and "pool-spent" lack `returns_at`, which needs the ledger: `when_affordable`.
    """
    return (
        _check_member(inputs)
        or _check_request(inputs)
        or _check_prompt(inputs)
        or _check_waiting_limit(inputs)
        or _check_credits(inputs, cost)
    )


def _check_member(inputs: AdmissionInputs) -> Reason | None:
    if inputs.entitlement.denied:
        return Reason(inputs.entitlement.denied)
    if inputs.entitlement.blocked:
        return Reason("blocked")
    if not inputs.door.admitted:
        details = {
            "tier": inputs.entitlement.tier.value,
            "feature": (inputs.door.feature or inputs.feature).value,
            "of_feature": inputs.door.feature is not None,
        }
        return Reason(inputs.door.code, details)
    return inputs.feature_refusal


def _check_request(inputs: AdmissionInputs) -> Reason | None:
    request, policy = inputs.request, inputs.entitlement.policy
    expected = inputs.models or request.profile in inputs.faulty_models
    if expected and request.profile not in inputs.models:
        return Reason("unknown-model", {"model": request.profile, "models": list(inputs.models)})
    if inputs.model_refusal is not None:
        return inputs.model_refusal
    if request.count > policy.count:
        return Reason("too-many-pictures", {"count": request.count, "limit": policy.count})
    largest = min(policy.largest_megapixels, inputs.largest_megapixels or policy.largest_megapixels)
    if request.megapixels > largest * ONE_MEGAPIXEL:
        megapixels = round(request.megapixels, 2)
        return Reason("too-large", {"megapixels": megapixels, "limit": largest})
    if not inputs.parent_exists:
        return Reason("unknown-picture")
    return _check_model(inputs)


def _check_model(inputs: AdmissionInputs) -> Reason | None:
    """What the worker's engine would refuse after the wait, by the model's card."""
    profile = inputs.profile
    if profile is None:
        return None  # no worker has described it yet, or one of an older version
    try:
        check_request(inputs.request, profile)
    except ImagingError as error:
        return Reason(error.code, {"model": profile.name, **error.details})
    return None


def _check_prompt(inputs: AdmissionInputs) -> Reason | None:
    request = inputs.request
    if request.operation in PROMPTED and not request.prompt.strip():
        return Reason("prompt-empty")
    limit = inputs.limits.prompt_characters
    length = max(len(request.prompt), len(request.negative))
    if length > limit:
        return Reason("prompt-too-long", {"length": length, "limit": limit})
    for text in (request.prompt, request.negative):
        if word := forbidden_word(text, inputs.words):
            return Reason("forbidden-words", {"word": word})
    return None


def _check_waiting_limit(inputs: AdmissionInputs) -> Reason | None:
    """The waiting limit applies on top of the jobs that may run at once."""
    policy = inputs.entitlement.policy
    if inputs.waiting + inputs.running >= policy.running + policy.waiting:
        return Reason("waiting-full", {"limit": policy.waiting})
    return None


def _check_credits(inputs: AdmissionInputs, cost: float) -> Admitted | Reason:
    policy = inputs.entitlement.policy
    accounts = [("quota-spent", policy.quota, inputs.standing)]
    if policy.pool and inputs.pool:
        accounts.append(("pool-spent", policy.pool, inputs.pool))
    short = [account for account in accounts if not account[2].covers(account[1], cost)]
    if not short:
        return Admitted(cost)
    if policy.relaxed:
        return Admitted(cost, relaxed=True)
    # An account that no waiting fills up is the reason, whatever else is short.
    code, quota, standing = next((a for a in short if cost > a[1].credits), short[0])
    details = {"left": standing.left(quota), "cost": cost, "limit": quota.credits}
    return Reason(code, {name: round(value, 2) for name, value in details.items()})


def when_affordable(
    policy: TierPolicy,
    own: tuple[Sequence[Entry], QuotaUsage],
    pool: tuple[Sequence[Entry], QuotaUsage] | None,
    cost: float,
    now: datetime,
) -> datetime | None:
    """The moment from which quota and pool cover the cost; None where they never do."""
    moments = [_affordable(policy.quota, own, cost, now)]
    if policy.pool and pool:
        moments.append(_affordable(policy.pool, pool, cost, now))
    known = [moment for moment in moments if moment is not None]
    return max(known) if len(known) == len(moments) else None


def _affordable(
    quota: Quota, of: tuple[Sequence[Entry], QuotaUsage], cost: float, now: datetime
) -> datetime | None:
    entries, standing = of
    return affordable_at(entries, standing.held, quota, cost, now)


_FEATURES = frozenset(feature.value for feature in Feature)


def feature_of(command: str, private: bool) -> tuple[Feature, ...]:
    """The features that an order needs."""
    wanted = Feature(command) if command in _FEATURES else Feature.IMAGINE
    return (wanted, Feature.PRIVATE) if private else (wanted,)


def feature_refusal(feature: Feature, tier: Tier, having: Iterable[Tier]) -> Reason:
    """The refusal of a feature, with the lowest higher tier of those `having` it.

    Where no higher tier has it, the feature is closed.
    """
    details = {"feature": feature.value, "tier": tier.value}
    above = (one for one in having if one.rank > tier.rank)
    lowest = min(above, key=lambda one: one.rank, default=None)
    if lowest is None:
        return Reason("feature-closed", details)
    return Reason("feature-not-in-tier", {**details, "needs": lowest.value})
