"""Entering jobs: rows, places in their flows, holds and tickets, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import Double

from tasks.fairness import AGEING
from tasks.job import Job, Order
from tasks.store.jobs import JOB_COLUMNS, job_of, member_to_json
from tasks.tiers import Tier


@dataclass(frozen=True, slots=True)
class NewJob:
    """What admission decided about an order.

    `lane` and `at_once` place it in the line, `cost` is in credits, `cost_seconds` in GPU seconds,
    `invitation` is what `waitlist.enter` gave.
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


# The tags are those of `tasks.fairness`.
# A flow with fewer than `at_once` jobs open has none behind, so the new one is ready exactly when
# nothing stands behind after it has been counted.
_ENTER = text(f"""
    WITH given AS MATERIALIZED (
        SELECT g.* FROM atelier_each(:jobs) AS item, jsonb_to_record(item) AS g(
            id uuid, key text, command text, platform text, workspace text, channel text,
            thread text, member_key text, member jsonb, request jsonb, profile text, parent uuid,
            private boolean, reply_to jsonb, tier text, lane text, at_once int,
            cost double precision, cost_seconds double precision, relaxed boolean,
            degraded jsonb, invitation jsonb, pool text)
    ), here AS MATERIALIZED (
        SELECT given.*, virtual + :ageing * greatest(
            0, extract(epoch FROM clock_timestamp()) - virtual_at
        ) AS virtual FROM given JOIN lanes USING (lane)
    ), placed AS (
        INSERT INTO flows AS f (lane, flow, opened, tail)
        SELECT lane, member_key, 1, virtual + cost_seconds FROM here ORDER BY lane, member_key
        ON CONFLICT (lane, flow) DO UPDATE SET (opened, behind, tail) = (
            SELECT f.opened + CASE WHEN f.opened < at_once THEN 1 ELSE 0 END,
                f.behind + CASE WHEN f.opened < at_once THEN 0 ELSE 1 END,
                greatest(f.tail + cost_seconds, excluded.tail)
            FROM given WHERE given.lane = excluded.lane AND given.member_key = excluded.flow
        )
        RETURNING lane, flow, behind = 0 AS ready, tail, shift
    ), entered AS (
        INSERT INTO jobs (id, key, command, platform, workspace, channel, thread, member_key,
            member, request, profile, parent, private, reply_to, tier, lane, flow,
            start_tag, entered, shift, ready, at_once, cost, cost_seconds,
            relaxed, degraded, invitation, state, created_at)
        SELECT id, key, command, platform, workspace, channel, thread, member_key,
            member, request, profile, parent, private, reply_to, tier, here.lane, flow,
            placed.tail - cost_seconds, here.virtual, placed.shift, placed.ready, at_once, cost,
            cost_seconds, relaxed, nullif(degraded, 'null'), nullif(invitation, 'null'),
            'queued', clock_timestamp()
        FROM here JOIN placed ON placed.lane = here.lane AND placed.flow = here.member_key
        RETURNING {JOB_COLUMNS}
    ), held AS (
        INSERT INTO ledger (job, kind, member_key, pool, credits, relaxed)
        SELECT id, 'hold', member_key, pool, cost, relaxed FROM given
    ), ticket AS (
        INSERT INTO outbox (created_at) SELECT now() FROM placed WHERE placed.ready
    )
    SELECT entered.*, pg_notify('atelier_outbox', '') FROM entered
""").bindparams(bindparam("jobs", type_=JSONB), bindparam("ageing", type_=Double))


def enter(connection: Connection, several: Sequence[NewJob]) -> list[Job]:
    """Make the orders queued jobs, no two of one member. Raises IntegrityError for a taken key."""
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
