"""What admission must know about a member, a server and an order: read in one round trip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from tasks.handset import HandSet
from tasks.quota import Standing
from tasks.store.doors import BY_HAND, by_hand_of
from tasks.store.ledger import standing_columns


@dataclass(frozen=True, slots=True)
class Situation:
    """A moment's facts. `models` is profile → facts ("steps"), of the workers of the last day."""

    now: datetime
    existing: UUID | None  # the job that has this key already
    queued: int
    running: int
    standing: Standing
    pool: Standing
    known: bool  # the member has had a job before
    invited: bool  # by the waitlist, and in time
    doors: HandSet
    models: Mapping[str, Mapping[str, Any]]
    parent_exists: bool


_SITUATION = text(f"""
    SELECT now() AS now,
        (SELECT id FROM jobs WHERE key = :key) AS existing,
        (SELECT count(*) FROM jobs WHERE member_key = :member AND state = 'queued') AS queued,
        (SELECT count(*) FROM jobs WHERE member_key = :member AND state = 'running') AS running,
        {standing_columns("member_key", ":member", ":seconds")},
        {standing_columns("pool", ":pool", ":pool_seconds", "pool_")},
        EXISTS (SELECT FROM jobs WHERE member_key = :member) AS known,
        EXISTS (
            SELECT FROM waitlist WHERE member_key = :member AND invited_until > now()
        ) AS invited,
        {BY_HAND} AS doors,
        (SELECT jsonb_agg(profiles) FROM workers
            WHERE seen_at > now() - interval '1 day') AS models,
        (CAST(:parent AS uuid) IS NULL OR EXISTS (
            SELECT FROM pictures WHERE id = :parent AND NOT deleted
        )) AS parent_exists
""")


def situation(
    connection: Connection,
    *,
    key: str,
    member: tuple[str, str, str],
    windows: tuple[float, float],
    parent: UUID | None,
) -> Situation:
    """The facts for an order `key` of a member (platform, workspace, key).

    `windows` are the quota's and the pool's lengths in seconds.
    """
    platform, workspace, member_key = member
    row = connection.execute(
        _SITUATION,
        {
            "key": key,
            "member": member_key,
            "platform": platform,
            "workspace": workspace,
            "seconds": windows[0],
            "pool": f"{platform}:{workspace}",
            "pool_seconds": windows[1],
            "parent": parent,
        },
    ).one()
    models: dict[str, Mapping[str, Any]] = {}
    for profiles in row.models or ():
        models |= profiles
    return Situation(
        now=row.now,
        existing=row.existing,
        queued=row.queued,
        running=row.running,
        standing=Standing(row.spent, row.held),
        pool=Standing(row.pool_spent, row.pool_held),
        known=row.known,
        invited=row.invited,
        doors=by_hand_of(row.doors),
        models=models,
        parent_exists=row.parent_exists,
    )
