"""What the operator decides about servers and people: approvals, limits, bans.

The operator's commands call it; bots offer none of it to members or administrators.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import Connection

from tasks.client.async_database import AsyncDatabase
from tasks.jobs.job import Reason
from tasks.jobs.members import Member
from tasks.jobs.states import JobState
from tasks.policy.access import ServerAccess, ServerLimits, ServerRecord
from tasks.policy.config import Policy
from tasks.store import access, leases, transitions
from tasks.store.access import ServerRow


@dataclass(frozen=True, slots=True)
class ServerView:
    """A server with its record and what follows from it and from the policy."""

    platform: str
    workspace: str
    record: ServerRecord | None
    access: ServerAccess


@dataclass(frozen=True, slots=True)
class AccessControl:
    """Every method raises Unavailable where the database cannot be reached."""

    database: AsyncDatabase
    policy: Policy

    async def servers(self) -> Sequence[ServerView]:
        """Every server that has used the bot, then those of the file that have not."""
        rows = await self.database.run(access.every)
        seen = {(row.platform, row.workspace) for row in rows}
        unseen = sorted(server for server in self.policy.access.servers if server not in seen)
        return [*(self._view(row) for row in rows), *(self._listed(server) for server in unseen)]

    async def bans(self) -> Sequence[tuple[str, str]]:
        """Every banned account with the reason."""
        return await self.database.run(access.bans)

    async def approve(self, platform: str, workspace: str, limits: ServerLimits) -> None:
        """Approve a server with these limits; ends a ban."""
        record = ServerRecord(approved=True, limits=limits)
        await self.database.run(lambda c: access.decide(c, platform, workspace, record))

    async def revoke(self, platform: str, workspace: str) -> None:
        """Take an approval back: the server becomes an unknown one."""
        record = ServerRecord()
        await self.database.run(lambda c: access.decide(c, platform, workspace, record))

    async def ban_server(self, platform: str, workspace: str) -> int:
        """Ban a server and stop its jobs; returns how many."""

        def work(connection: Connection) -> int:
            found = access.read(connection, platform, workspace) or ServerRecord()
            banned = replace(found, banned=True)
            access.decide(connection, platform, workspace, banned)
            jobs = access.active_in_server(connection, platform, workspace)
            return _stop(connection, jobs, Reason("server-banned"))

        return await self.database.run(work)

    async def unban_server(self, platform: str, workspace: str) -> None:
        """End a server's ban; an approval from before holds again."""

        def work(connection: Connection) -> None:
            found = access.read(connection, platform, workspace)
            if found is not None:
                access.decide(connection, platform, workspace, replace(found, banned=False))

        await self.database.run(work)

    async def ban_member(self, member: Member, why: str = "") -> int:
        """Ban a person from every server and stop their jobs; returns how many."""

        def work(connection: Connection) -> int:
            access.ban(connection, member.account, why)
            keys = access.keys_of_person(connection, member)
            jobs = access.active_of_members(connection, keys)
            return _stop(connection, jobs, Reason("banned"))

        return await self.database.run(work)

    async def unban_member(self, member: Member) -> bool:
        """End a person's ban; whether there was one."""
        return await self.database.run(lambda c: access.unban(c, member.account))

    def _view(self, row: ServerRow) -> ServerView:
        decided = self.policy.access.decide(row.platform, row.workspace, row.record)
        return ServerView(row.platform, row.workspace, row.record, decided)

    def _listed(self, server: tuple[str, str]) -> ServerView:
        return ServerView(*server, None, self.policy.access.decide(*server, None))


def _stop(connection: Connection, jobs: Sequence[UUID], reason: Reason) -> int:
    """Refuse the queued jobs and ask the running ones to stop."""
    stopped = 0
    for job in jobs:
        ended = transitions.end(connection, job, [JobState.QUEUED], JobState.REFUSED, reason)
        stopped += bool(ended or leases.ask_to_stop(connection, job, reason))
    return stopped
