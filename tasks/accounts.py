"""A member's own account: entitlement, allowance, preferences, history, export and forgetting."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from tasks.blobs import Blobs
from tasks.job import Job, JobState, Picture, Reason
from tasks.members import Member, Place
from tasks.quota import returns
from tasks.store import jobs, ledger, members, personal, pictures, transitions, waitlist
from tasks.store.database import Database
from tasks.submit import Reception
from tasks.tiers import Entitlement, Feature
from tasks.views import Allowance, WaitlistPlace


@dataclass(frozen=True, slots=True)
class Accounts:
    """What members may ask about themselves."""

    database: Database
    blobs: Blobs
    reception: Reception

    def entitlement(self, member: Member) -> Entitlement:
        """Tier and limits of a member."""
        known = self.database.run(lambda connection: members.look(connection, member))
        return self.reception.entitlement(member, known)

    def allowance(self, member: Member) -> Allowance:
        """What is left of the member's quota, and when credits come back."""
        return self.database.run(lambda connection: self._allowance(connection, member))

    def _allowance(self, connection: Connection, member: Member) -> Allowance:
        known = members.look(connection, member)
        entitlement = self.reception.entitlement(member, known)
        policy = entitlement.policy
        seconds = policy.quota.window.total_seconds()
        standing = ledger.standing(connection, member.key, seconds)
        own = ledger.entries(connection, member.key, seconds)
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

    def kept_out(self, member: Member) -> bool:
        """Whether the doors keep the member out for now, so that the waitlist is of use."""

        def work(connection: Connection) -> bool:
            known = members.look(connection, member)
            entitlement = self.reception.entitlement(member, known)
            return self.reception.kept_out(connection, member, entitlement)

        return self.database.run(work)

    def join_waitlist(self, member: Member, place: Place) -> WaitlistPlace:
        """Join the waitlist of the member's tier, or see the place one already has."""

        def work(connection: Connection) -> WaitlistPlace:
            known = members.look(connection, member)
            tier = self.reception.entitlement(member, known).tier
            return waitlist.join(connection, member, place, tier)

        return self.database.run(work)

    def feature_open(self, member: Member, feature: Feature) -> Reason | None:
        """None where the member may use the feature now; else the refusal's reason."""
        tier = self.entitlement(member).tier
        today = datetime.now(UTC).date()
        return self.reception.feature_refusal(member, tier, [feature], today)

    def preferences(self, member: Member) -> Mapping[str, Any]:
        """The member's own defaults."""
        return self.database.run(lambda c: members.look(c, member)).preferences

    def set_preferences(self, member: Member, values: Mapping[str, Any]) -> None:
        """Change some of them; a None value removes one."""
        self.database.run(lambda connection: members.prefer(connection, member, values))

    def history(self, member: Member, limit: int, before: datetime | None) -> Sequence[Picture]:
        """The member's own pictures, newest first, without deleted ones."""
        return self.database.run(lambda c: pictures.of_member(c, member.key, limit, before))

    def export(self, member: Member) -> bytes:
        """All that is kept about a member: a ZIP of JSON and pictures."""
        kept = self.database.run(lambda connection: personal.everything(connection, member.key))
        held = self.database.run(lambda connection: personal.blobs(connection, member.key))
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("account.json", json.dumps(kept, indent=2, default=str))
            for name in held:
                try:
                    archive.writestr(name, self.blobs.get(name))
                except FileNotFoundError:  # deleted since: the JSON still tells of it
                    continue
        return packed.getvalue()

    def forget(self, member: Member) -> int:
        """Delete a member's pictures, prompts and history; the number of pictures deleted.

        Jobs that wait are cancelled first. The ledger's sums stay, without words.
        """
        reason = Reason("cancelled")
        for job in self.database.run(lambda connection: jobs.active(connection, member.key)):
            self._cancel_waiting(job, reason)
        names = self.database.run(lambda connection: personal.forget(connection, member.key))
        for name in names:
            self.blobs.delete(name)
        return sum(name.startswith("pictures/") for name in names)

    def _cancel_waiting(self, job: Job, reason: Reason) -> None:
        states, to = [JobState.QUEUED], JobState.CANCELLED
        self.database.run(lambda c: transitions.end(c, job.id, states, to, reason))

    def delete_pictures(self, job: UUID, by: Member, moderator: bool) -> Reason:
        """Delete a job's pictures from storage."""
        row = self.database.run(lambda connection: jobs.read(connection, job))
        if row is None or not visible(row, by):
            return Reason("no-such-job")
        if row.order.member.key != by.key and not moderator:
            return Reason("not-yours")
        for name in self.database.run(lambda c: pictures.delete(c, [job])):
            self.blobs.delete(name)
        return Reason("deleted")


def visible(job: Job, member: Member) -> bool:
    """Whether the job is of the member's own workspace: others' are not even known to exist."""
    owner = job.order.member
    return (owner.platform, owner.workspace) == (member.platform, member.workspace)
