"""Pictures: rows, bytes, history, deletion, reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from tasks.client.async_database import AsyncDatabase
from tasks.client.erased_blobs import delete_erased
from tasks.jobs.job import Picture, Reason
from tasks.jobs.members import Member, Place
from tasks.runtime.blobs import Blobs, source_name
from tasks.store import audit, erasure, jobs, pictures, sweeper_queries


@dataclass(frozen=True, slots=True)
class Pictures:
    """Every method raises Unavailable where the database cannot be reached."""

    database: AsyncDatabase
    blobs: Blobs
    upload_bytes: int
    """The most bytes of one file that a member sends, on every platform."""

    async def read(self, picture: UUID) -> Picture | None:
        """One picture's row."""
        return await self.database.run(lambda c: pictures.read(c, picture))

    async def of_message(self, place: Place, message: str) -> Picture | None:
        """The first picture that was delivered as this message of this Place."""
        return await self.database.run(lambda c: pictures.of_message(c, place, message))

    async def last(self, place: Place) -> Picture | None:
        """The newest picture of a thread: what a reply in it edits."""
        return await self.database.run(lambda c: pictures.last_in(c, place))

    async def history(
        self, member: Member, limit: int = 20, before: datetime | None = None
    ) -> Sequence[Picture]:
        """The member's own pictures, newest first, without deleted ones."""
        return await self.database.run(lambda c: pictures.of_member(c, member.key, limit, before))

    async def delete(self, job: UUID, by: Member, moderator: bool = False) -> Reason:
        """Delete a job's pictures from storage and from the platform.

        Codes: "deleted", "not-yours", "no-such-job".
        """
        return await self.database.call(lambda: self._delete(job, by, moderator))

    def _delete(self, job: UUID, by: Member, moderator: bool) -> Reason:
        database = self.database.database
        row = database.run(lambda c: jobs.read(c, job))
        if row is None or not row.in_workspace_of(by):
            return Reason("no-such-job")
        mine = row.order.member.key == by.key
        if not mine and not moderator:
            return Reason("not-yours")

        def work(connection: Connection) -> list[str]:
            if not mine:
                details = {"job": row.short, "member": row.order.member.id}
                audit.write(connection, by, "delete", details)
            return erasure.delete_pictures(connection, job)

        delete_erased(database, self.blobs, database.run(work))
        return Reason("deleted")

    async def store_source(self, data: bytes, owner: Member) -> str:
        """Store a picture that a member uploaded (checked by the caller); its blob name."""
        return await self.database.call(lambda: self._store_source(data, owner))

    def _store_source(self, data: bytes, owner: Member) -> str:
        name = source_name(data)
        self.database.database.run(lambda c: sweeper_queries.record_source(c, name, owner.key))
        self.blobs.put(name, data)
        return name

    async def read_blob(self, name: str) -> bytes:
        """The bytes of a stored picture. Raises FileNotFoundError."""
        return await self.database.call(lambda: self.blobs.get(name))
