"""What admission reads about orders, their members and servers, in one round trip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from tasks.policy.door_overrides import DoorOverrides
from tasks.policy.quota import QuotaUsage
from tasks.store.doors import OVERRIDES, overrides_of
from tasks.store.ledger import member_standing_columns, pool_standing_columns
from tasks.store.sql import load


@dataclass(frozen=True, slots=True)
class AdmissionContext:
    """One order's context. `models` is profile → facts ("steps") of the workers of the last day."""

    now: datetime
    existing: UUID | None  # the job that has this key already
    queued: int
    running: int
    standing: QuotaUsage
    pool: QuotaUsage
    known: bool  # the member has had a job before
    invited: bool  # has an open invitation
    doors: DoorOverrides
    models: Mapping[str, Mapping[str, Any]]
    pending_models: frozenset[str]  # a worker is about to try them
    faulty_models: frozenset[str]  # a worker says why it does not serve them
    parent_exists: bool


@dataclass(frozen=True, slots=True)
class AdmissionQuery:
    """What to read for an order: its key, its member (platform, workspace, key) and its parent.

    `windows` are the quota's and the pool's lengths in seconds. `person` is the member's id where
    their unpaid orders in other workspaces count too.
    """

    key: str
    member: tuple[str, str, str]
    windows: tuple[float, float]
    parent: UUID | None
    person: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The JSON that the statement reads."""
        platform, workspace, member = self.member
        return {
            "key": self.key,
            "platform": platform,
            "workspace": workspace,
            "member": member,
            "person": self.person,
            "seconds": self.windows[0],
            "pool": f"{platform}:{workspace}",
            "pool_seconds": self.windows[1],
            "parent": str(self.parent) if self.parent else None,
        }


_CONTEXT = text(
    load(
        "admission_context",
        member_standing=member_standing_columns("given.member", "given.keys", "given.seconds"),
        pool_standing=pool_standing_columns("given.pool", "given.pool_seconds"),
        doors=OVERRIDES.format(here="given"),
    )
).bindparams(bindparam("questions", type_=JSONB))


def read(
    connection: Connection, questions: Sequence[AdmissionQuery]
) -> dict[str, AdmissionContext]:
    """The context of each order, by its key."""
    values = {"questions": [one.to_json() for one in questions]}
    return {row.key: _context(row) for row in connection.execute(_CONTEXT, values)}


def _context(row: Any) -> AdmissionContext:
    models: dict[str, Mapping[str, Any]] = {}
    for profiles in row.models or ():
        models |= profiles
    return AdmissionContext(
        now=row.now,
        existing=row.existing,
        queued=row.queued,
        running=row.running,
        standing=QuotaUsage(row.spent, row.held),
        pool=QuotaUsage(row.pool_spent, row.pool_held),
        known=row.known,
        invited=row.invited,
        doors=overrides_of(row.doors),
        models=models,
        pending_models=frozenset(name for names in row.pending_models or () for name in names),
        faulty_models=frozenset(name for faults in row.model_faults or () for name in faults),
        parent_exists=row.parent_exists,
    )
