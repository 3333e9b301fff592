"""What admission must know about orders, their members and servers: read in one round trip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

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


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of an order: its key, its member (platform, workspace, key) and its parent.

    `windows` are the quota's and the pool's lengths in seconds.
    """

    key: str
    member: tuple[str, str, str]
    windows: tuple[float, float]
    parent: UUID | None

    def to_json(self) -> dict[str, Any]:
        """As the statement reads it."""
        platform, workspace, member = self.member
        return {
            "key": self.key,
            "platform": platform,
            "workspace": workspace,
            "member": member,
            "seconds": self.windows[0],
            "pool": f"{platform}:{workspace}",
            "pool_seconds": self.windows[1],
            "parent": str(self.parent) if self.parent else None,
        }


_SITUATION = text(f"""
    WITH given AS MATERIALIZED (
        SELECT g.* FROM atelier_each(:questions) AS item, jsonb_to_record(item) AS g(
            key text, platform text, workspace text, member text, seconds double precision,
            pool text, pool_seconds double precision, parent uuid)
    )
    SELECT given.key, now() AS now,
        (SELECT id FROM jobs WHERE jobs.key = given.key) AS existing,
        (SELECT count(*) FROM jobs
            WHERE member_key = given.member AND state = 'queued') AS queued,
        (SELECT count(*) FROM jobs
            WHERE member_key = given.member AND state = 'running') AS running,
        {standing_columns("member_key", "given.member", "given.seconds")},
        {standing_columns("pool", "given.pool", "given.pool_seconds", "pool_")},
        EXISTS (SELECT FROM jobs WHERE member_key = given.member) AS known,
        EXISTS (
            SELECT FROM waitlist WHERE member_key = given.member AND invited_until > now()
        ) AS invited,
        {BY_HAND.format(here="given")} AS doors,
        (SELECT jsonb_agg(profiles) FROM workers
            WHERE seen_at > now() - interval '1 day') AS models,
        (given.parent IS NULL OR EXISTS (
            SELECT FROM pictures WHERE id = given.parent AND NOT deleted
        )) AS parent_exists
    FROM given
""").bindparams(bindparam("questions", type_=JSONB))


def situations(connection: Connection, questions: Sequence[Question]) -> dict[str, Situation]:
    """The facts for each order, by its key."""
    values = {"questions": [one.to_json() for one in questions]}
    return {row.key: _situation(row) for row in connection.execute(_SITUATION, values)}


def _situation(row: Any) -> Situation:
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
