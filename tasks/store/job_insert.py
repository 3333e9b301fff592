"""Inserts admitted jobs: rows, tags, holds and outbox rows, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import Double

from tasks.jobs.job import Job, Order
from tasks.jobs.tiers import Tier
from tasks.queue.fairness import AGEING
from tasks.store.jobs import JOB_COLUMN_NAMES, JOB_COLUMNS, job_of, member_to_json
from tasks.store.sql import load


@dataclass(frozen=True, slots=True)
class NewJob:
    """What admission decided about an order.

    `cost` is in credits and `cost_seconds` in expected GPU seconds; `invitation` is what
    `waitlist.enter` returned.
    """

    id: UUID
    order: Order
    tier: Tier
    lane: str
    at_once: int
    cost: float
    cost_seconds: float
    relaxed: bool
    pool: str | None
    degraded: dict[str, Any] | None = None
    invitation: dict[str, Any] | None = None


# The tags are those of `tasks.queue.fairness`.
# A flow with fewer than `at_once` open jobs has none behind, so the new job is ready exactly when
# none is behind after it has been counted.
_ENTER = (
    text(load("enter_jobs", job_columns=JOB_COLUMN_NAMES))
    .bindparams(bindparam("jobs", type_=JSONB), bindparam("ageing", type_=Double))
    .columns(*JOB_COLUMNS)
)


def enter(connection: Connection, several: Sequence[NewJob]) -> list[Job]:
    """Insert queued jobs, no two of one member. Raises IntegrityError for an existing key."""
    values = {"jobs": [_to_json(new) for new in several], "ageing": AGEING}
    entered = {row["id"]: job_of(row) for row in connection.execute(_ENTER, values).mappings()}
    return [entered[new.id] for new in several]


def _to_json(new: NewJob) -> dict[str, Any]:
    order, place = new.order, new.order.place
    return {
        "id": str(new.id),
        "key": order.key,
        "command": order.command,
        "platform": place.platform,
        "workspace": place.workspace,
        "channel": place.channel,
        "thread": place.thread,
        "member_key": order.member.key,
        "member": member_to_json(order.member),
        "request": order.request.to_json(),
        "profile": order.request.profile,
        "parent": str(order.parent) if order.parent else None,
        "private": order.private,
        "reply_to": dict(order.reply_to),
        "tier": new.tier.value,
        "lane": new.lane,
        "at_once": new.at_once,
        "cost": new.cost,
        "cost_seconds": new.cost_seconds,
        "relaxed": new.relaxed,
        "degraded": new.degraded,
        "invitation": new.invitation,
        "pool": new.pool,
    }
