"""Whether a member still has the right to a job that has waited: a role may be lost meanwhile.

Platforms that can tell are asked for the member's roles of this moment when the job starts. Where
one cannot, or does not answer in time, the right that the job was admitted with holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tasks.job import Job, Reason
from tasks.members import Member
from tasks.policy import Policy
from tasks.store import members
from tasks.store.database import Database
from tasks.tiers import Tier

WAITED = timedelta(seconds=10)
"""A job that starts sooner was admitted with roles that are fresh enough."""

AskRoles = Callable[[Member], frozenset[str] | None]
"""The roles a member has now; None where that is not to be known."""


@dataclass(frozen=True, slots=True)
class Rights:
    """Looks once more before a paid job starts. Free needs no right that could be lost."""

    database: Database
    policy: Policy
    roles: AskRoles
    waited: timedelta = WAITED

    def lost(self, job: Job) -> Reason | None:
        """Why the job is not to be started; None where it may."""
        if not job.tier.paid or datetime.now(UTC) - job.created_at < self.waited:
            return None
        member = job.order.member
        roles = self.roles(member)
        if roles is None:
            return None
        known = self.database.run(lambda connection: members.look(connection, member))
        default = Tier(known.settings.get("default_tier", Tier.FREE))
        tier = self.policy.tier_of(replace(member, roles=roles), known.roles, default)
        if tier.rank >= job.tier.rank:
            return None
        return Reason("lost-right", {"tier": tier.value})
