"""The entitlement recheck before a delayed start: a member may have lost a role meanwhile.

When a paid job starts, its platform is asked for the member's current roles. Where the platform
cannot tell or does not answer in time, the entitlement of the admission holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tasks.admission.entitlements import entitlement_of
from tasks.jobs.job import Job, Reason
from tasks.jobs.members import Member
from tasks.policy.config import Policy
from tasks.store import members
from tasks.store.database import Database

WAITED = timedelta(seconds=10)
"""A job that starts sooner is not rechecked."""

AskRoles = Callable[[Member], frozenset[str] | None]
"""A member's current roles; None where the platform cannot tell."""


@dataclass(frozen=True, slots=True)
class Rights:
    """Rechecks the entitlement before a paid job starts. Free needs none."""

    database: Database
    policy: Policy
    roles: AskRoles
    waited: timedelta = WAITED

    def lost(self, job: Job) -> Reason | None:
        """Why the job must not start; None where it may."""
        if not job.tier.paid or datetime.now(UTC) - job.created_at < self.waited:
            return None
        member = job.order.member
        roles = self.roles(member)
        if roles is None:
            return None
        known = self.database.run(lambda connection: members.read(connection, member))
        tier = entitlement_of(self.policy, replace(member, roles=roles), known).tier
        if tier.rank >= job.tier.rank:
            return None
        return Reason("lost-right", {"tier": tier.value})
