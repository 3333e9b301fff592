"""What administrators may do for their server; every change is written to the audit log.

The caller has checked that `by` is an administrator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection

from tasks.client.async_database import AsyncDatabase
from tasks.client.views import AuditEntry, WorkspaceSettings
from tasks.jobs.job import Reason
from tasks.jobs.members import Member
from tasks.jobs.tiers import Tier
from tasks.policy.access import ServerLimits
from tasks.policy.config import Policy
from tasks.store import access, audit, ledger, members


class BeyondLimit(Exception):
    """More than the operator allows a server; `reason` is for the administrator who asked."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.code)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Administration:
    """Every method raises Unavailable where the database cannot be reached."""

    database: AsyncDatabase
    policy: Policy

    async def map_role(self, by: Member, role: str, tier: Tier | None) -> None:
        """Give a role a tier; None removes the mapping, the file's too. Raises BeyondLimit."""

        def work(connection: Connection) -> None:
            self._check_tier(connection, by, tier)
            members.map_role(connection, by.platform, by.workspace, role, tier)
            audit.write(connection, by, "role", {"role": role, "tier": tier and tier.value})

        await self.database.run(work)

    async def role_map(self, platform: str, workspace: str) -> Mapping[str, Tier]:
        """Role id → tier: the file's mapping with the administrators' over it."""
        overrides = await self.database.run(lambda c: members.role_map(c, platform, workspace))
        merged = {**self.policy.roles_of(platform, workspace), **overrides}
        return {role: tier for role, tier in merged.items() if tier is not None}

    async def workspace_settings(self, platform: str, workspace: str) -> WorkspaceSettings:
        """A server's settings."""
        stored = await self.database.run(lambda c: members.settings(c, platform, workspace))
        values = dict(stored)
        if "default_tier" in values:
            values["default_tier"] = Tier(values["default_tier"])
        if "channels" in values:
            values["channels"] = frozenset(values["channels"])
        return WorkspaceSettings(**values)

    async def set_workspace_settings(self, by: Member, settings: WorkspaceSettings) -> None:
        """Replace a server's settings. Raises BeyondLimit."""
        values = asdict(settings)
        values |= {
            "default_tier": settings.default_tier.value,
            "channels": sorted(settings.channels),
        }

        def work(connection: Connection) -> None:
            self._check_tier(connection, by, settings.default_tier)
            members.set_settings(connection, by.platform, by.workspace, values)
            audit.write(connection, by, "settings", values)

        await self.database.run(work)

    async def block(self, by: Member, member_id: str, blocked: bool) -> None:
        """Block or unblock a member of the administrator's server."""

        def work(connection: Connection) -> None:
            members.block(connection, by.platform, by.workspace, member_id, blocked)
            action = "block" if blocked else "unblock"
            audit.write(connection, by, action, {"member": member_id})

        await self.database.run(work)

    async def words(self, platform: str, workspace: str) -> Sequence[str]:
        """The server's forbidden words."""
        return await self.database.run(lambda c: members.words(c, platform, workspace))

    async def set_words(self, by: Member, words: Sequence[str]) -> None:
        """Replace the server's forbidden words."""
        cleaned = sorted({word.strip() for word in words if word.strip()})

        def work(connection: Connection) -> None:
            members.set_words(connection, by.platform, by.workspace, cleaned)
            audit.write(connection, by, "words", {"words": cleaned})

        await self.database.run(work)

    async def grant(self, by: Member, member_id: str, credits: float, why: str) -> None:
        """Give (or, negative, take) credits: an entry in the ledger. Raises BeyondLimit."""
        member = Member(by.platform, by.workspace, member_id)

        def work(connection: Connection) -> None:
            self._check_grant(connection, by, credits)
            ledger.grant(connection, member.key, credits, why, by.key)
            details: dict[str, Any] = {"member": member_id, "credits": credits, "why": why}
            audit.write(connection, by, "grant", details)

        await self.database.run(work)

    async def audit(self, platform: str, workspace: str, limit: int = 50) -> Sequence[AuditEntry]:
        """What administrators did in a server, newest first."""
        rows = await self.database.run(lambda c: audit.newest(c, platform, workspace, limit))
        return [AuditEntry(r["at"], r["actor"], r["action"], r["details"]) for r in rows]

    def _check_tier(self, connection: Connection, by: Member, tier: Tier | None) -> None:
        highest = self._limits(connection, by).highest_tier
        if tier is not None and tier.rank > highest.rank:
            raise BeyondLimit(Reason("tier-beyond-limit", {"tier": tier.value, "needs": highest}))

    def _check_grant(self, connection: Connection, by: Member, credits: float) -> None:
        limit = self._limits(connection, by).highest_grant
        if limit is None or credits <= 0:
            return
        left = max(0.0, limit - access.granted(connection, by.platform, by.workspace))
        if credits > left:
            raise BeyondLimit(Reason("grant-beyond-limit", {"limit": limit, "left": left}))

    def _limits(self, connection: Connection, by: Member) -> ServerLimits:
        policy = self.policy.access
        record = access.meet(connection, by.platform, by.workspace, policy)
        found = policy.decide(by.platform, by.workspace, record)
        if found.denied:
            raise BeyondLimit(Reason(found.denied))
        return found.limits
