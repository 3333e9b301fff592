"""What a member may use: the tier that their roles give, features and doors.

The tier rule of the product is `entitlement_of`; admission, accounts and the recheck before a start
all call it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from tasks.admission.rules import feature_refusal
from tasks.jobs.job import Reason
from tasks.jobs.members import Member
from tasks.jobs.tiers import Entitlement, Feature, Tier
from tasks.policy import rollout
from tasks.policy.access import DIRECT, AccessPolicy, ServerAccess, ServerRecord
from tasks.policy.config import Policy
from tasks.policy.door_overrides import DoorOverrides, Subject, door_inputs
from tasks.policy.doors import AutoDoor, Visitor, decide
from tasks.store.members import MemberRecord


def entitlement_of(policy: Policy, member: Member, known: MemberRecord) -> Entitlement:
    """Tier and limits of a member, from their roles and what administrators have set.

    The tier is at most the highest that the operator allows the server.
    """
    default = Tier(known.settings.get("default_tier", Tier.FREE))
    access = server_access(policy.access, member.platform, member.workspace, known)
    given = policy.tier_of(member, known.roles, default)
    tier = min(given, access.limits.highest_tier, key=lambda one: one.rank)
    denied = "banned" if known.banned else access.denied
    return Entitlement(tier, policy.tiers[tier], known.blocked, denied)


def server_access(
    policy: AccessPolicy, platform: str, workspace: str, known: MemberRecord
) -> ServerAccess:
    """The access of a member's server, as it is or would be recorded."""
    record = known.server
    if record is None and known.first_server and workspace != DIRECT:
        record = ServerRecord(approved=policy.approves_first)
    return policy.decide(platform, workspace, record)


def unavailable_feature(
    policy: Policy, member: Member, tier: Tier, wanted: Sequence[Feature], today: date
) -> Reason | None:
    """Why the first unavailable feature of `wanted` is refused; None where all are available.

    The reason names the opening day where one is announced, else the lowest tier with the feature.
    """

    def available(one: Tier, feature: Feature) -> bool:
        return rollout.feature_open(feature, policy.tiers[one], member.key, today, policy.stages)

    for feature in wanted:
        if available(tier, feature):
            continue
        if day := rollout.opening_day(feature, tier, member.key, today, policy.stages):
            details = {"feature": feature.value, "tier": tier.value, "opens": day.isoformat()}
            return Reason("feature-not-in-tier", details)
        return feature_refusal(
            feature, tier, [one for one in policy.tiers if available(one, feature)]
        )
    return None


def excluded_by_doors(
    policy: Policy,
    entitlement: Entitlement,
    overrides: DoorOverrides,
    auto_doors: Mapping[Subject, AutoDoor],
    has_had_jobs: bool,
) -> bool:
    """Whether the doors exclude a member from some feature of their tier, for now."""
    tier = entitlement.tier
    visitor = Visitor(known=has_had_jobs, paid=tier.paid)
    decisions = (
        decide(door_inputs(tier, [feature], policy.doors, overrides, auto_doors), visitor)
        for feature in entitlement.policy.features
    )
    return any(one.code not in ("", "feature-closed") for one in decisions)
