"""A member's own account: entitlement, allowance, preferences, deletion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from tasks.admission.entitlements import entitlement_of, unavailable_feature
from tasks.client.async_database import AsyncDatabase
from tasks.client.erased_blobs import delete_erased
from tasks.client.views import Allowance
from tasks.jobs.job import Reason
from tasks.jobs.members import Member
from tasks.jobs.tiers import Entitlement, Feature, Tier
from tasks.policy.config import Policy
from tasks.policy.quota import returns
from tasks.runtime.blobs import Blobs
from tasks.store import access, erasure, ledger, members, removals
from tasks.store.removals import Unremoved


@dataclass(frozen=True, slots=True)
class Members:
    """Every method raises Unavailable where the database cannot be reached."""

    database: AsyncDatabase
    blobs: Blobs
    policy: Policy

    async def entitlement(self, member: Member) -> Entitlement:
        """Tier and limits of a member, from their roles and what administrators have set."""
        known = await self.database.run(lambda c: members.read(c, member))
        return entitlement_of(self.policy, member, known)

    async def feature_refusal(self, member: Member, feature: Feature) -> Reason | None:
        """Why the member may not use the feature now; None where they may."""
        entitlement = await self.entitlement(member)
        if entitlement.denied:
            return Reason(entitlement.denied)
        tier = entitlement.tier
        today = datetime.now(UTC).date()
        return unavailable_feature(self.policy, member, tier, [feature], today)

    async def locked_features(self, member: Member) -> Mapping[Feature, Tier]:
        """The features that only a higher tier has, each with the lowest tier that has it."""
        tier = (await self.entitlement(member)).tier
        today = datetime.now(UTC).date()
        refusals = {
            feature: unavailable_feature(self.policy, member, tier, [feature], today)
            for feature in Feature
        }
        return {
            feature: Tier(str(reason.details["needs"]))
            for feature, reason in refusals.items()
            if reason is not None and "needs" in reason.details
        }

    async def upload_refusal(self, member: Member, feature: Feature) -> Reason | None:
        """Why the member's files are not even read: they are blocked, or lack the feature."""
        entitlement = await self.entitlement(member)
        if entitlement.blocked:
            return Reason("blocked")
        today = datetime.now(UTC).date()
        return unavailable_feature(self.policy, member, entitlement.tier, [feature], today)

    async def allowance(self, member: Member) -> Allowance:
        """What is left of the member's quota, and when credits return."""
        return await self.database.run(lambda c: self._allowance(c, member))

    async def preferences(self, member: Member) -> Mapping[str, Any]:
        """The member's own defaults (aspect, count, model, locale …)."""
        return (await self.database.run(lambda c: members.read(c, member))).preferences

    async def set_preferences(self, member: Member, values: Mapping[str, Any]) -> None:
        """Change some of the member's defaults; a None value removes one."""
        await self.database.run(lambda c: members.prefer(c, member, values))

    async def forget(self, member: Member) -> int:
        """Delete a member's pictures, prompts and history; returns the number of pictures.

        Active jobs are stopped, and erased once they have ended. Messages are removed from the
        platform by a worker: see `unremoved`. The ledger's sums stay, without prompts.
        """
        return await self.database.call(lambda: self._forget(member))

    async def unremoved(self, member: Member) -> Sequence[Unremoved]:
        """Messages of erased jobs that are still on the platform, with the reason if it refuses."""
        return await self.database.run(lambda c: removals.unremoved(c, member.key))

    def _allowance(self, connection: Connection, member: Member) -> Allowance:
        known = members.read(connection, member)
        entitlement = entitlement_of(self.policy, member, known)
        policy = entitlement.policy
        seconds = policy.quota.window.total_seconds()
        keys = () if entitlement.tier.paid else access.keys_of_person(connection, member)
        standing = ledger.standing(connection, member.key, seconds, keys)
        own = ledger.entries(connection, member.key, seconds, keys)
        pool_left = None
        if policy.pool:
            name = f"{member.platform}:{member.workspace}"
            window = policy.pool.window.total_seconds()
            pool_left = ledger.pool_standing(connection, name, window).left(policy.pool)
        left = standing.left(policy.quota)
        return Allowance(
            tier=entitlement.tier,
            limit=policy.quota.credits,
            left=left,
            held=standing.held,
            window=policy.quota.window,
            returns=returns(own, policy.quota.window, datetime.now(UTC)),
            relaxed=policy.relaxed and left <= 0,
            pool_left=pool_left,
        )

    def _forget(self, member: Member) -> int:
        names = self.database.database.run(lambda c: erasure.erase_member(c, member.key))
        delete_erased(self.database.database, self.blobs, names)
        return sum(name.startswith("pictures/") for name in names)
