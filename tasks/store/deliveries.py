"""Deliveries: claiming what is to be posted, remembering how far a posting is, trying again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Text, Uuid

CHANNEL = "atelier_deliveries"


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to post one job's result for a while: `poster` is its token."""

    job: UUID
    poster: UUID
    tries: int
    memory: Mapping[str, Any]


_CLAIM = text("""
    WITH due AS (
        SELECT job FROM deliveries
        WHERE state = 'pending' AND next_try <= now() AND (owner IS NULL OR owner_until < now())
            AND platform = ANY(:platforms)
        ORDER BY next_try LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    UPDATE deliveries SET owner = gen_random_uuid(), tries = tries + 1,
        owner_until = now() + make_interval(secs => :hold)
    FROM due WHERE deliveries.job = due.job
    RETURNING deliveries.job, owner, tries, memory
""").bindparams(bindparam("platforms", type_=ARRAY(Text)))


def claim(connection: Connection, platforms: Sequence[str], hold: float, limit: int) -> list[Claim]:
    """Claim deliveries that are due on these platforms, for `hold` seconds."""
    values = {"platforms": list(platforms), "hold": hold, "limit": limit}
    rows = connection.execute(_CLAIM, values)
    return [Claim(row.job, row.owner, row.tries, row.memory) for row in rows]


_HOLD = text("""
    WITH held AS (
        SELECT job FROM deliveries WHERE owner = ANY(:posters) AND state = 'pending'
        FOR UPDATE SKIP LOCKED
    )
    UPDATE deliveries SET owner_until = now() + make_interval(secs => :hold)
    FROM held WHERE deliveries.job = held.job
""").bindparams(bindparam("posters", type_=ARRAY(Uuid)))


def hold(connection: Connection, posters: Sequence[UUID], seconds: float) -> None:
    """Hold claims longer; one that is being changed at this moment is held the next time."""
    if posters:
        connection.execute(_HOLD, {"posters": list(posters), "hold": seconds})


_REMEMBER = text("""
    UPDATE deliveries SET memory = memory || :memory
    WHERE job = :job AND owner = :poster AND state = 'pending'
""").bindparams(bindparam("memory", type_=JSONB))


def remember(connection: Connection, claimed: Claim, memory: Mapping[str, Any]) -> bool:
    """Add to what a posting remembers; whether the claim still holds."""
    values = {"job": claimed.job, "poster": claimed.poster, "memory": dict(memory)}
    return connection.execute(_REMEMBER, values).rowcount == 1


_LATER = text("""
    UPDATE deliveries SET next_try = now() + make_interval(secs => :after), error = :error,
        owner = NULL, owner_until = NULL
    WHERE job = :job AND owner = :poster AND state = 'pending'
""")


def later(connection: Connection, claimed: Claim, after: float, error: str) -> bool:
    """Put a posting off for `after` seconds, and let any worker have it then."""
    values = {"job": claimed.job, "poster": claimed.poster, "after": after, "error": error}
    return connection.execute(_LATER, values).rowcount == 1


_FAILED = text("""
    UPDATE deliveries SET state = 'failed', error = :error, owner = NULL, owner_until = NULL
    WHERE job = :job AND owner = :poster AND state = 'pending'
""")


def failed(connection: Connection, claimed: Claim, error: str) -> bool:
    """Give a posting up: the platform will never take it."""
    values = {"job": claimed.job, "poster": claimed.poster, "error": error}
    return connection.execute(_FAILED, values).rowcount == 1


_OURS = text("SELECT EXISTS (SELECT FROM deliveries WHERE job = :job AND owner = :poster)")


def is_ours(connection: Connection, job: UUID, poster: UUID) -> bool:
    """Whether this poster holds the job's delivery."""
    return bool(connection.scalar(_OURS, {"job": job, "poster": poster}))


def memory(connection: Connection, job: UUID) -> Mapping[str, Any]:
    """What the courier remembered while it posted a job."""
    query = text("SELECT memory FROM deliveries WHERE job = :job")
    return connection.scalar(query, {"job": job}) or {}
