"""Entering a job: its row, its place in its flow, its hold and a ticket, in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import Double

from tasks.fairness import AGEING
from tasks.job import Job, Order
from tasks.store.jobs import job_of, member_to_json
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
_ENTER = text("""
    WITH here AS (
        SELECT virtual + :ageing * greatest(
            0, extract(epoch FROM clock_timestamp()) - virtual_at
        ) AS virtual FROM lanes WHERE lane = :lane
    ), placed AS (
        INSERT INTO flows AS f (lane, flow, opened, tail)
        SELECT :lane, :flow, 1, here.virtual + :cost_seconds FROM here
        ON CONFLICT (lane, flow) DO UPDATE SET
            opened = f.opened + CASE WHEN f.opened < :at_once THEN 1 ELSE 0 END,
            behind = f.behind + CASE WHEN f.opened < :at_once THEN 0 ELSE 1 END,
            tail = greatest(f.tail + :cost_seconds, excluded.tail)
        RETURNING behind = 0 AS ready, tail - :cost_seconds AS start_tag, shift
    ), entered AS (
        INSERT INTO jobs (id, key, command, platform, workspace, channel, thread, member_key,
            member, request, profile, parent, private, reply_to, tier, lane, flow,
            start_tag, entered, shift, ready, at_once, cost, cost_seconds,
            relaxed, degraded, invitation, state, created_at)
        SELECT :id, :key, :command, :platform, :workspace, :channel, :thread, :member_key,
            :member, :request, :profile, :parent, :private, :reply_to, :tier, :lane, :flow,
            placed.start_tag, here.virtual, placed.shift, placed.ready, :at_once, :cost,
            :cost_seconds, :relaxed, :degraded, :invitation, 'queued', clock_timestamp()
        FROM placed, here
        RETURNING *
    ), held AS (
        INSERT INTO ledger (job, kind, member_key, pool, credits, relaxed)
        VALUES (:id, 'hold', :member_key, :pool, :cost, :relaxed)
    ), ticket AS (
        INSERT INTO outbox (created_at) SELECT now() FROM placed WHERE placed.ready
    )
    SELECT entered.*, pg_notify('atelier_outbox', '') FROM entered
""").bindparams(
    *(bindparam(name, type_=JSONB) for name in ("member", "request", "reply_to")),
    *(bindparam(name, type_=JSONB(none_as_null=True)) for name in ("degraded", "invitation")),
    bindparam("cost_seconds", type_=Double),
    bindparam("ageing", type_=Double),
)


def enter(connection: Connection, new: NewJob) -> Job:
    """Make the order a queued job. Raises IntegrityError where its key is taken."""
    order, place = new.order, new.order.place
    row = connection.execute(
        _ENTER,
        {
            "id": new.id,
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
            "parent": order.parent,
            "private": order.private,
            "reply_to": dict(order.reply_to),
            "tier": new.tier.value,
            "lane": new.lane,
            "flow": order.member.key,
            "at_once": new.at_once,
            "cost": new.cost,
            "cost_seconds": new.cost_seconds,
            "relaxed": new.relaxed,
            "degraded": new.degraded,
            "invitation": new.invitation,
            "pool": new.pool,
            "ageing": AGEING,
        },
    )
    return job_of(row.mappings().one())
