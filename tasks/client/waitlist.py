"""The waitlist: joining, leaving, and the invitations that a bot passes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from tasks.admission.entitlements import entitlement_of, excluded_by_doors
from tasks.admission.service import AdmissionService
from tasks.client.async_database import AsyncDatabase
from tasks.jobs.members import Member, Place
from tasks.store import doors, jobs, members, waitlist
from tasks.store.waitlist import Invitation, WaitlistPlace


@dataclass(frozen=True, slots=True)
class Waitlist:
    """Every method raises Unavailable where the database cannot be reached."""

    database: AsyncDatabase
    admission: AdmissionService

    async def join(self, member: Member, place: Place) -> WaitlistPlace:
        """Join the waitlist of the member's tier; a member on it keeps their place."""

        def work(connection: Connection) -> WaitlistPlace:
            known = members.read(connection, member)
            tier = entitlement_of(self.admission.policy, member, known).tier
            return waitlist.join(connection, member, place, tier)

        return await self.database.run(work)

    async def leave(self, member: Member) -> bool:
        """Leave; whether the member was on it."""
        return await self.database.run(lambda c: waitlist.leave(c, member.key))

    async def place(self, member: Member) -> WaitlistPlace:
        """The member's place on the list."""
        return await self.database.run(lambda c: waitlist.place_of(c, member.key))

    async def is_needed(self, member: Member) -> bool:
        """Whether the doors exclude the member from a feature of their tier for now."""

        def work(connection: Connection) -> bool:
            policy = self.admission.policy
            known = members.read(connection, member)
            return excluded_by_doors(
                policy,
                entitlement_of(policy, member, known),
                doors.overrides(connection, member.platform, member.workspace),
                self.admission.snapshots.now(connection).autos,
                jobs.any_of(connection, member.key),
            )

        return await self.database.run(work)

    async def claim_invitations(self, platform: str, limit: int = 20) -> Sequence[Invitation]:
        """Open invitations without a notice; the caller now sends it."""
        return await self.database.run(lambda c: waitlist.claim_unnotified(c, [platform], limit))

    async def mark_notified(self, invitation: Invitation) -> None:
        """The member has been notified of a claimed invitation."""
        await self.database.run(lambda c: waitlist.mark_notified(c, invitation.member.key))

    async def release(self, invitation: Invitation) -> None:
        """The notice failed: the invitation can be claimed again."""
        await self.database.run(lambda c: waitlist.release_claim(c, invitation.member.key))
