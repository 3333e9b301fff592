"""Reports of pictures, from the member who reports to the decision and the owner's notice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection

from tasks.client.async_database import AsyncDatabase
from tasks.client.erased_blobs import delete_erased
from tasks.jobs.job import Job, Reason
from tasks.jobs.members import Member
from tasks.runtime.blobs import Blobs
from tasks.store import audit, erasure, jobs, members, reports
from tasks.store.reports import OpenReport, Outcome, PostedReport

LIMIT = 100  # reports read at once


@dataclass(frozen=True, slots=True)
class Reports:
    """Every method raises Unavailable where the database cannot be reached."""

    database: AsyncDatabase
    blobs: Blobs

    async def submit(self, job: UUID, by: Member, words: str) -> None:
        """Record a member's report of a job's pictures."""
        await self.database.run(lambda c: reports.add(c, job, by, words))

    async def open(self, platform: str, workspace: str) -> Sequence[OpenReport]:
        """A server's open reports, oldest first."""
        return await self.database.run(lambda c: reports.open_in(c, platform, workspace, LIMIT))

    async def is_open(self, job: UUID) -> bool:
        """Whether a job has a report that nobody has decided."""
        return await self.database.run(lambda c: reports.is_open(c, job))

    async def every_open(self) -> Sequence[OpenReport]:
        """The open reports of all servers, oldest first, for the operator."""
        return await self.database.run(lambda c: reports.every_open(c, LIMIT))

    async def decide(self, job: UUID, outcome: Outcome, by: Member) -> Reason:
        """Close a job's reports, as a moderator of its server; the audit log has the decision.

        Codes: "report-kept", "report-removed", "report-blocked", "no-such-report".
        """
        return await self.database.call(lambda: self._decide(job, outcome, by))

    def _decide(self, job: UUID, outcome: Outcome, by: Member) -> Reason:
        def work(connection: Connection) -> tuple[Reason, list[str]]:
            row = jobs.read(connection, job)
            if row is None or not row.in_workspace_of(by):
                return Reason("no-such-report"), []
            if not reports.decide(connection, job, outcome, by.key):
                return Reason("no-such-report"), []
            owner = row.order.member
            details = {"job": row.short, "member": owner.id}
            audit.write(connection, by, f"report-{outcome}", details)
            if outcome is Outcome.BLOCKED:
                members.block(connection, owner.platform, owner.workspace, owner.id, True)
            kept = outcome is Outcome.KEPT
            removed = [] if kept else erasure.delete_pictures(connection, job)
            return Reason(f"report-{outcome}", {"member": owner.id}), removed

        reason, blobs = self.database.database.run(work)
        delete_erased(self.database.database, self.blobs, blobs)
        return reason

    # -- for the bots, which post reports and notify owners --------------------------------------

    async def claim_unposted(self, platform: str) -> Sequence[PostedReport]:
        """Reports to post in the channels that moderators chose; each is claimed once."""
        return await self.database.run(lambda c: reports.claim_unposted(c, platform, LIMIT))

    async def release_unposted(self, job: UUID) -> None:
        """Post a report again later."""
        await self.database.run(lambda c: reports.release_unposted(c, job))

    async def claim_removed(self, platform: str) -> Sequence[Job]:
        """Jobs whose owners must be notified that their pictures were removed; claimed once."""
        return await self.database.run(lambda c: reports.claim_removed(c, platform))

    async def release_removed(self, job: UUID) -> None:
        """Notify an owner again later."""
        await self.database.run(lambda c: reports.release_removed(c, job))
